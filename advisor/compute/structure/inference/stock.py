"""Stock classes: which class of transformers a config belongs to, built on the meta device or with random weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import transformers.models.auto.modeling_auto as auto
from torch import Tensor, nn
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig
from transformers.utils import logging

from advisor.base.errors import AdviseError, nearest

logging.disable_progress_bar()
logging.set_verbosity_error()

# The Hub's names of tasks, in the order in which a family is described first.
TASKS: Mapping[str, Any] = {
    "text-classification": auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    "text2text-generation": auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
    "automatic-speech-recognition": auto.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING,
    "image-classification": auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING,
    "text-generation": auto.MODEL_FOR_CAUSAL_LM_MAPPING,
    "token-classification": auto.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
    "question-answering": auto.MODEL_FOR_QUESTION_ANSWERING_MAPPING,
    "fill-mask": auto.MODEL_FOR_MASKED_LM_MAPPING,
    "audio-classification": auto.MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING,
    "feature-extraction": auto.MODEL_MAPPING,
}
READABLE = "give the config.json of a model whose model_type transformers knows, without remote code"
FIRST = ("text2text-generation", "automatic-speech-recognition", "text-classification", "image-classification")


class Tensors(NamedTuple):
    """The shapes of a model's tensors by name; which of them are parameters; and names that are another tensor's."""

    shapes: dict[str, tuple[int, ...]]
    counted: frozenset[str]
    tied: dict[str, str]


def knows(model_type: str) -> bool:
    """Whether transformers has a config for a model type."""
    return model_type in CONFIG_MAPPING


def config_of(values: Mapping[str, Any]) -> Any:
    """The config of transformers for the values of a config.json.

    Raises:
        AdviseError: transformers knows no such model type, or its class refuses the values.
    """
    given = dict(values)
    kind = given.pop("model_type", None)
    if not (isinstance(kind, str) and knows(kind)):  # transformers would name the hundreds of types that it knows
        near = nearest(kind, list(CONFIG_MAPPING))
        raise AdviseError(
            f"no config that transformers can read: it knows no model type {kind!r}",
            hint=(f"did you mean {near!r}? Else " if near else "") + READABLE,
        )
    try:
        return AutoConfig.for_model(kind, **given)
    except Exception as error:  # a config's class may refuse with any error
        raise AdviseError(f"no config that transformers can read: {in_words(error, values)}", hint=READABLE) from None


def in_words(error: BaseException, values: Mapping[str, Any]) -> str:
    """Why transformers refuses a config: the kind of an error that names a value alone, and the key that has it."""
    lines = str(error).strip().splitlines()
    if not isinstance(error, LookupError | AttributeError | TypeError) or not lines:
        return lines[-1].strip() if lines else type(error).__name__
    value = error.name if isinstance(error, AttributeError) else next(iter(error.args), None)
    key = next((key for key, given in _leaves(values) if isinstance(value, str) and given == value), "")
    return f"{type(error).__name__}: {lines[-1].strip()}" + (f" ({key} in config.json)" if key else "")


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + str(key), value


def tasks_of(config: Any) -> dict[str, Any]:
    """The tasks that transformers has a class for, with these classes; the task that a family is described by first."""
    found = {task: mapping[type(config)] for task, mapping in TASKS.items() if type(config) in mapping}
    found = {task: one[0] if isinstance(one, tuple) else one for task, one in found.items()}
    rest = "feature-extraction" if hasattr(config, "vision_config") else next(iter(found), "")
    first = next((task for task in FIRST if task in found and _is_main(task, config)), rest)
    return {first: found.pop(first), **found} if first else {}


def _is_main(task: str, config: Any) -> bool:
    if hasattr(config, "text_config") and hasattr(config, "vision_config"):
        return False  # two towers, of which a classifier of images has one
    return bool(config.is_encoder_decoder) == (task in FIRST[:2])


def class_of(config: Any, task: str = "") -> Any:
    """The stock class for a task, or for the family's first one.

    Raises:
        AdviseError: transformers has none.
    """
    found = tasks_of(config)
    wanted = task or next(iter(found), "")
    if wanted not in found:
        raise AdviseError(
            f"{config.model_type}: transformers has no class for {task or 'any task'}",
            hint=f"it has one for: {', '.join(found) or 'nothing'}",
        )
    return found[wanted]


def on_meta(class_: Any, config: Any) -> Any:
    """The model without memory for its weights."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return class_(config)


def tensors_of(model: nn.Module) -> Tensors:
    """The tensors that a model saves, each once."""
    state = model.state_dict(keep_vars=True)
    first: dict[int, str] = {}
    tied = {}
    for name, _ in model.named_parameters():
        first[id(state[name])] = name
    for name, tensor in state.items():
        owner = first.setdefault(id(tensor), name)
        if owner != name:
            tied[name] = owner
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items() if name not in tied}
    return Tensors(shapes, frozenset(name for name in shapes if isinstance(state[name], nn.Parameter)), tied)


def built(class_: Any, config: Any) -> Tensors:
    """The tensors of a class with a config.

    Raises:
        any error: a model's class may refuse a config with any.
    """
    return tensors_of(on_meta(class_, config))


@contextmanager
def quiet() -> Iterator[None]:
    """No word from transformers about configs that are only tried."""
    usual = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        logging.set_verbosity(usual)


@contextmanager
def reading() -> Iterator[set[str]]:
    """The names that are read from any config while this lasts, whether they are there or not."""
    names: set[str] = set()
    usual = PreTrainedConfig.__getattribute__

    def recorded(self: Any, name: str) -> Any:
        names.add(name)
        return usual(self, name)

    PreTrainedConfig.__getattribute__ = recorded
    try:
        yield names
    finally:
        PreTrainedConfig.__getattribute__ = usual


def state(model: nn.Module) -> dict[str, Tensor]:
    """The tensors of a model by name, tied ones once."""
    known = tensors_of(model)
    return {name: tensor for name, tensor in model.state_dict().items() if name in known.shapes}
