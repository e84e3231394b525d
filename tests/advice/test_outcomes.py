"""The outcomes that the product promises, from facts alone."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from advisor.advice.recommendation import Advice, advise
from advisor.facts.facts import DataFacts, Facts, Goal
from advisor.inspection import probe
from advisor.policy.pack import core
from advisor.recipe.recipe import DataSource, Recipe
from advisor.recipe.steps.layer_removal import LayerRemoval

LAYERS = ["finetune", "layer_removal", "distillation"]
MATRIX = [*LAYERS, "matrix_pruning"]
ALL_MODELS = ("bert", "gpt2", "opt", "t5")
DEVICES = ("cpu", "edge", "cuda", "mps")
SAMPLES = (100, 2_999, 3_000, 9_999, 10_000, 24_999, 25_000, 1_000_000)
GOALS = (0.5, 0.8, 0.85, 0.88, 0.9, 0.93, 0.95, 0.97, 0.985, 0.99, 1.0)


POLICY = cache(core)


def advice(model: str, samples: int, device: str, accuracy: float = 0.95, unlabelled: int = 0) -> Advice:
    found = probe.model(model)
    facts = Facts(found.facts, DataFacts(samples, unlabelled_samples=unlabelled), probe.device(device), Goal(accuracy))
    return advise(POLICY(), facts, found, DataSource(samples=samples), "test")


@cache
def chosen(*facts: Any) -> Recipe:
    return advice(*facts).chosen.recipe


def steps(*facts: Any) -> list[str]:
    return list(chosen(*facts).step_names)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (("t5", 3_000, "cpu"), ["finetune", "quantization"]),
        (("t5", 3_000, "cuda"), ["finetune"]),
        (("t5", 25_000, "cpu", 0.93), [*LAYERS, "quantization"]),
        (("t5", 25_000, "cpu", 0.80), [*MATRIX, "quantization"]),
        (("bert", 25_000, "cuda"), LAYERS),
        (("bert", 3_000, "cuda"), LAYERS),
        (("bert", 3_000, "edge"), [*LAYERS, "quantization"]),
        (("bert", 25_000, "cuda", 0.85), MATRIX),
        (("gpt2", 3_000, "cpu"), [*LAYERS, "quantization"]),
        (("gpt2", 25_000, "cuda", 0.80), LAYERS),
        (("opt", 25_000, "cuda", 0.85), MATRIX),
    ],
)
def test_outcome(facts: tuple[Any, ...], expected: list[str]) -> None:
    assert steps(*facts) == expected


@pytest.mark.parametrize(
    ("facts", "keep"),
    [(("bert", 25_000, "cuda"), 8), (("bert", 3_000, "cuda"), 8), (("bert", 25_000, "cuda", 0.85), 4)],
)
def test_layers_kept_of_twelve(facts: tuple[Any, ...], keep: int) -> None:
    removal = chosen(*facts).step("layer_removal")
    assert isinstance(removal, LayerRemoval)
    assert removal.keep == keep


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("samples", SAMPLES)
def test_what_holds_everywhere(samples: int, device: str) -> None:
    for goal in GOALS:
        for model in ALL_MODELS:
            found = steps(model, samples, device, goal)
            assert not (model == "gpt2" and "matrix_pruning" in found)
            assert not (device in ("cuda", "mps") and "quantization" in found)
            assert not (model == "t5" and samples < 10_000 and {"layer_removal", "matrix_pruning"} & set(found))
            assert ("distillation" in found) == bool({"layer_removal", "matrix_pruning"} & set(found))
            assert found == sorted(found, key=[*MATRIX, "quantization"].index)


@pytest.mark.parametrize("device", DEVICES)
def test_bert_and_opt_get_the_same_shape(device: str) -> None:
    for samples in SAMPLES:
        for goal in GOALS:
            one, other = (chosen(model, samples, device, goal) for model in ("bert", "opt"))
            assert one.steps == other.steps


def test_every_step_left_out_or_kept_has_its_reason() -> None:
    verdicts = {one.step: one for one in advice("t5", 3_000, "cuda").verdicts}
    assert [name for name, one in verdicts.items() if one.kept] == ["finetune"]
    assert "t5-small-data-no-prune" in verdicts["layer_removal"].rules
    assert "t5-small-data-no-prune" in verdicts["matrix_pruning"].rules
    assert verdicts["quantization"].rules == ("quantize-cpu-only",)
    assert "nothing to repair" in verdicts["distillation"].reason


def test_unlabelled_text_opens_matrix_pruning_from_ten_thousand_samples_on() -> None:
    assert "matrix_pruning" not in steps("bert", 10_000, "cuda", 0.85)
    assert "matrix_pruning" in steps("bert", 10_000, "cuda", 0.85, 15_000)
    assert "matrix_pruning" not in steps("bert", 9_999, "cuda", 0.85, 1_000_000)
