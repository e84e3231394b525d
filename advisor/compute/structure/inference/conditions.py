"""Conditions: under which flags of a config a tensor is there, learned by building models and looking.

A condition allows some values of each flag; a tensor has one or several. They are learned from points where the tensor
was seen, by changing one flag at a time, and then tested on others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
Point = Mapping[str, str]  # the kind of value of each flag
Condition = dict[str, tuple[str, ...]]
Look = Callable[[Point], frozenset[T] | None]  # what is there at a point, None where no model can be built
MOST = 12  # conditions of one tensor; more means that flags are not what its presence depends on


def learn(look: Look[T], flags: Mapping[str, Sequence[str]], points: Iterable[Point]) -> dict[T, list[Condition]]:
    """The conditions of everything that is there at any of the points.

    Raises:
        ValueError: something is not explained by so few conditions.
    """
    found: dict[T, list[Condition]] = {}
    for point in points:
        here = look(point)
        if here is None:
            continue
        for thing in here:
            if not _explained(found.get(thing, []), point):
                found.setdefault(thing, []).append(_around(look, flags, point, thing))
        for thing in found.keys() - here:
            if _explained(found[thing], point):
                # Flags act together there: what was learned with others at another point is divided.
                found[thing] = _divided(found[thing], point, look, flags, thing)
    crowded = [thing for thing, conditions in found.items() if len(conditions) > MOST]
    if crowded:
        raise ValueError(f"{crowded[0]} depends on its flags in more than {MOST} ways")
    return {thing: _plain(conditions, flags) for thing, conditions in found.items()}


def _explained(conditions: Sequence[Condition], point: Point) -> bool:
    return any(all(point[flag] in kept for flag, kept in one.items()) for one in conditions)


def _around(look: Look[T], flags: Mapping[str, Sequence[str]], point: Point, thing: T) -> Condition:
    """The values of each flag under which the thing stays, all others being as they are."""
    found: Condition = {}
    for flag, values in flags.items():
        kept = []
        for value in values:
            there = look({**point, flag: value})
            # Where no model can be built nothing contradicts: no config will ask.
            if value == point[flag] or there is None or thing in there:
                kept.append(value)
        found[flag] = tuple(kept)
    return found


def _divided(
    conditions: list[Condition], point: Point, look: Look[T], flags: Mapping[str, Sequence[str]], thing: T
) -> list[Condition]:
    """The conditions without a point at which the thing is not there."""
    found: list[Condition] = []
    for one in conditions:
        if not _explained([one], point):
            found.append(one)
            continue
        for flag, kept in one.items():
            others = tuple(value for value in kept if value != point[flag])
            if others and len(kept) > 1:
                found.append({**one, flag: others})
    return [one for one in found if not any(_within(one, other) for other in found if other is not one)]


def _within(one: Condition, other: Condition) -> bool:
    return all(set(one[flag]) <= set(other[flag]) for flag in one)


def _plain(conditions: Sequence[Condition], flags: Mapping[str, Sequence[str]]) -> list[Condition]:
    """The conditions without flags that do not matter; empty: always there."""
    found: list[Condition] = []
    for one in conditions:
        short = {flag: kept for flag, kept in one.items() if set(kept) != set(flags[flag])}
        if not short:
            return []
        if short not in found:
            found.append(short)
    return found
