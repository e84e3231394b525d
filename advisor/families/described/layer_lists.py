"""Lists by layer: what a config says of its blocks one by one, which has to be cut together with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from advisor.base.errors import AdviseError

# Cut by the number of the block. A dict is by number too (`per_layer_config`), and is numbered anew.
KNOWN = ("layer_types", "no_rope_layers", "mlp_layer_types", "attention_layers", "attention_window", "per_layer_config")
PATTERNS = ("attention_types",)  # GPT-Neo's short form of `attention_layers`: [[kinds, times], ...]
COUNTS = ("max_window_layers",)  # numbers that mean "all layers below", vLLM demands that it is the depth
# Lists that may be as long as the depth by chance and say nothing of layers.
OTHER_LISTS = ("suppress_tokens", "begin_suppress_tokens", "eos_token_id", "architectures", "pos_att_type", "dtype")


def by_layer(config: Mapping[str, Any], depth: int) -> list[str]:
    """The keys of a config that say something of each layer.

    Raises:
        AdviseError: there is a list as long as the depth that nobody knows.
    """
    found = [key for key in KNOWN if _speaks_of_layers(config.get(key), depth)]
    unknown = [key for key, value in config.items() if _unknown(key, value, depth)]
    if unknown:
        raise AdviseError(
            f"{', '.join(unknown)}: a list of {depth} entries, as many as there are layers, that advise cannot cut",
            hint="its layers cannot be removed; report the model type",
        )
    return found


def _speaks_of_layers(value: Any, depth: int) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list | tuple) and len(value) == depth)


def _unknown(key: str, value: Any, depth: int) -> bool:
    listed = isinstance(value, list | tuple) and len(value) == depth and depth > 2
    return listed and key.rpartition(".")[2] not in (*KNOWN, *PATTERNS, *OTHER_LISTS)


def cut(config: Mapping[str, Any], depth: int, kept: Sequence[int]) -> dict[str, Any]:
    """The keys of a config that change when only these of its layers stay, except the depth itself.

    Raises:
        AdviseError: a list that nobody knows, or one that is not as long as the depth.
    """
    found: dict[str, Any] = {}
    for key in by_layer(config, depth):
        entries = config[key]
        if isinstance(entries, Mapping):
            old = {int(number): entry for number, entry in entries.items()}
            found[key] = {new: old[number] for new, number in enumerate(kept) if number in old}
        else:
            found[key] = [entries[number] for number in kept]
    if config.get("attention_types"):
        kinds = _kinds(config["attention_types"])
        if len(kinds) != depth:
            raise AdviseError(f"attention_types has {len(kinds)} entries for {depth} layers")
        found["attention_layers"] = [kinds[number] for number in kept]
        found["attention_types"] = [[found["attention_layers"], 1]]
    short = [key for key in KNOWN if isinstance(config.get(key), list) and len(config[key]) != depth]
    if short:
        raise AdviseError(f"{short[0]} has {len(config[short[0]])} entries for {depth} layers")
    return found | {key: _below(config[key], kept) for key in COUNTS if isinstance(config.get(key), int)}


def _kinds(pattern: Any) -> list[str]:
    try:
        return [kind for kinds, times in pattern for _ in range(times) for kind in kinds]
    except (TypeError, ValueError):
        raise AdviseError(f"attention_types: expected kinds and how often each comes, got {pattern!r}") from None


def _below(count: int, kept: Sequence[int]) -> int:
    """All layers of the smaller model: what stays of it is said by `layer_types`."""
    return len(kept)


def chosen(lists: Sequence[Any], count: int) -> list[int]:
    """The numbers of so many layers, among them each kind that the lists know, in their order.

    Where there are fewer, the last one comes again.
    """
    longest = max((len(one) for one in lists if isinstance(one, list | tuple)), default=count)
    kinds = [repr([one[number] for one in lists if isinstance(one, list | tuple)]) for number in range(longest)]
    first = sorted(kinds.index(kind) for kind in dict.fromkeys(kinds))[:count]
    more = [number for number in range(longest) if number not in first]
    found = sorted([*first, *more[: count - len(first)]])
    return found + found[-1:] * (count - len(found))
