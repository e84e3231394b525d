"""Demands: which bounds a measured model has to keep, and when a number shows that it does."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packs import policy, rule

from advisor.base.interval import Interval
from advisor.deployment.requirements import Demand, demands, verdict
from advisor.facts.facts import DataFacts, DeviceFacts, Facts, Goal
from advisor.families import registry
from advisor.recipe.recipe import Aims, ModelSource, Recipe
from advisor.recipe.steps.finetune import Finetune
from advisor.records.results import Measured

BERT = registry.find("bert")
assert BERT is not None
AT_LEAST = Interval.parse(">= 0.95")


def facts(device: str = "cpu") -> Facts:
    return Facts(BERT.facts(BERT.config), DataFacts(20_000), DeviceFacts(device), Goal())


def recipe(**parts: object) -> Recipe:
    return Recipe(1, "x", ModelSource("bert"), "cpu", (Finetune(),), goal=Aims(">= 0.9"), **parts)


def test_gates_of_the_recipe_and_of_the_rules_that_apply() -> None:
    strict = rule("strict", {"device.kind": "cpu"}, {"limit": {"gates.relative_accuracy": ">= 0.97"}})
    other = rule("gpu", {"device.kind": "cuda"}, {"limit": {"gates.latency_ms": "<= 9"}})
    setting = rule("setting", {"device.kind": "cpu"}, {"limit": {"layer_removal.keep": ">= 2"}})
    found = list(demands(recipe(), policy(strict, other, setting), facts()))
    own = Demand("relative_accuracy", Interval.parse(">= 0.9"))
    assert found == [own, Demand("relative_accuracy", Interval.parse(">= 0.97"), "strict")]


def test_a_rule_whose_condition_is_unknown_counts() -> None:
    unsure = rule("unsure", {"data.task": "summarization"}, {"limit": {"gates.size_mb": "<= 100"}})
    assert Demand("size_mb", Interval.parse("<= 100"), "unsure") in list(demands(recipe(), policy(unsure), facts()))


@pytest.mark.parametrize(
    ("measured", "state", "needed"),
    [
        (Measured(0.97, interval=(0.955, 0.985)), "passed", 0),
        (Measured(0.97), "passed", 0),
        (Measured(0.94, interval=(0.92, 0.96)), "missed", 0),
        # 400 rows give 0.02 to the side; 0.01 is left, so four times as many
        (Measured(0.96, interval=(0.94, 0.98)), "not shown", 1_600),
        (Measured(0.95, interval=(0.94, 0.96)), "not shown", 0),
        (Measured(None, why_not="no such device"), "not measured", 0),
        (Measured(float("nan")), "not measured", 0),
        (Measured(float("inf")), "not measured", 0),
    ],
)
def test_the_lower_end_decides(measured: Measured, state: str, needed: int) -> None:
    found = verdict(AT_LEAST, measured, 400)
    assert (found.state, found.needed) == (state, needed)


def test_an_upper_bound_is_judged_by_the_upper_end() -> None:
    found = verdict(Interval.parse("<= 0.5"), Measured(0.45, interval=(0.40, 0.55)), 0)
    assert (found.state, found.needed) == ("not shown", 0)
    assert "the upper end of its 95 % interval is 0.55" in found.words


shares = st.floats(0.01, 1.5)


@given(shares, shares, shares, st.integers(1, 10**6))
def test_only_what_is_wholly_inside_passes(low: float, value: float, high: float, examples: int) -> None:
    low, value, high = sorted((low, value, high))
    found = verdict(AT_LEAST, Measured(value, interval=(low, high)), examples)
    assert (found.state == "passed") == (Fraction(repr(low)) >= Fraction("0.95"))
    assert found.needed == 0 or found.needed >= examples
