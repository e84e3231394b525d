"""Amounts of data: whole numbers of which one may be the sum of two others, and of which one may be more than another.

Formulas say which cells an amount lies in, and how it compares with others. Whether whole numbers in such cells have
the sum that they need, and grow where they have to, is computed here: with intervals, or as a system of constraints
where amounts are compared with each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from advisor.base.interval import exact
from advisor.policy.conditions import Test
from advisor.proofs.linear import AtMost, at_most, solution
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


def of_amounts(test: Test) -> bool:
    """Does a test compare two amounts?"""
    return bool(test.other) and {test.name, test.other} <= set(AMOUNTS)


def comparison(test: Test) -> str:
    """The name of the variable that says whether a comparison of two amounts holds."""
    return f"compared {test.name} {test.sign} {test.other}"


def runs_of(name: str, tests: Sequence[Test]) -> list[Run]:
    """The cells that tests make of an amount, each a run of whole numbers, in order."""
    low = math.ceil(domain(name).low)
    starts = {low}
    for test in tests:
        starts |= (
            {by for end in ends(test) for by in (math.ceil(end), math.floor(end) + 1)} if test.name == name else set()
        )
    return between_starts(sorted(start for start in starts if start >= low))


def between_starts(starts: Sequence[int]) -> list[Run]:
    """Runs that begin at these numbers, each up to the next."""
    return [Run(start, after - 1) for start, after in zip(starts, [*starts[1:], math.inf], strict=True)]


def corners(name: str, tests: Sequence[Test]) -> Iterator[Test]:
    """Tests of one amount where thresholds of the two others meet: there the cells begin to look otherwise."""
    cuts = {
        one: [end for test in tests if test.name == one for end in ends(test)] for one in (SAMPLES, UNLABELLED, TEXTS)
    }
    cuts = {one: [*found, exact(domain(one).low)] for one, found in cuts.items()}
    if name == TEXTS:
        meet = [one + other for one in cuts[SAMPLES] for other in cuts[UNLABELLED]]
    elif name in cuts:
        meet = [both - other for both in cuts[TEXTS] for other in cuts[UNLABELLED if name == SAMPLES else SAMPLES]]
    else:
        meet = []
    yield from (Test(name, words=(math.floor(one) + by,)) for one in meet for by in (0, 1))


class Amounts:
    """The amounts that rules ask for. runs: the cells of each; where one may be unknown, one more cell is last.

    compared: tests of one amount against another, by the name of their variable, whose first cell is that it holds.
    """

    def __init__(self, runs: Mapping[str, Sequence[Run]], compared: Mapping[str, Test]) -> None:
        self.runs, self.compared = runs, compared

    def possible(self, cells: Mapping[str, int], suffixes: Sequence[str]) -> bool:
        """Are there whole numbers in these cells? suffixes: one for one set of data; two for less and for more."""
        return self.numbers(cells, suffixes) is not None

    def numbers(self, cells: Mapping[str, int], suffixes: Sequence[str]) -> list[dict[str, int | None]] | None:
        """One solution for each suffix, or None where there is none.

        Raises:
            PolicyError: comparisons make it too hard to decide.
        """
        if self.compared:
            return self._compared(cells, suffixes)
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

    def _compared(self, cells: Mapping[str, int], suffixes: Sequence[str]) -> list[dict[str, int | None]] | None:
        """The same where amounts are compared with each other. What is unknown is so before and after."""
        for unknown in product((frozenset(), frozenset((SAMPLES, TEXTS))), (frozenset(), frozenset((REPORTED,)))):
            absent = unknown[0] | unknown[1]
            given = [(name, suffix) for suffix in suffixes for name in AMOUNTS]
            options = [self._options(name, cells, suffix) for name, suffix in given]
            wanted = [
                [None] if name in absent and (None in each or name not in self.runs) else [one for one in each if one]
                for (name, _), each in zip(given, options, strict=True)
            ]
            if any(name in absent and each != [None] for (name, _), each in zip(given, wanted, strict=True)):
                continue
            ways = self._ways(cells, suffixes, absent)
            for runs, way in product(product(*wanted), product(*ways)):
                inside = [one for at, run in zip(given, runs, strict=True) if run for one in _inside(*at, run)]
                names = [name + suffix for name, suffix in given if name != TEXTS and name not in absent]
                growing = _growing(suffixes, absent)
                found = solution(names, [*inside, *growing, *(one for each in way for one in each)])
                if found is not None:
                    return [self._result(found, suffix, absent) for suffix in suffixes]
        return None

    def _ways(
        self, cells: Mapping[str, int], suffixes: Sequence[str], absent: frozenset[str]
    ) -> Iterator[list[list[AtMost]]]:
        """For each comparison that cells decide, the constraints of each way in which it can come out so."""
        for key, test in self.compared.items():
            for suffix in suffixes:
                mask = cells.get(key + suffix, 3)
                if mask != 3 and absent.isdisjoint(test.names()):
                    yield _relation(test, suffix, holds=mask == 1)

    def _result(self, found: Mapping[str, int], suffix: str, absent: frozenset[str]) -> dict[str, int | None]:
        values: dict[str, int | None] = {
            name: None if name in absent else found[name + suffix] for name in (SAMPLES, UNLABELLED, REPORTED)
        }
        samples, unlabelled = values[SAMPLES], values[UNLABELLED] or 0
        values[TEXTS] = None if samples is None else samples + unlabelled
        return {name: value for name, value in values.items() if name != REPORTED or name in self.runs}


def _sum(name: str, suffix: str, times: int = 1) -> dict[str, int]:
    """An amount as a sum of those that are free."""
    return {one + suffix: times for one in ((SAMPLES, UNLABELLED) if name == TEXTS else (name,))}


def _difference(one: Mapping[str, int], other: Mapping[str, int], most: int) -> AtMost:
    """One sum is at most `most` above the other."""
    return at_most({name: one.get(name, 0) - other.get(name, 0) for name in {**one, **other}}, most)


def _inside(name: str, suffix: str, run: Run) -> Iterator[AtMost]:
    yield at_most(_sum(name, suffix, -1), -int(run.low))
    if run.high < math.inf:
        yield at_most(_sum(name, suffix), int(run.high))


def _growing(suffixes: Sequence[str], absent: frozenset[str]) -> Iterator[AtMost]:
    """More data is at least as much of each."""
    for less, more in pairwise(suffixes):
        for name in (SAMPLES, UNLABELLED, REPORTED):
            if name not in absent:
                yield _difference(_sum(name, less), _sum(name, more), 0)


def _relation(test: Test, suffix: str, holds: bool) -> list[list[AtMost]]:
    """The ways in which a comparison of two amounts comes out: each some constraints that hold together."""
    one, other = _sum(test.name, suffix), _sum(test.other, suffix)
    sign = test.sign if holds else {"<=": ">", ">": "<=", "<": ">=", ">=": "<", "!=": "="}[test.sign]
    if sign == "=":
        return [[_difference(one, other, 0), _difference(other, one, 0)]]
    if sign == "!=":
        return [[_difference(one, other, -1)], [_difference(other, one, -1)]]
    first, second = (one, other) if sign[0] == "<" else (other, one)
    return [[_difference(first, second, 0 if sign.endswith("=") else -1)]]


def _least(where: Triple) -> list[tuple[int, int]] | None:
    found = grown(where, where)
    return found[:1] if found else None


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
