"""Origins: where every size and depth of a family comes from: a key, its default, or an arithmetic of others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.infer import Inferred
from advisor.compute.structure.inference.sizes import FOLLOWERS, flat
from advisor.compute.structure.inference.small import REFUSED, UNSAID, with_heads
from advisor.families.described.axes import value as arithmetic
from advisor.families.described.structure import Row

OTHERWISE = ("{heads}", "{hidden}//{heads}", "4*{hidden}")
FIXED = re.compile(r"[1-9]\d*\*hidden")


def stacks(base: Inferred, config: Any) -> dict[str, Any]:
    given, unsaid = flat(config.to_dict()), _unsaid(type(config))
    found: dict[str, dict[str, Any]] = {}
    for name, stack in base.structure.stacks.items():
        found[name] = {"key": stack.key, "usual": given[stack.key]}
        if unsaid.get(stack.key, 0) is None:
            found[name] = {"key": stack.key, "otherwise": next(iter(found))}
    shared = [name for name, stack in base.structure.stacks.items() if stack.shared]
    return {"stacks": found, **({"shared": shared} if shared else {})}


def _unsaid(config_class: Any) -> dict[str, Any]:
    """The defaults of a config's class as they are written, before it works out what they mean."""
    fields = getattr(config_class, "__dataclass_fields__", {})
    return {name: one.default for name, one in fields.items()}


def origins(sizes: Mapping[str, dict[str, Any]], base: Inferred, config: Any) -> dict[str, dict[str, Any]]:
    """Where every size comes from, in an order in which each needs only those before it."""
    given, unsaid = flat(config.to_dict()), _unsaid(type(config))
    found: dict[str, dict[str, Any]] = {}
    late: dict[str, dict[str, Any]] = {}
    for name, size in sizes.items():
        key = size["key"]
        otherwise = _otherwise(name, base, key)
        leader = FOLLOWERS.get(key.rpartition(".")[2])
        usual = given.get(key) if unsaid.get(key, given.get(key)) is not None else None
        if leader and usual is None:
            otherwise = {"otherwise": leader}
        entry = {"key": key, **({"usual": usual} if usual is not None else {}), **otherwise}
        (late if otherwise else found)[name] = entry
    for heads in [name for name in sizes if name.rpartition("_")[2] == "heads"]:
        head = heads.removesuffix("heads") + "head"
        if head not in late and head not in found:
            late[head] = {"otherwise": f"{_hidden_of(heads, sizes)}//{heads}"}
    return found | late


def fixed_neurons(sizes: Mapping[str, Any], rows: Iterable[tuple[str, Row]]) -> dict[str, dict[str, Any]]:
    """The width of feed-forward parts where no key says it, as BLOOM's: a fixed multiple of the hidden size.

    rows: of all tensors, by name. Nothing where blocks have several multiples, or none.
    """
    axes = {axis for name, row in rows if "{" in name for axis in row.axes}
    found = [axis for axis in axes if FIXED.fullmatch(axis)]
    return {"ffn": {"otherwise": found[0]}} if len(found) == 1 and "ffn" not in sizes else {}


def _hidden_of(heads: str, sizes: Mapping[str, Any]) -> str:
    own = heads.removesuffix("heads") + "hidden"
    return own if own in sizes else "hidden"


def _otherwise(name: str, base: Inferred, key: str) -> dict[str, str]:
    """What a size is where the config does not say it."""
    if name.rpartition("_")[2] not in ("kv", "head", "ffn"):
        return {}
    names = {"heads": "heads", "hidden": "hidden"}
    for text in (one.format(**names) for one in OTHERWISE):
        if all(_is(base, name, key, text, setting) for setting in (0, 1)):
            return {"otherwise": text}
    return {}


def _is(base: Inferred, name: str, key: str, text: str, setting: int) -> bool:
    """Whether a size that the config leaves out is this arithmetic of the others, in a small model."""
    sizes = base.small.values(setting)
    if "heads" not in sizes and "heads" in text:  # FNet has none
        return False
    # Other heads than those said, of a size that a rotation can turn.
    wide = 2 * sizes["heads"] * sizes["head"] if "heads" in sizes else 2 * sizes["hidden"]
    said = {one: size for one, size in sizes.items() if base.small.free or not one.endswith("head")}
    said = with_heads({**said, "hidden": wide})
    said |= {name: arithmetic(text, said)}
    try:
        silence = {key: None if key in base.small.given else UNSAID}
        config = base.small.config(setting, **dict.fromkeys(base.small.keys("hidden"), wide), **silence)
        unsaid = stock.built(base.class_, config)
    except REFUSED:
        return False
    return unsaid.shapes == base.at(setting).resized({}, **said).shapes()
