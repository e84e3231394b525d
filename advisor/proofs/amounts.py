"""Amounts of data: whole numbers of which one may be the sum of two others, and of which one may be more than another.

Formulas say which cells an amount lies in; whether whole numbers in such cells have the sum that they need, and grow
where they have to, is computed here with intervals.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from advisor.policy.conditions import Test
from advisor.proofs.points import domain, ends

SAMPLES, UNLABELLED, TEXTS, REPORTED = (
    "data.samples",
    "data.unlabelled_samples",
    "data.distillation_texts",
    "data.eval_samples",
)
AMOUNTS = (SAMPLES, UNLABELLED, TEXTS, REPORTED)


class Run(NamedTuple):
    """Whole numbers from low to high."""

    low: float
    high: float

    def meets(self, low: float, high: float) -> bool:
        return max(self.low, low) <= min(self.high, high)


class Triple(NamedTuple):
    """Where examples, unlabelled texts and their sum lie."""

    samples: Run
    unlabelled: Run
    texts: Run


def runs_of(name: str, tests: Sequence[Test]) -> list[Run]:
    """The cells that tests make of an amount, each a run of whole numbers, in order."""
    low = math.ceil(domain(name).low)
    starts = {low}
    for test in tests:
        starts |= (
            {by for end in ends(test) for by in (math.ceil(end), math.floor(end) + 1)} if test.name == name else set()
        )
    inside = sorted(start for start in starts if start >= low)
    return [Run(start, after - 1) for start, after in zip(inside, [*inside[1:], math.inf], strict=True)]


class Amounts:
    """The amounts that rules ask for. runs: the cells of each; where one may be unknown, one more cell is last."""

    def __init__(self, runs: Mapping[str, Sequence[Run]]) -> None:
        self.runs = runs

    def possible(self, cells: Mapping[str, int], suffixes: Sequence[str]) -> bool:
        """Are there whole numbers in these cells? suffixes: one for one set of data; two for less and for more."""
        return self.numbers(cells, suffixes) is not None

    def numbers(self, cells: Mapping[str, int], suffixes: Sequence[str]) -> list[dict[str, int | None]] | None:
        """One solution for each suffix, or None where there is none."""
        found: list[dict[str, int | None]] = [{} for _ in suffixes]
        for names in ((REPORTED,), (SAMPLES, UNLABELLED, TEXTS)):
            if not any(name in self.runs for name in names):
                continue
            solved = self._reported(cells, suffixes) if len(names) == 1 else self._triples(cells, suffixes)
            if solved is None:
                return None
            found = [{**one, **more} for one, more in zip(found, solved, strict=True)]
        return found

    def _options(self, name: str, cells: Mapping[str, int], suffix: str) -> list[Run | None]:
        """The longest runs that some cells make, and None where the amount may be unknown."""
        runs = self.runs.get(name)
        if runs is None:
            return [Run(domain(name).low, math.inf)]
        mask = cells.get(name + suffix, (1 << (len(runs) + 1)) - 1)
        found: list[Run | None] = []
        for place, run in enumerate(runs):
            if mask >> place & 1:
                last = found[-1] if found else None
                joins = last is not None and last.high == run.low - 1
                found[-1:] = [Run(last.low, run.high)] if joins and last else [*found[-1:], run]
        unknown = domain(name).unknown and mask >> len(runs) & 1
        return [*found, *([None] if unknown else [])]

    def _reported(self, cells: Mapping[str, int], suffixes: Sequence[str]) -> list[dict[str, int | None]] | None:
        for chosen in product(*(self._options(REPORTED, cells, suffix) for suffix in suffixes)):
            known = [run for run in chosen if run is not None]
            if not known:
                return [{REPORTED: None} for _ in chosen]
            if len(known) == len(chosen) and known[0].low <= known[-1].high:
                return [{REPORTED: int(max(known[0].low, run.low))} for run in known]
        return None

    def _triples(self, cells: Mapping[str, int], suffixes: Sequence[str]) -> list[dict[str, int | None]] | None:
        for chosen in product(*(self._known(cells, suffix) for suffix in suffixes)):
            solved = _least(chosen[0]) if len(chosen) == 1 else grown(*chosen)
            if solved is not None:
                return [dict(zip((SAMPLES, UNLABELLED, TEXTS), (s, u, s + u), strict=True)) for s, u in solved]
        return self._unknown(cells, suffixes)

    def _known(self, cells: Mapping[str, int], suffix: str) -> Iterator[Triple]:
        options = (self._options(name, cells, suffix) for name in (SAMPLES, UNLABELLED, TEXTS))
        yield from (Triple(*runs) for runs in product(*([run for run in each if run] for each in options)))

    def _unknown(self, cells: Mapping[str, int], suffixes: Sequence[str]) -> list[dict[str, int | None]] | None:
        """Nobody knows the examples, nor their sum with the unlabelled texts."""
        found: list[dict[str, int | None]] = []
        least = 0
        for suffix in suffixes:
            if any(None not in self._options(name, cells, suffix) for name in (SAMPLES, TEXTS) if name in self.runs):
                return None
            runs = [run for run in self._options(UNLABELLED, cells, suffix) if run and run.high >= least]
            if not runs:
                return None
            least = int(max(least, runs[0].low))
            found.append({SAMPLES: None, UNLABELLED: least, TEXTS: None})
        return found


def _least(where: Triple) -> list[tuple[int, int]] | None:
    return grown(where, where)[:1] if grown(where, where) else None  # type: ignore[index]


def grown(less: Triple, more: Triple) -> list[tuple[int, int]] | None:
    """Two pairs of examples and unlabelled texts, the second at least as large in both; None where there are none.

    The first pair is raised until its sum is large enough, first by what the second has to have anyway.
    """
    (s1, high_s), (u1, high_u), (sum1, most1) = less
    (s2, most_s), (u2, most_u), (sum2, most2) = more
    cap_s, cap_u = min(high_s, most_s), min(high_u, most_u)
    s, u = s1, u1
    if cap_s < s or cap_u < u:
        return None
    for bound_s, bound_u in ((min(s2, cap_s), min(u2, cap_u)), (cap_s, cap_u)):
        s += max(0, min(bound_s - s, sum1 - s - u))
        u += max(0, min(bound_u - u, sum1 - s - u))
    if not sum1 <= s + u <= most1:
        return None
    more_s, more_u = max(s2, s), max(u2, u)
    if more_s + more_u > most2:
        return None
    more_s += max(0, min(most_s - more_s, sum2 - more_s - more_u))
    more_u += max(0, min(most_u - more_u, sum2 - more_s - more_u))
    if more_s + more_u < sum2:
        return None
    return [(int(s), int(u)), (int(more_s), int(more_u))]
