"""Nonsense: everything that is wrong with the numbers in a config, told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from advisor.base.errors import AdviseError, Fault

LARGEST = 9_999_999  # above this no size of any published model: a config that says so is broken
MOST_LABELS = 100_000  # ImageNet-21k has 21,841; transformers makes a name for each before it reads a weight
DROPOUTS = (
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "dropout", "attention_dropout"),
    *("activation_dropout", "layerdrop", "embd_pdrop", "resid_pdrop", "attn_pdrop", "dropout_rate"),
)
EPSILONS = "layer_norm_eps", "layer_norm_epsilon"


class Described(Protocol):
    """What a family says of its configs, as far as it can be checked: see `Family`, which is one."""

    @property
    def model_type(self) -> str: ...

    @property
    def executable(self) -> bool: ...

    @property
    def stacks(self) -> Sequence[Any]: ...

    @property
    def hidden_size(self) -> str: ...

    @property
    def heads(self) -> str: ...

    @property
    def vocabulary(self) -> str: ...

    @property
    def intermediate_size(self) -> str: ...

    @property
    def head_size(self) -> str: ...

    @property
    def usual_head_size(self) -> int | None: ...

    @property
    def grouped(self) -> str: ...

    @property
    def further(self) -> Mapping[str, int]: ...

    @property
    def activation(self) -> str: ...


def refuse_nonsense(family: Described, config: Mapping[str, Any], file: str) -> None:
    """Raise an AdviseError for sizes that are missing, and for numbers and names that make no sense."""
    found = [*_faults(family, config), *_others(family, config)] or list(_uneven(family, config))
    if found:
        raise AdviseError(*(Fault(text, file) for text in found))


def _faults(family: Described, config: Mapping[str, Any]) -> Iterator[str]:
    first, *others = (stack.key for stack in family.stacks)
    needed = [first, family.hidden_size, family.heads, family.vocabulary]
    needed += [family.head_size] if family.usual_head_size is None else []
    optional = [family.intermediate_size, *others, family.head_size, family.grouped]
    for key, least in {**{key: 1 for key in [*needed, *optional] if key}, **family.further}.items():
        if config.get(key) is None and key in needed:
            yield f"{key} is missing: a {family.model_type} config needs it"
        yield from _outside(config, key, least, LARGEST)
    yield from _outside(config, "num_labels", 1, MOST_LABELS)


def _outside(config: Mapping[str, Any], key: str, least: int, most: int) -> Iterator[str]:
    value = config.get(key)
    if value is not None and (type(value) is not int or not least <= value <= most):
        yield f"{key}: expected a whole number from {least:,} to {most:,}, got {value!r}"


def _others(family: Described, config: Mapping[str, Any]) -> Iterator[str]:
    """What is no size, but would stop the model when it is made or computes."""
    for key in DROPOUTS:
        if config.get(key) is not None and not (_is_number(config[key]) and 0 <= config[key] <= 1):
            yield f"{key}: expected a number from 0 to 1, got {config[key]!r}"
    for key in EPSILONS:
        if config.get(key) is not None and not (_is_number(config[key]) and 0 < config[key] < 1):
            yield f"{key}: expected a small number above 0, got {config[key]!r}"
    if not isinstance(config.get(family.activation) or "", str):
        yield f"{family.activation}: expected the name of an activation, got {config[family.activation]!r}"
    start, known = config.get("decoder_start_token_id"), config.get(family.vocabulary)
    if family.executable and start is not None and type(known) is int and start not in range(known):
        yield f"decoder_start_token_id: expected a token from 0 to {known - 1}, got {start!r}"


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _uneven(family: Described, config: Mapping[str, Any]) -> Iterator[str]:
    """Sizes that cannot be divided as they must."""
    pairs = [(family.heads, family.grouped)]
    if not (family.head_size and config.get(family.head_size)) and not family.usual_head_size:
        pairs.append((family.hidden_size, family.heads))
    for size, parts in pairs:
        if parts and config.get(parts) and config[size] % config[parts]:
            yield f"{size} {config[size]} cannot be divided by {parts} {config[parts]}"
