"""Flags: the keys of a config on which the tensors of a class depend, beside its sizes, found by trying values."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from transformers import PreTrainedConfig
from transformers.activations import ACT2FN

from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.sizes import FOLLOWERS, SMALL, flat, is_depth, nested, role_of
from advisor.compute.structure.inference.small import REFUSED, SmallConfigs
from advisor.families.described.description import ABSENT, OWN, SAME, kind

# Words whose alternatives no config lists. All others are tried with a word that no class knows.
WORDS: Mapping[str, Sequence[Any]] = {
    "feed_forward_proj": (
        "relu",
        "gelu",
        "gelu_new",
        "silu",
        "gated-relu",
        "gated-gelu",
        "gated-gelu_new",
        "gated-silu",
    ),
    "pos_att_type": (None, ["c2p"], ["p2c"], ["c2p", "p2c"]),
    "norm_rel_ebd": ("none", "layer_norm"),
}
STRANGE = "another"
NUMBERS = ("_size", "_groups", "_buckets", "_length", "_dim")  # how the names of numbers end
EXTRA = 5  # a small number for a key that no default says
# Of every config: without effect on tensors, or fixed by the class.
GENERAL = frozenset(
    (
        *("output_hidden_states", "output_attentions", "return_dict", "use_cache", "chunk_size_feed_forward"),
        *("model_type", "problem_type", "is_encoder_decoder", "is_decoder", "_name_or_path", "name_or_path"),
        *("gradient_checkpointing", "base_config_key", "id2label", "label2id", "num_labels", "architectures"),
        *("dtype", "torch_dtype", "transformers_version", "decoder", "encoder", "generator", "text_config"),
        *("layer_types", "mtp_layer_types", "quantization_config", "rope_parameters", "rope_scaling"),
        *("per_layer_config",),
    )
)
Point = Mapping[str, str]


class Flags:
    """The configs of one class by the kinds of its flags' values.

    published: a config with flags that published checkpoints have. values: what to write for each kind, by key; the
    kind by default first.
    """

    def __init__(self, published: Any, class_: Any, free: bool, counts: Iterable[str] = ()) -> None:
        config = type(published)()
        self.class_ = class_
        self.counts = frozenset(counts)
        self.free = free
        self.config_class = type(config)
        # Only what is said, and not what the class makes of it (T5's `is_gated_act`), which would win.
        said = {key: one for key, one in flat(config.to_dict()).items() if _is_said(key, self.config_class)}
        self.defaults = {key: one for key, one in said.items() if key not in GENERAL}
        self.values = dict(self._candidates(config, published))
        self.usual = {key: next(iter(kinds)) for key, kinds in self.values.items()}

    def config(self, point: Point) -> Any:
        """A config of the full default sizes.

        Raises:
            any error: the class takes no such values.
        """
        values = dict(self.defaults)
        for key, one in {**self.usual, **point}.items():
            written = self.values[key][one]
            if isinstance(written, str) and written == ABSENT:
                values.pop(key, None)
            else:
                values[key] = self._leader(key) if isinstance(written, str) and written == SAME else written
        return self.config_class(**nested(values))

    def tensors(self, point: Point) -> tuple[stock.Tensors, dict[str, int]] | None:
        """The tensors of a small model and its sizes, None where none can be built."""
        try:
            small = SmallConfigs(self.config(point), self.free, self.class_)
            numbers = {key.replace(".", "_"): one for key, one in small.given.items() if isinstance(one, int)}
            return stock.built(self.class_, small.config()), {**numbers, **small.values(0)}
        except REFUSED:
            return None

    def _candidates(self, config: Any, published: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        with stock.reading() as read:
            for one in (config, published):  # some names are read only where others say so
                stock.built(self.class_, SmallConfigs(one, self.free, self.class_).config())
        unset = sorted(name for name in read if self._is_unset(name, config))
        for key, value in {**self.defaults, **dict.fromkeys(unset, ABSENT)}.items():
            word = key.rpartition(".")[2]
            if word in FOLLOWERS:
                own = value not in (ABSENT, None, self._leader(key))
                kinds = {OWN: value, SAME: SAME} if own else {SAME: SAME, OWN: SMALL["own"][0]}
                yield key, kinds
            elif (
                not role_of(key)
                and not is_depth(key)
                and key not in self.counts
                and not word.endswith(("_token_id", "_tokens", "_idx", "layers"))
            ):
                found = _kinds(word, value)
                if len(found) > 1:
                    yield key, found

    def _is_unset(self, name: str, config: Any) -> bool:
        private = name.startswith("_") or name in self.defaults or name in GENERAL or name == "head_dim"
        return not private and not hasattr(PreTrainedConfig, name) and not hasattr(config, name)

    def _leader(self, key: str) -> Any:
        """The value of the size that a width may be the same as."""
        return self.defaults[self.leader_key(key)]

    def leader_key(self, key: str) -> str:
        role = FOLLOWERS[key.rpartition(".")[2]]
        return next(one for one in self.defaults if role_of(one) == role)


def _is_said(key: str, config_class: Any) -> bool:
    fields = getattr(config_class, "__dataclass_fields__", {})
    return "." in key or key in fields or key in FOLLOWERS or key == "num_labels"


def _kinds(word: str, value: Any) -> dict[str, Any]:
    """Values to try for a key, by kind, the usual one first."""
    absent = isinstance(value, str) and value == ABSENT
    found = {ABSENT: ABSENT} if absent else {kind(value): value}
    more: Sequence[Any] = ()
    if word in WORDS:
        more = WORDS[word]
    elif absent:
        more = (0, -1, EXTRA) if word.endswith(NUMBERS) else (True, False)
    elif isinstance(value, bool):
        more = (not value,)
    elif isinstance(value, int):
        more = (0, -1, EXTRA)
    elif isinstance(value, str):
        more = ("relu" if value in ACT2FN else STRANGE,)
    for one in more:
        found.setdefault(kind(one), one)
    return found


def plain_activations() -> list[str]:
    """The activations of transformers that have no weights of their own."""
    found = []
    for name in sorted(ACT2FN):
        try:
            module = ACT2FN[name]
        except REFUSED:  # one that needs a library
            continue
        if not list(module.parameters()):
            found.append(name)
    return found


def points(values: Mapping[str, Iterable[str]], usual: Point, count: int, seed: int = 0) -> Iterator[dict[str, str]]:
    """Combinations of flags: the usual one, each other value alone, and random ones."""
    yield dict(usual)
    for key, kinds in values.items():
        yield from ({**usual, key: one} for one in kinds if one != usual[key])
    chance = random.Random(seed)
    for _ in range(count):
        yield {key: chance.choice(list(kinds)) for key, kinds in values.items()}
