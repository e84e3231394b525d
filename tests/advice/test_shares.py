"""What is predicted follows the exact share of the multiplications, not only the white paper's levels."""

from __future__ import annotations

import pytest

from advisor.advice.candidates import given
from advisor.advice.recommendation import advise
from advisor.base.errors import NotMet
from advisor.facts.facts import DataFacts, Facts, Goal
from advisor.inspection import probe
from advisor.policy.pack import core
from advisor.recipe.recipe import DataSource, Recipe
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.step import Step


def predicted(name: str, *steps: Step):  # type: ignore[no-untyped-def]
    model = probe.model(name)
    facts = Facts(model.facts, DataFacts(30_000), probe.device("cpu"), Goal(0.5))
    recipe = Recipe(1, "x", model.source, "cpu", (Finetune(), *steps), DataSource(samples=30_000))
    return given(core(), facts, model, recipe).prediction


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("bert", (MatrixPruning(intermediate_size=3008),)),
        ("bert", (MatrixPruning(hidden_size=448),)),
        ("bert", (LayerRemoval(keep=11), Distillation())),
        ("t5", (LayerRemoval(decoder_keep=6), Distillation())),
    ],
)
def test_no_cut_is_predicted_greener_than_its_share_of_the_multiplications(name: str, steps: tuple[Step, ...]) -> None:
    found = predicted(name, *steps)
    assert found.emissions.low >= min(found.compute, found.emissions.high) - 1e-9
    assert found.compute <= found.emissions.high <= 1 and found.time.low >= found.compute - 1e-9


def test_the_white_papers_own_levels_keep_their_ranges() -> None:
    found = predicted("bert", LayerRemoval(keep=8), Distillation())
    assert (found.emissions.low, found.emissions.high) == (0.65, 0.87)


def test_a_model_that_generates_keeps_its_encoder() -> None:
    model = probe.model("t5")
    facts = Facts(model.facts, DataFacts(30_000, task="summarization"), probe.device("cpu"), Goal(0.8))
    advice = advise(core(), facts, model, DataSource(), "x")
    removals = [one.recipe.step("layer_removal") for one in advice.candidates if one.recipe.step("layer_removal")]
    assert removals and all(one.encoder_keep is None and one.decoder_keep for one in removals)
    assert not any("shallow-decoder-first" in note for note in advice.notes)


def test_an_encoder_is_not_advised_for_generation() -> None:
    model = probe.model("bert")
    facts = Facts(model.facts, DataFacts(30_000, task="summarization"), probe.device("cpu"), Goal())
    with pytest.raises(NotMet, match=r"denies every recipe.*\n.*encoders-do-not-generate: an encoder cannot"):
        advise(core(), facts, model, DataSource(), "x")


def test_the_nearest_miss_explains_a_step_left_out() -> None:
    model = probe.model("bert")
    facts = Facts(model.facts, DataFacts(30_000), probe.device("cuda"), Goal(0.99))
    advice = advise(core(), facts, model, DataSource(), "x")
    (reason,) = [one.reason for one in advice.verdicts if one.step == "layer_removal"]
    assert "8 layers" in reason
