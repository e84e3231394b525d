"""Small models of a config: the same class and flags, with sizes that tell the axes apart."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from advisor.compute.structure.inference import sizes as names
from advisor.compute.structure.inference.sizes import BACKBONE, DEPTH, FOLLOWERS, SMALL, Size, flat, nested
from advisor.families.described.layer_lists import COUNTS, by_layer, chosen

UNUSED = (
    *("id2label", "label2id", "num_labels", "transformers_version", "_name_or_path", "architectures", "dtype"),
    *BACKBONE,
)
UNSAID = object()
WINDOWS = ("sliding_window", "window_size")
OF_HEAD = ("d_head", "rotary_dim")  # of XLNet: the head's size; of GPT-J: how much of a head is turned
SETTINGS = (0, 1, 2)
REFUSED = Exception  # a class of transformers may refuse a config, or fail on one, with any error


class SmallConfigs:
    """Configs of one class with the flags of a given one and small sizes.

    given: the flattened config. free: the config has a head size that is free of hidden size / heads. model_class: of
    the models that are built from them.
    """

    def __init__(self, config: Any, free: bool, model_class: Any = None) -> None:
        self.class_ = type(config)
        # A model that marks both ends of an answer takes two labels and no other number.
        ends = "QuestionAnswering" in getattr(model_class, "__name__", "")
        self.labels = (2, 2, 2) if ends else SMALL["labels"]
        self.given = {key: value for key, value in flat(config.to_dict()).items() if key not in UNUSED}
        self.free = free
        self.sizes = _sizes(self.given, free)
        self.depths = {key: depth for key, depth in self.given.items() if names.is_depth(key) and depth}
        self.others: dict[str, tuple[int, int, int]] = {}

    def around(self, values: Mapping[str, Any]) -> SmallConfigs:
        """The same for another config of the same class and flags."""
        found = copy.copy(self)
        found.given = {key: value for key, value in flat(values).items() if key not in UNUSED}
        return found

    def keys(self, name: str) -> list[str]:
        """The keys of the config that hold a size, its own first, then those that follow it."""
        own = [size.key for size in self.sizes if size.name == name]
        own += [key for key in self.others if key.replace(".", "_") == name]
        return own + [size.key for size in self.sizes if size.follows == name]

    def values(self, setting: int) -> dict[str, int]:
        """The small sizes of a setting by name, with `labels` and what follows from the others."""
        found = {size.name: self._small(size, setting) for size in self.sizes if not size.follows}
        found |= {key.replace(".", "_"): values[setting] for key, values in self.others.items()}
        return with_heads({**found, "labels": self.labels[setting]})

    def _small(self, size: Size, setting: int) -> int:
        return size.small(setting, self._hidden(size.name))

    def _hidden(self, name: str) -> tuple[int, int, int]:
        if self.free:
            return SMALL["hidden"]
        heads = SMALL["vision_heads"] if name.startswith("vision") else SMALL["heads"]
        return tuple(count * size for count, size in zip(heads, SMALL["head"], strict=True))  # type: ignore[return-value]

    def config(self, setting: int = 0, **changes: Any) -> Any:
        """The config of a setting. changes: other values for some (flattened) keys, UNSAID for none; `num_labels` too.

        Raises:
            any of REFUSED: its class takes no such values.
        """
        values = self.values(setting)
        keys = {size.key: self._small(size, setting) for size in self.sizes}
        keys |= {key: values[key.replace(".", "_")] for key in self.others}
        said = {**self._shrunk(values), **keys, "num_labels": values["labels"], **changes}
        return self.made({key: value for key, value in said.items() if value is not UNSAID})

    def made(self, flattened: Mapping[str, Any]) -> Any:
        """A config of the class from flattened values."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.class_(**nested(flattened))

    def _shrunk(self, values: Mapping[str, int]) -> dict[str, Any]:
        found = dict(self.given)
        for key, depth in self.depths.items():
            kept = chosen([found[one] for one in by_layer(found, depth)], DEPTH)
            found |= {one: _entries(one, found[one], kept) for one in by_layer(found, depth)}
            found[key] = DEPTH
        if found.get("attention_types"):
            found["attention_types"] = [[found.pop("attention_layers"), 1]]
        found |= {key: DEPTH for key in COUNTS if found.get(key)}
        if found.get("is_encoder_decoder") and found.get("decoder_start_token_id") is None:
            found["decoder_start_token_id"] = 0
        found |= {key: min(found[key], 6) for key in WINDOWS if found.get(key)}
        return {key: _small(key, value, values) for key, value in found.items()}


def with_heads(sizes: Mapping[str, int]) -> dict[str, int]:
    """Sizes with the head size of every kind of heads."""
    found = dict(sizes)
    for name in sizes:
        scope, _, role = name.rpartition("_")
        if role == "heads" and (head := f"{scope}_head" if scope else "head") not in found:
            hidden = found.get(f"{scope}_hidden") or found.get("hidden")
            found |= {head: hidden // found[name]} if hidden else {}
    return found


def _sizes(given: Mapping[str, Any], free: bool) -> tuple[Size, ...]:
    found = []
    for key, value in given.items():
        if names.role_of(key) and _is_size(value, key):
            found.append(Size(names.name_of(key, given), key))
        elif (plain := key.rpartition(".")[2]) in FOLLOWERS and value:
            leader = next((one for one in given if names.role_of(one) == FOLLOWERS[plain]), "")
            found.append(Size(key.replace(".", "_"), key, FOLLOWERS[plain] if value == given.get(leader) else ""))
    if free and not any(size.name == "head" for size in found):
        found.append(Size("head", "head_dim"))
    return tuple(size for size in found if free or size.name != "head")


def _is_size(value: Any, key: str) -> bool:
    # GPT-2 and GPT-Neo leave the feed-forward size to four times the hidden size.
    return isinstance(value, int) or (value is None and names.role_of(key) == "ffn")


def _entries(key: str, entries: Any, kept: Sequence[int]) -> Any:
    if isinstance(entries, Mapping):
        numbered = {int(number): entry for number, entry in entries.items()}
        return {new: numbered[old] for new, old in enumerate(kept) if old in numbered}
    return [entries[number] for number in kept]


def _small(key: str, value: Any, sizes: Mapping[str, int]) -> Any:
    """A value that fits a small vocabulary and a small head."""
    word = key.rpartition(".")[2]
    if word.endswith("_token_id"):
        return _token(word, value)
    if word in OF_HEAD and isinstance(value, int):
        return min(value, sizes.get("head", value))
    if names.role_of(key) == "head" and value and "head" in sizes:
        return sizes["head"]  # Helium has a key for it, and works only where it is hidden // heads
    if word.endswith("suppress_tokens"):
        return None
    if word in ("rope_parameters", "rope_scaling") and isinstance(value, Mapping):
        return {name: _rope(entry, sizes) for name, entry in value.items()}
    return value


def _token(word: str, value: Any) -> Any:
    usual = {"pad_token_id": 0, "bos_token_id": 1}.get(word, 2)
    if isinstance(value, list):
        return usual
    if value is None:
        return 0 if word == "pad_token_id" else None
    return value if value < 3 else usual


def _rope(entry: Any, sizes: Mapping[str, int]) -> Any:
    """Factors that are listed for half a head, as many as a small head has."""
    if isinstance(entry, list):
        half = sizes.get("head", 2) // 2
        return (entry * half)[:half]
    return {key: _rope(value, sizes) for key, value in entry.items()} if isinstance(entry, Mapping) else entry
