"""Config checks: everything that is wrong with the numbers in a config, reported at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.families.described.description import Description

LARGEST = 9_999_999  # above this no size of any published model: a config that says so is broken
MOST_LABELS = 100_000  # ImageNet-21k has 21,841; transformers makes a name for each before it reads a weight
DROPOUTS = (
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "dropout", "attention_dropout"),
    *("activation_dropout", "layerdrop", "embd_pdrop", "resid_pdrop", "attn_pdrop", "dropout_rate"),
)
EPSILONS = "layer_norm_eps", "layer_norm_epsilon"
ACTIVATIONS = ("hidden_act", "activation_function", "activation", "hidden_activation", "feed_forward_proj")
BUCKETS, DISTANCE = "relative_attention_num_buckets", "relative_attention_max_distance"
NEEDED = "hidden", "heads", "vocab"


def refuse_nonsense(described: Description, least: Mapping[str, int], config: Mapping[str, Any], file: str) -> None:
    """Raise an AdviseError for sizes that are missing, and for numbers and names that make no sense.

    least: the smallest value of a size that is not 1.
    """
    given = described.given(config)
    found = [*_parts(described, config), *_faults(described, least, given), *_others(described, given)]
    if found := found or list(_uneven(described, given)):
        raise AdviseError(*(Fault(text, file) for text in found))


def _parts(described: Description, config: Mapping[str, Any]) -> Iterator[str]:
    """Parts of a config that are none."""
    for part in sorted({key.partition(".")[0] for key in _keys(described) if "." in key}):
        if config.get(part) is not None and not isinstance(config[part], Mapping):
            yield f"{part}: expected a mapping, got {config[part]!r}"


def _keys(described: Description) -> list[str]:
    return [size.key for size in (*described.stacks.values(), *described.sizes.values()) if size.key]


def _faults(described: Description, least: Mapping[str, int], given: Mapping[str, Any]) -> Iterator[str]:
    stack, *_ = described.stacks.values()
    needed = [stack.key, *(described.sizes[name].key for name in NEEDED if name in described.sizes)]
    for key in dict.fromkeys([*needed, *_keys(described)]):
        if given.get(key) is None and key in needed and "." not in key:
            yield f"{key} is missing: a {described.model_type} config needs it"
        yield from _outside(given, key, least.get(key, _least(described, key)), LARGEST)
    yield from _outside(given, "num_labels", 1, MOST_LABELS)


def _least(described: Description, key: str) -> int:
    """The smallest value of a size: below 1 only where models without it were seen, that is, with 0 of it."""
    covered = described.flags[key].covered if key in described.flags else ()
    if "0" not in covered:
        return 1
    return -1 if "-" in covered else 0


def _outside(config: Mapping[str, Any], key: str, least: int, most: int) -> Iterator[str]:
    value = config.get(key)
    if value is not None and (type(value) is not int or not least <= value <= most):
        yield f"{key}: expected a whole number from {least:,} to {most:,}, got {value!r}"


def _others(described: Description, config: Mapping[str, Any]) -> Iterator[str]:
    """What is no size, but would stop the model when it is made or computes."""
    for key in DROPOUTS:
        if config.get(key) is not None and not (_is_number(config[key]) and 0 <= config[key] <= 1):
            yield f"{key}: expected a number from 0 to 1, got {config[key]!r}"
    for key in EPSILONS:
        if config.get(key) is not None and not (_is_number(config[key]) and 0 < config[key] < 1):
            yield f"{key}: expected a small number above 0, got {config[key]!r}"
    for key in ACTIVATIONS:
        if not isinstance(config.get(key) or "", str):
            yield f"{key}: expected the name of an activation, got {config[key]!r}"
    if not isinstance(config.get("id2label") or {}, Mapping):
        yield f"id2label: expected names by number, from 0, got {str(config['id2label'])[:60]}"
    if BUCKETS in described.sizes:
        yield from _distances(config.get(BUCKETS) or described.sizes[BUCKETS].usual, config.get(DISTANCE))
    vocabulary = described.sizes.get("vocab")
    start, known = config.get("decoder_start_token_id"), config.get(vocabulary.key) if vocabulary else None
    if start is not None and type(known) is int and start not in range(known):
        yield f"decoder_start_token_id: expected a token from 0 to {known - 1}, got {start!r}"


def _distances(buckets: Any, distance: Any) -> Iterator[str]:
    """Distances that leave nothing for half of T5's buckets, each of which spans a range of them."""
    least = buckets // 2 + 1 if type(buckets) is int else 1
    if distance is not None and (type(distance) is not int or distance < least):
        yield f"{DISTANCE}: expected a whole number from {least} on, got {distance!r}"


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _uneven(described: Description, given: Mapping[str, Any]) -> Iterator[str]:
    """Sizes that cannot be divided as they must."""
    pairs = [(name, of) for name, of in described.cuts["multiples"].items() if name == "heads"]
    for size in described.sizes.values():
        share = re.fullmatch(r"(\w+)//(\w+)", size.otherwise)
        if share and not (size.key and given.get(size.key)):
            pairs.append((share[1], share[2]))
    for name, of in pairs:
        whole, part = (described.sizes[one] for one in (name, of))
        value, divisor = (given.get(one.key, one.usual) for one in (whole, part))
        if value and divisor and value % divisor:
            yield f"{whole.key} {value} cannot be divided by {part.key} {divisor}"
