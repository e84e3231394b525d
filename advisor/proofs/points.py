"""Points: for one fact or setting a value in every cell that some tests make of its domain.

Exact: whole numbers are whole numbers, a setting has the bounds of its own type, and the cells of a text are those
that words and patterns tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from advisor.base.constraints import Bound
from advisor.base.errors import PolicyError
from advisor.base.interval import exact
from advisor.facts.facts import Fact, Value, declared
from advisor.families import registry
from advisor.policy.conditions import Test
from advisor.policy.view import GATES, META, REMOVED_SHARE
from advisor.recipe.recipe import SHARES
from advisor.recipe.steps import STEPS
from advisor.records.training_settings import Training

MOST_TEXTS = 10_000  # cells of one text; a pack whose patterns make more is refused
# In advice and in check these are never unknown.
ALWAYS_KNOWN = (
    "device.kind",
    "goal.relative_accuracy",
    "data.unlabelled_samples",
    "model.family",
    "model.kind",
    "model.source",
)
UNSET = ("goal.relative_emissions", "goal.size_mb", "goal.latency_ms")  # infinite where the user does not say
MAY_BE_NONE = ("model.encoder_layers", "model.decoder_layers", "model.vocabulary", "model.embedding_share")
MULTIPLES = tuple(2**power for power in range(8))  # kernel_multiple: the power of two that divides both widths
OTHER_SIGN = "\x00"  # stands for every character that no pattern names


class Domain(NamedTuple):
    """The values that a fact or setting may have.

    kind: number, integer, flag, set, words, text, or any (of meta). low, high: the ends; without_low, without_high: an
    end that does not belong. words: the values, where there are only so many. unknown: it may be None.
    """

    kind: str
    low: float = -math.inf
    high: float = math.inf
    without_low: bool = False
    without_high: bool = False
    words: tuple[Value, ...] = ()
    unknown: bool = False

    def holds(self, value: Any) -> bool:
        """Does a number lie between the ends?"""
        above = value > self.low or (value == self.low and not self.without_low)
        return above and (value < self.high or (value == self.high and not self.without_high))


@cache
def domain(name: str) -> Domain:
    """The domain of a fact, a setting, a measure, a gate or a key of meta."""
    if name in declared():
        return _of_fact(name, declared()[name])
    if name.startswith(META):
        return Domain("any")
    if name in GATES:
        return Domain("number", 0, 1 if name.removeprefix("gates.") in SHARES else math.inf, without_low=True)
    group, _, setting = name.partition(".")
    if name == REMOVED_SHARE or name.endswith("_share") or setting == "share_per_increment":
        return Domain("share", 0, 1, without_high=True)
    if setting == "kernel_multiple":
        return Domain("words", words=MULTIPLES)
    type_: type = Training if group == "training" else STEPS[group]
    return _of_hint(get_type_hints(type_, include_extras=True)[setting])


def _of_fact(name: str, fact: Fact) -> Domain:
    unknown = name not in ALWAYS_KNOWN and name not in UNSET
    if fact.type in ("integer", "number"):
        low, high = fact.domain
        low = max(low, 1) if name.startswith("model.") and name not in MAY_BE_NONE else low
        return Domain(fact.type, low, high, unknown=unknown)
    words = (*registry.names(), *registry.OTHERS.values()) if name == "model.family" else fact.domain
    return Domain({"category": "words"}.get(fact.type, fact.type), words=words, unknown=unknown)


def _of_hint(hint: Any) -> Domain:
    """The domain that a dataclass gives one of its settings."""
    if get_origin(hint) in (Union, UnionType):
        inner, *_ = (one for one in get_args(hint) if one is not type(None))
        return _of_hint(inner)._replace(unknown=True)
    if get_origin(hint) is Literal:
        return Domain("words", words=get_args(hint))
    limits: dict[str, float] = {}
    if get_origin(hint) is Annotated:
        hint, *more = get_args(hint)
        limits = {key: value for one in more if isinstance(one, Bound) for key, value in one.limits.items()}
    low = limits.get("ge", limits.get("gt", -math.inf))
    high = limits.get("le", limits.get("lt", math.inf))
    return Domain("integer" if hint is int else "number", low, high, "gt" in limits, "lt" in limits)


def points(name: str, tests: Iterable[Test], spread: int = 1) -> list[Value]:
    """Values of one fact or setting in all the cells that the tests on it make, unknown (None) among them.

    Args:
        spread: how many values at least lie between two thresholds, for comparisons of so many settings.
    """
    mine = [test for test in tests if test.name == name]
    where = domain(name)
    found = list(_known(name, where, mine, spread))
    return [*dict.fromkeys(found), *([None] if where.unknown else [])]


def _known(name: str, where: Domain, tests: Sequence[Test], spread: int) -> Iterator[Value]:
    words = [word for test in tests for word in test.words]
    if where.kind == "flag":
        yield from (True, False)
    elif where.kind == "set":
        yield from subsets(sorted({str(word) for word in words}))
    elif where.kind == "words":
        yield from where.words
    elif where.kind == "text":
        yield from texts(tuple(map(str, words)))
    elif where.kind == "any":
        yield from (True, False)
        yield from texts(tuple(word for word in words if isinstance(word, str)))
        yield from (value for value in _numbers(Domain("number"), tests, spread) if not isinstance(value, bool))
    else:
        yield from _numbers(where, tests, spread)
        yield from [math.inf] if name in UNSET else []


def subsets(words: Sequence[str]) -> Iterator[frozenset[str]]:
    """All sets of some words."""
    for size in range(len(words) + 1):
        yield from (frozenset(chosen) for chosen in combinations(words, size))


def ends(test: Test) -> list[Fraction]:
    """The numbers at which a test changes its answer."""
    found = [end for end in (test.interval.low, test.interval.high) if end is not None] if test.interval else []
    return found + [exact(word) for word in test.words if isinstance(word, int | float) and not isinstance(word, bool)]


def _numbers(where: Domain, tests: Sequence[Test], spread: int) -> list[Value]:
    """The domain's ends, each threshold, and numbers between them."""
    cuts = sorted({end for test in tests for end in ends(test)})
    if where.kind == "integer":
        return _whole(where, cuts, spread)
    cuts = sorted({*cuts, *_fractions(where)})
    found = [*cuts, *(value for low, high in pairwise(cuts) for value in between(low, high, spread))]
    lowest, highest = min(cuts, default=Fraction(0)), max(cuts, default=Fraction(0))
    found += [end + by for by in range(1, spread + 1) for end in (lowest - 2 * by, highest)]
    inside = sorted(value for value in found if where.holds(value))
    if where.kind == "share":  # measures are exact fractions
        return [_short(value) for value in inside]
    return [float(value) for value in inside if exact(float(value)) == value]


def between(low: Fraction, high: Fraction, count: int) -> list[Fraction]:
    """So many numbers between two, each with as few decimals as it can have."""
    found = []
    for place in range(1, count + 1):
        step = (high - low) / (count + 1)
        middle, room = low + step * place, step / 2
        digits = next(digits for digits in range(40) if Fraction(1, 10**digits) < room)
        found.append(Fraction(round(middle * 10**digits), 10**digits))
    return found


def _fractions(where: Domain) -> list[Fraction]:
    return [exact(end) for end in (where.low, where.high) if abs(end) < math.inf]


def _short(value: Fraction) -> Value:
    """A float where that is exact, else the fraction: both compare as they are written."""
    return float(value) if exact(float(value)) == value else value  # type: ignore[return-value]


def _whole(where: Domain, cuts: Sequence[Fraction], spread: int) -> list[Value]:
    low = [math.ceil(where.low) + place for place in range(spread + 1)] if where.low > -math.inf else [0]
    high = [math.floor(where.high) - place for place in range(spread + 1)] if where.high < math.inf else []
    near = [math.floor(cut) + by for cut in cuts for by in range(-spread, spread + 2)]
    return [value for value in sorted({*low, *high, *near}) if where.holds(value)]


@cache
def texts(words: tuple[str, ...]) -> tuple[str, ...]:
    """One text for each combination of patterns that texts can match, the shortest; and texts that match none.

    All patterns run side by side over every character that one of them names, and over one that stands for the rest.

    Raises:
        PolicyError: there are more than MOST_TEXTS.
    """
    words = tuple(dict.fromkeys(words))
    signs = [*sorted({sign for word in words for sign in word if sign not in "*?"} - {OTHER_SIGN}), OTHER_SIGN]
    start = tuple(_closed(word, {0}) for word in words)
    seen: dict[tuple[frozenset[int], ...], str] = {}  # no text is empty, so that the start is not among them
    queue = [(start, "")]
    for state, text in queue:
        for sign in signs:
            after = tuple(_step(word, places, sign) for word, places in zip(words, state, strict=True))
            if after not in seen:
                seen[after] = text + sign
                queue.append((after, text + sign))
        if len(seen) > MOST_TEXTS:
            raise PolicyError(f"{len(words)} patterns make more than {MOST_TEXTS:,} cells", hint="write fewer patterns")
    found: dict[tuple[bool, ...], str] = {}
    for state, text in seen.items():
        matched = tuple(len(word) in places for word, places in zip(words, state, strict=True))
        found.setdefault(matched, text.replace(OTHER_SIGN, _unused(signs)))
    return tuple(found.values())


def _unused(signs: Sequence[str]) -> str:
    """A character that no pattern names."""
    letters = map(chr, [*range(ord("a"), ord("z") + 1), *range(0x3B1, 0x10000)])
    return next(sign for sign in letters if sign not in signs)


def _closed(word: str, places: set[int]) -> frozenset[int]:
    """Places in a pattern with those that are reached where a star stands for nothing."""
    found = set(places)
    for place in range(len(word)):
        if place in found and word[place] == "*":
            found.add(place + 1)
    return frozenset(found)


def _step(word: str, places: frozenset[int], sign: str) -> frozenset[int]:
    here = (place for place in places if place < len(word) and word[place] in ("*", "?", sign))
    return _closed(word, {place if word[place] == "*" else place + 1 for place in here})
