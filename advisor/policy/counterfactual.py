"""Counterfactuals: the least change of facts after which no rule refuses a recipe any more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations, product

from advisor.base.interval import show
from advisor.facts.facts import DEVICES, Value
from advisor.policy.conditions import Test, tests_of
from advisor.policy.judge import broken, violations
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.policy.view import View

# What a user can change, with the sum that two of them make; the order in which changes are preferred.
SAMPLES, UNLABELLED, TEXTS = "data.samples", "data.unlabelled_samples", "data.distillation_texts"
DEVICE, GOAL = "device.kind", "goal.relative_accuracy"
CHANGEABLE = (DEVICE, SAMPLES, GOAL, UNLABELLED)
FINEST = 0.01  # goals are written in hundredths
MOST_CHANGES = 3

Change = Mapping[str, Value]


def opening(policy: Policy, view: View) -> str:
    """The least change in words, as in "at 10,000 samples"; empty where no change of these facts would do."""
    blocking = list(dict.fromkeys(one.rule for one in violations(policy, view) if one.rule.severity == "error"))
    values = _values(blocking, view)
    for size in range(1, MOST_CHANGES + 1):
        for names in combinations([name for name in CHANGEABLE if values.get(name)], size):
            if change := _first(policy, view, blocking, {name: values[name] for name in names}):
                return _words(change, list(_devices(policy, view, change)))
    return ""


def leaving(rule: Rule, view: View) -> str:
    """The least change after which a rule no longer applies, in words; empty where none of these facts would do."""
    names = tuple(dict.fromkeys([*CHANGEABLE, TEXTS, *rule.when.names()]))
    return _leaving(rule, tuple((name, view.values[name]) for name in names if name in view.values))


@lru_cache(maxsize=4096)  # many recipes break the same rule by the same facts
def _leaving(rule: Rule, known: tuple[tuple[str, Value], ...]) -> str:
    view = View(dict(known))
    values = _values([rule], view)
    for size in range(1, MOST_CHANGES + 1):
        for names in combinations([name for name in CHANGEABLE if values.get(name)], size):
            if change := _nearest(view, {name: values[name] for name in names}, lambda after: _quiet(rule, after)):
                kinds = [kind for kind in DEVICES if _quiet(rule, changed(view, {**change, DEVICE: kind}))]
                return _words(change, kinds)
    return ""


def _quiet(rule: Rule, view: View) -> bool:
    return rule.when.truth(view) is False


def _first(policy: Policy, view: View, blocking: list[Rule], values: Mapping[str, list[Value]]) -> Change | None:
    """The nearest change of all these facts that opens the way. The rules that block are asked first: they are few."""
    return _nearest(view, values, lambda after: not _refused(blocking, after) and not _refused(policy.rules, after))


def _nearest(view: View, values: Mapping[str, list[Value]], wanted: Callable[[View], bool]) -> Change | None:
    for chosen in product(*values.values()):
        change = dict(zip(values, chosen, strict=True))
        if wanted(changed(view, change)):
            return change
    return None


def _refused(rules: Sequence[Rule], view: View) -> bool:
    return any(rule.severity == "error" and next(broken(rule, view), None) for rule in rules)


def changed(view: View, change: Change) -> View:
    """The situation with some facts changed, and the sum that hangs on them."""
    values = {**view.values, **change}
    samples, unlabelled = values.get(SAMPLES), values.get(UNLABELLED)
    known = isinstance(samples, int | float) and isinstance(unlabelled, int | float)
    values[TEXTS] = samples + unlabelled if known else None  # type: ignore[operator]
    return View(values, view.order)


def _values(blocking: list[Rule], view: View) -> dict[str, list[Value]]:
    """For each fact that the rules test, other values near its thresholds, the nearest to what it is first."""
    tests = list(dict.fromkeys(test for rule in blocking for test in tests_of(rule.when)))
    samples, unlabelled = _now(view, SAMPLES), _now(view, UNLABELLED)
    texts = list(_whole(TEXTS, tests))
    found = {
        SAMPLES: _near(view, SAMPLES, [*_whole(SAMPLES, tests), *(end - unlabelled for end in texts)]),
        UNLABELLED: _near(view, UNLABELLED, [*_whole(UNLABELLED, tests), *(end - samples for end in texts)]),
        GOAL: _near(view, GOAL, [end + by for end in _ends(GOAL, tests) for by in (0, -FINEST, FINEST)]),
    }
    if any(test.name == DEVICE for test in tests):
        found[DEVICE] = [kind for kind in DEVICES if kind != view.values.get(DEVICE)]
    return found


def _now(view: View, name: str) -> float:
    value = view.values.get(name)
    return value if isinstance(value, int | float) else 0


def _ends(name: str, tests: list[Test]) -> Iterator[float]:
    for test in tests:
        if test.name == name and test.interval:
            yield from (float(end) for end in (test.interval.low, test.interval.high) if end is not None)


def _whole(name: str, tests: list[Test]) -> Iterator[int]:
    yield from (math.floor(end) + by for end in _ends(name, tests) for by in (-1, 0, 1))


def _near(view: View, name: str, values: Sequence[float]) -> list[Value]:
    now = _now(view, name)
    return [*sorted({value for value in values if value > 0 and value != now}, key=lambda value: abs(value - now))]


def _devices(policy: Policy, view: View, change: Change) -> Iterator[str]:
    """All the devices that would do as well as the first."""
    if DEVICE in change:
        yield from (kind for kind in DEVICES if not _refused(policy.rules, changed(view, {**change, DEVICE: kind})))


def _words(change: Change, devices: list[str]) -> str:
    said = {
        DEVICE: f"on {' or '.join(devices)}",
        SAMPLES: f"at {_number(change.get(SAMPLES))} samples",
        UNLABELLED: f"with {_number(change.get(UNLABELLED))} unlabelled texts",
        GOAL: f"with --min-accuracy {_number(change.get(GOAL))}",
    }
    return " and ".join(said[name] for name in CHANGEABLE if name in change)


def _number(value: Value) -> str:
    return show(round(value, 6)) if isinstance(value, int | float) else "unknown"
