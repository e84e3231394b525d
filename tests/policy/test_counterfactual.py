"""The least change of facts that opens the way for a refused step, in words."""

from __future__ import annotations

from typing import Any

import pytest
from packs import policy, rule

from advisor.advice.recommendation import advise
from advisor.facts.facts import DataFacts, Facts, Goal
from advisor.inspection import probe
from advisor.policy.counterfactual import leaving, opening
from advisor.policy.examples import view_of
from advisor.policy.pack import core
from advisor.policy.view import View
from advisor.recipe.recipe import DataSource

POLICY = core()


def openings(model: str, samples: int, device: str, accuracy: float = 0.95, unlabelled: int = 0) -> dict[str, str]:
    found = probe.model(model)
    facts = Facts(found.facts, DataFacts(samples, unlabelled_samples=unlabelled), probe.device(device), Goal(accuracy))
    return {one.step: one.opens for one in advise(POLICY, facts, found, DataSource(), "x").verdicts if one.opens}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            ("t5", 3_000, "cuda"),
            {
                "layer_removal": "at 10,000 samples",
                "matrix_pruning": "at 25,000 samples and with --min-accuracy 0.9",
                "quantization": "on cpu or edge",
            },
        ),
        (("gpt2", 25_000, "mps"), {"quantization": "on cpu or edge"}),
        (("bert", 12_000, "cpu", 0.90), {"matrix_pruning": "at 25,000 samples"}),
        (("bert", 12_000, "cpu", 0.90, 2_000), {"matrix_pruning": "at 23,000 samples"}),
        (("bert", 25_000, "cpu"), {"matrix_pruning": "with --min-accuracy 0.9"}),
    ],
)
def test_opening(facts: tuple[Any, ...], expected: dict[str, str]) -> None:
    assert openings(*facts) == expected


def test_what_is_said_to_open_the_way_does() -> None:
    assert "layer_removal" not in openings("t5", 10_000, "cuda")
    assert "matrix_pruning" not in openings("t5", 25_000, "cuda", 0.9)
    assert openings("bert", 23_000, "cpu", 0.90, 2_000) == {}


def test_less_can_be_what_opens_the_way() -> None:
    made = policy(rule("a", {"data.samples": ">= 500"}, {"forbid": ["distillation"]}))
    view = View({"data.samples": 800, "data.unlabelled_samples": 0}, ("distillation",))
    assert opening(made, view) == "at 499 samples"


def test_nothing_is_said_where_only_another_model_would_do() -> None:
    made = policy(rule("a", {"model.family": "gpt2"}, {"forbid": ["matrix_pruning"]}))
    assert opening(made, View({"model.family": "gpt2"}, ("matrix_pruning",))) == ""


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("t5-small-data-no-prune", "at 10,000 samples"),
        ("quantize-cpu-only", "on cpu or edge"),
        ("gpt2-layers-only", ""),
    ],
)
def test_what_ends_a_rule(name: str, change: str) -> None:
    found = POLICY.rule(name)
    assert found is not None
    assert leaving(found, view_of(found.examples.fires[0])) == change


def test_advice_says_which_of_its_rules_rest_on_the_white_paper_alone() -> None:
    found = probe.model("t5")
    facts = Facts(found.facts, DataFacts(3_000), probe.device("cpu"), Goal())
    notes = advise(POLICY, facts, found, DataSource(), "x").notes
    assert "t5-small-data-no-prune: on the evidence of the white paper alone" in notes
