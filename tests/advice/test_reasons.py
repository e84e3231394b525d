"""Why a recipe is as it is: advice's own reasons for what it advises, honest ones for what somebody else wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.advice.recommendation import account, advise
from advisor.cli import main
from advisor.facts.facts import DataFacts, Facts, Goal
from advisor.inspection import probe
from advisor.policy.pack import find
from advisor.recipe.recipe import DataSource


def test_an_advised_recipe_has_the_reasons_of_advice() -> None:
    model = probe.model("bert")
    facts = Facts(model.facts, DataFacts(samples=67_349), probe.device("cpu"), Goal(0.9))
    advised = advise(find("core"), facts, model, DataSource(), "x")
    assert account(find("core"), facts, model, advised.chosen.recipe) == advised.verdicts


def test_a_recipe_of_somebody_else_claims_no_advice() -> None:
    model = probe.model("t5")
    facts = Facts(model.facts, DataFacts(samples=3_000), probe.device("cpu"), Goal(0.9))
    recipe = advise(find("core"), facts, model, DataSource(), "x").chosen.recipe
    told = {one.step: one for one in account(find("core"), facts, model, replace(recipe, steps=recipe.steps[:1]))}
    assert told["finetune"].kept and not told["quantization"].kept
    assert "t5-small-data-no-prune" in told["layer_removal"].rules
    wrong = replace(recipe, steps=(*recipe.steps[:1], replace(recipe.steps[1], min_relative_accuracy=0.98)))  # type: ignore[call-arg]
    reasons = {one.step: one.reason for one in account(find("core"), facts, model, wrong)}
    assert "another recipe" in reasons["quantization"]


def test_a_run_keeps_the_reasons(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "out"
    recipe.write_text(
        'version: 1\nname: x\nmodel: {source: x, family: t5}\ndevice: edge\ngoal: {relative_accuracy: ">= 0.3"}\n'
        "steps:\n  - finetune: {epochs: 1}\ntraining: {batch_size: 64, max_tokens: 16}\n"
    )
    model = str(checkpoints["t5"])
    assert main(
        [
            "run",
            str(recipe),
            "--model",
            model,
            "--data",
            str(text),
            "--out",
            str(out),
            "--no-ledger",
            "--measure-seconds",
            "0.5",
        ]
    ) in (0, 4)
    steps = {one["step"]: one for one in json.loads((out / "advice.json").read_text())["steps"]}
    assert steps["finetune"]["kept"] and "t5-small-data-no-prune" in steps["layer_removal"]["rules"]


@pytest.mark.parametrize(
    ("model", "config", "step", "why"),
    [
        ("clip", {}, "layer_removal", "no step can name its text and vision layers"),
        ("marian", {}, "matrix_pruning", "its config can say no smaller hidden size"),
        ("gemma", {"num_key_value_heads": 1}, "matrix_pruning", "its 16 heads share one key and value, so none of"),
        ("bert", {"num_hidden_layers": 1}, "layer_removal", "it has too few layers"),
        ("bert", {"model_type": "new-thing"}, "layer_removal", "its sizes are not known"),
    ],
)
def test_what_is_never_cut_says_why(model: str, config: dict[str, object], step: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**probe.model(model).config, **config}))  # type: ignore[dict-item]
    found = probe.model(str(tmp_path))
    facts = Facts(found.facts, DataFacts(samples=67_349), probe.device("cpu"), Goal(0.9))
    (told,) = [one for one in advise(find("core"), facts, found, DataSource(), "x").verdicts if one.step == step]
    assert told.reason.startswith(why)
