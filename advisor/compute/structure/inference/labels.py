"""Labels: what an axis follows, read from its lengths under three settings of the sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from advisor.families.described.axes import length

Settings = Sequence[Mapping[str, int]]
Lengths = tuple[int, ...]
TWO = 2

# Fused axes: the first grouping is the more usual one; the proof decides.
FUSED: Mapping[str, tuple[str, ...]] = {
    "3*heads*head": ("{heads}:{head} | {heads}:{head} | {heads}:{head}", "{heads}:3*{head}"),
    "2*heads*head": ("{heads}:{head} | {heads}:{head}", "{heads}:2*{head}"),
    "heads+2*kv": ("{heads}:{head} | kv:{head} | kv:{head}", "kv:({heads}//kv + 2)*{head}"),
    "heads+2": ("{heads}:{head} | 2*{head}",),  # one key and one value for all heads
    "2*kv*head": ("kv:{head} | kv:{head}", "kv:2*{head}"),
}
HALVES = ("{ffn} | {ffn}", "{ffn}:2")


class Unlabelled(Exception):
    """An axis whose length follows none of the sizes, or several."""


def label(lengths: Lengths, settings: Settings, heads: str, in_attention: bool) -> tuple[str, ...]:
    """What an axis of these lengths follows: its groupings, the usual one first.

    heads: the name of the heads of this part of the model. in_attention: the axis holds heads, if its length allows.

    Raises:
        Unlabelled: nothing that is known has these lengths, or several sizes do.
    """
    of_heads = _first(_of_heads(heads, settings[0]), lengths, settings)
    others = _others(settings[0])
    plain = [one for one in others if _lengths(one[0], settings) == lengths]
    if of_heads and (in_attention or not plain):
        return of_heads
    if len(plain) > 1:
        raise Unlabelled(f"{' or '.join(one[0] for one in plain)}")
    if plain:
        return plain[0]
    if len(set(lengths)) == 1:
        return (str(lengths[0]),)
    raise Unlabelled(f"its length is {', '.join(map(str, lengths))} for three settings of the sizes")


def _first(candidates: Iterator[tuple[str, ...]], lengths: Lengths, settings: Settings) -> tuple[str, ...] | None:
    return next((one for one in candidates if _lengths(one[0], settings) == lengths), None)


def _lengths(axis: str, settings: Settings) -> Lengths:
    return tuple(length(axis, sizes) for sizes in settings)


def _of_heads(heads: str, sizes: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    if heads not in sizes:
        return
    names = {"heads": heads, "head": heads.removesuffix("heads") + "head"}
    yield (f"{heads}:{names['head']}",)
    if "kv" in sizes:
        yield (f"kv:{names['head']}",)
    yield from (
        tuple(one.format(**names) for one in groupings)
        for fused, groupings in FUSED.items()
        if "kv" in sizes or "kv" not in fused
    )
    yield (f"{heads}",)


def _others(sizes: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Axes that hold no heads; a size that only follows others, as a head's, is a candidate too."""
    found: list[tuple[str, ...]] = [(name,) for name in sizes if name.rpartition("_")[2] not in ("heads", "kv")]
    found += [tuple(one.format(ffn=name) for one in HALVES) for name in sizes if name.rpartition("_")[2] == "ffn"]
    for name in sizes:
        if name.rpartition("_")[2] in ("positions",) or name.startswith(("max_", "position_", "vision_config.")):
            found += [(f"{name} + 1",), (f"{name} + {TWO}",)]
        if "position" in name:
            found += [(f"2*{name}",), (f"2*{name} - 1",)]
    hidden = [name for name in sizes if name.rpartition("_")[2] == "hidden"]
    found += [(f"{times}*{name}",) for name in hidden for times in (2, 3, 4)]
    found += [(f"{name}*{one}",) for one in hidden for name in sizes if name.endswith("_ratio")]
    found += [(f"{one}//{name}",) for one in hidden for name in sizes if name.endswith("_groups")]
    if "image" in sizes and "patch" in sizes:
        found += [(f"(image//patch)**2 + {more}" if more else "(image//patch)**2",) for more in (0, 1, TWO)]
    return found
