"""Linear: are there whole numbers that keep some bounds on sums and differences of them?

Each constraint is a sum of numbers, taken once each or with the sign turned, that is at most a bound. A number is
eliminated by adding every constraint that bounds it from above to every one that bounds it from below (Fourier and
Motzkin). Where one of the two has it once, that loses nothing among whole numbers either; where both have it more
often, there may be no whole numbers where there are fractions, and then it is said that this was not decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from advisor.base.errors import PolicyError

MOST_CONSTRAINTS = 20_000


class AtMost(NamedTuple):
    """The sum of some numbers, each times its factor, is at most `bound`."""

    factors: tuple[tuple[str, int], ...]
    bound: int


def at_most(factors: Mapping[str, int], bound: int) -> AtMost:
    """A constraint in its shortest form."""
    used = tuple(sorted((name, factor) for name, factor in factors.items() if factor))
    shared = math.gcd(*(factor for _, factor in used)) if used else 1
    return AtMost(tuple((name, factor // shared) for name, factor in used), bound // shared)


def solution(names: Sequence[str], constraints: Iterable[AtMost]) -> dict[str, int] | None:
    """Whole numbers that keep all constraints, or None where there are none.

    Raises:
        PolicyError: that could not be decided.
    """
    systems = [_strongest(constraints)]
    for name in names:
        after = _without(name, systems[-1])
        if len(after) > MOST_CONSTRAINTS:
            raise PolicyError(f"not decided: comparisons of amounts make more than {MOST_CONSTRAINTS:,} constraints")
        systems.append(after)
    if any(one.bound < 0 for one in systems[-1]):  # a sum of nothing is 0
        return None
    found = _built(list(names), systems[:-1])
    if found is None:
        raise PolicyError("not decided: comparisons of amounts hold for fractions, and perhaps for no whole numbers")
    return found


def _strongest(constraints: Iterable[AtMost]) -> list[AtMost]:
    """Of constraints on the same sum the strongest."""
    found: dict[tuple[tuple[str, int], ...], int] = {}
    for one in constraints:
        found[one.factors] = min(one.bound, found.get(one.factors, one.bound))
    return [AtMost(*one) for one in found.items()]


def _without(name: str, system: Sequence[AtMost]) -> list[AtMost]:
    """What is left to keep when one number may be anything."""
    found: list[AtMost] = []
    above: list[tuple[int, AtMost]] = []
    below: list[tuple[int, AtMost]] = []
    for one in system:
        factor = dict(one.factors).get(name, 0)
        found += [] if factor else [one]
        above += [(factor, one)] if factor > 0 else []
        below += [(-factor, one)] if factor < 0 else []
    for up, high in above:
        for down, low in below:
            joined = {other: down * factor for other, factor in high.factors}
            for other, factor in low.factors:
                joined[other] = joined.get(other, 0) + up * factor
            found.append(at_most(joined, down * high.bound + up * low.bound))
    return _strongest(found)


def _built(names: list[str], systems: Sequence[Sequence[AtMost]]) -> dict[str, int] | None:
    """A solution, the number eliminated last first, each as near to 0 as it can be; None where one has none."""
    found: dict[str, int] = {}
    for name, system in zip(reversed(names), reversed(systems), strict=True):
        low, high = -math.inf, math.inf
        for one in system:
            factors = dict(one.factors)
            factor = factors.pop(name, 0)
            rest = one.bound - sum(times * found[other] for other, times in factors.items() if factor)
            if factor > 0:
                high = min(high, rest // factor)
            elif factor < 0:
                low = max(low, -(rest // -factor))
        if low > high:
            return None
        found[name] = int(max(low, min(high, 0)))
    return found
