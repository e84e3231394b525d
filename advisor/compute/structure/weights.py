"""Weights: whether a checkpoint has the weights that its config describes and its tokenizer needs, all of them finite.

transformers initialises missing weights at random, and says so only in a log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from advisor.base.errors import AdviseError, Fault
from advisor.compute.structure.inference import stock, stored
from advisor.families.described.structure import PLACE
from advisor.families.family import Family

NAMED = 3  # of each kind; one wrong size in a config makes misfits of hundreds
DAMAGED = "use a checkpoint from before its training diverged, or copy the file again from its source"
UNTRAINED = "fine-tune it with `advise run`, and load the folder of that run"
HINT = "give the config.json that was saved with these weights"
OTHERS = "its weights are not those that its config describes"
RENAMED = "the file has tensors of other names, such as {}: save it with the save_pretrained of transformers"
TOKENS = "use the tokenizer that was saved with these weights, or give the model rows (resize_token_embeddings)"


def refuse_unfitting(model: Any, info: Mapping[str, Any], family: Family, folder: Path | str) -> None:
    """Only the head for the labels may be new, and what the family's checkpoints may lack; no block may be left over.

    Args:
        info: what transformers reports about loading the model.

    Raises:
        AdviseError: other tensors are missing or have another shape, or the file has more blocks than the config says.
    """
    _refuse_deeper(model, info["unexpected_keys"], family, folder)
    missing, shapes = _made_up(model, info)
    gone = [name for name in _beside_head(missing, model, family) if not name.startswith(family.notes.may_lack)]
    other = _beside_head(list(shapes), model, family)
    if not gone and not other:
        return
    told = "; ".join([*_missing(gone, model), *_misshapen(other, shapes)])
    left_over = sorted(info["unexpected_keys"])[:1] if gone else []
    hint = RENAMED.format(left_over[0]) if left_over else HINT
    raise AdviseError(Fault(f"{OTHERS}: {told}", str(folder), hint=hint))


def refuse_misshapen(model: Any, family: Family, folder: Path) -> None:
    """Raise an AdviseError where the headers of the files say other shapes than the config, before a weight is read.

    Args:
        model: of the config, on the meta device.
    """
    found = stored.shapes(folder, model)
    wanted = {name: tuple(one.shape) for name, one in model.state_dict().items()}
    wrong = [(name, found[name], shape) for name, shape in wanted.items() if found.get(name, shape) != shape]
    if wrong:
        missing = [name for name in stock.tensors_of(model).shapes if name not in found]
        info = {"missing_keys": missing, "mismatched_keys": wrong, "unexpected_keys": ()}
        refuse_unfitting(model, info, family, folder)


def refuse_untrained(model: Any, info: Mapping[str, Any], folder: Path | str) -> None:
    """Raise an AdviseError if transformers initialised the head at random, or anything else that decides the labels."""
    missing, shapes = _made_up(model, info)
    told = "; ".join([*_missing(missing, model), *_misshapen(list(shapes), shapes)])
    if told:
        raise AdviseError(Fault(f"it has not been trained for these labels: {told}", str(folder), hint=UNTRAINED))


def refuse_not_finite(model: Any, folder: Path | str) -> None:
    """Raise an AdviseError where weights are NaN or infinite: training would run to its end and fail only then."""
    names = [name for name, one in model.named_parameters() if not torch.isfinite(one).all()]
    if names:
        message = f"its weights are not finite numbers: {_listed('NaN or infinite', names)}"
        raise AdviseError(Fault(message, str(folder), hint=DAMAGED))


def refuse_unknown_tokens(tokenizer: Any, model: Any, folder: Path | str) -> None:
    """Raise an AdviseError where the tokenizer has tokens that the model has no row of embeddings for."""
    largest, known = max(tokenizer.get_vocab().values()), model.config.vocab_size
    if largest >= known:
        file = Path(folder) / "tokenizer.json"
        message = f"its tokens are numbered up to {largest}, but the model has 0 to {known - 1} only"
        message += f" (vocab_size {known} in config.json)"
        raise AdviseError(Fault(message, str(file if file.exists() else folder), hint=TOKENS))


def _refuse_deeper(model: Any, left_over: Iterable[str], family: Family, folder: Path | str) -> None:
    """Raise an AdviseError where a file has blocks behind the last one of the config: the model would lack them."""
    # It was loaded as its stock class, whatever code of its own its config names.
    config = {key: one for key, one in model.config.to_dict().items() if key != "auto_map"}
    structure, body = family.structure(config), f"{model.base_model_prefix}."
    names = [name.removeprefix(body) for name in left_over]
    counts = dict.fromkeys(structure.stacks, 0)
    for pattern in structure.rows:
        stacks, form = [stack for stack, _, _ in PLACE.findall(pattern)], _numbered(pattern.removeprefix(body))
        for found in filter(None, map(form.fullmatch, names)):
            for stack, number in zip(stacks, found.groups(), strict=True):
                counts[stack] = max(counts[stack], int(number) + 1)
    told = [f"they have {counts[name]} layers, config.json says {one.depth} ({one.key})"
            for name, one in structure.stacks.items() if counts[name] > one.depth]  # fmt: skip
    if told:
        raise AdviseError(Fault(f"{OTHERS}: {'; '.join(told)}", str(folder), hint=HINT))


def _numbered(pattern: str) -> re.Pattern[str]:
    """The names that a pattern stands for, with any numbers of blocks."""
    return re.compile(re.escape(PLACE.sub("@", pattern)).replace("@", r"(\d+)"))


def _made_up(model: Any, info: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Tensors that were not there, and by name the shapes of those that had another, both in the model's order."""
    shapes = {name: (was, wanted) for name, was, wanted in info["mismatched_keys"]}
    names = list(model.state_dict())
    missing = [name for name in names if name in info["missing_keys"]]
    return missing, {name: shapes[name] for name in names if name in shapes}


def _beside_head(names: Sequence[str], model: Any, family: Family) -> list[str]:
    """The tensors of the model proper, which its stock class keeps under a name of its own."""
    body = f"{model.base_model_prefix}."
    if hasattr(model, model.base_model_prefix):
        return [name for name in names if name.startswith(body)]
    rows = {name: row for name, row, _ in family.structure(model.config.to_dict()).tensors()}
    return [name for name in names if name not in rows or "labels" not in rows[name].axes]


def _missing(names: Sequence[str], model: Any) -> Iterator[str]:
    tensors = model.state_dict()
    if names:
        yield _listed("missing", [f"{name} ({_size(tensors[name].shape)})" for name in names])


def _misshapen(names: Sequence[str], shapes: Mapping[str, Any]) -> Iterator[str]:
    if names:
        pairs = ((name, *map(_size, shapes[name])) for name in names)
        yield _listed("of another shape", [f"{name} ({was}, not {wanted})" for name, was, wanted in pairs])


def _listed(what: str, names: Sequence[str]) -> str:
    rest = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{what} {'is' if len(names) == 1 else 'are'} {', '.join(names[:NAMED])}{rest}"


def _size(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"
