"""The outcomes that the product promises, from facts alone."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from advisor.advice.recommendation import Advice, advise
from advisor.facts.facts import DataFacts, Facts, Goal
from advisor.families import registry
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


@pytest.mark.parametrize("name", [family.model_type for family in registry.every()])
def test_the_three_outcomes_hold_for_all_kin(name: str) -> None:
    """Encoder-decoders with little data, GPT-2's architecture, and int8 where a GPU serves: of any family."""
    for samples, device in ((9_999, "cpu"), (30_000, "cuda")):
        found = advice(name, samples, device, 0.8)
        kind, open_ = found.facts.model.kind, [one.recipe.step_names for one in found.candidates if one.admissible]
        if kind == "encoder-decoder" and samples < 10_000:
            assert not {"layer_removal", "matrix_pruning"} & {step for steps in open_ for step in steps}
        if name == "gpt2":
            assert not any("matrix_pruning" in steps for steps in open_)
        assert device == "cpu" or not any("quantization" in steps for steps in open_)
        assert found.chosen.recipe.step_names in open_


@pytest.mark.parametrize("config", [{"n_layer": 6}, {"n_layer": 24, "n_embd": 1024, "n_head": 16}])
def test_every_checkpoint_of_gpt2s_architecture_loses_layers_only(config: dict[str, int], tmp_path: Path) -> None:
    """DistilGPT2, GPT-2 medium: the config says what they are, whatever they are called."""
    (tmp_path / "config.json").write_text(json.dumps({**probe.model("gpt2").config, **config}))  # type: ignore[dict-item]
    found = advice(str(tmp_path), 100_000, "cuda", 0.8)
    names = [one.recipe.step_names for one in found.candidates if one.admissible]
    assert any("layer_removal" in steps for steps in names) and not any("matrix_pruning" in steps for steps in names)
