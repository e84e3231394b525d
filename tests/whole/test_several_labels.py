"""Several labels from rows to a loaded model: every step, examined, thresholds tuned on selection rows alone."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import spans
import tiny
from sklearn.metrics import f1_score

import advisor
from advisor.deployment.examination import Terms, examine
from advisor.deployment.rules import DATA, LOADS, RECOMPUTED
from advisor.execution import executor
from advisor.execution.job import prepare
from advisor.inspection.recipe_data import read_data
from advisor.policy.pack import core
from advisor.recipe.reader import load
from advisor.records.answers import Labels
from advisor.records.measuring import Measuring
from advisor.records.results import RunResult
from advisor.report import card
from advisor.review.waivers.apply import Waiving

STEPS = (
    "  - finetune: {epochs: 12, learning_rate: 4.0e-3}\n  - layer_removal: {keep: 3}\n"
    "  - distillation: {epochs: 2, learning_rate: 1.0e-3}\n  - quantization: {}\n"
)


def rows(count: int = 160) -> list[dict[str, Any]]:
    """Words among which a name, a town, both or none stand; a label for each kind."""
    random_ = random.Random(0)
    found = []
    for number in range(count):
        own = [random_.choice(spans.NAMES)] * (number % 2) + [random_.choice(spans.TOWNS)] * (number % 3 == 0)
        words = [*own, *random_.choices(spans.WORDS, k=4), str(number)]
        labels = ["name"] * (number % 2) + ["town"] * (number % 3 == 0)
        found.append({"text": " ".join(words), "labels": labels})
    return found


def test_several_labels_are_given(tmp_path: Path) -> None:
    data, model, out = (
        tiny.write_rows(tmp_path / "data", rows()),
        tiny.checkpoint("bert", tmp_path / "model"),
        tmp_path / "run",
    )
    file = tmp_path / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: several\nmodel: {{source: {json.dumps(str(model))}}}\n"
        f"data: {{source: {json.dumps(str(data))}}}\n"
        f"device: edge\nsteps:\n{STEPS}training: {{batch_size: 16, max_tokens: 24, joined_texts: 40}}\n"
    )
    recipe, document = load(file)
    job = replace(prepare(core(), recipe, document, read_data(recipe), Path(), "cpu"), measuring=Measuring(0.1))
    *_, result = executor.run(job, out, lambda one: card.text(one, recipe, job.reviewed.facts.data))
    assert isinstance(result, RunResult)
    assert all(list(step.metrics) == ["micro_f1", "macro_f1"] for step in result.steps)
    assert all(step.parameters == step.predicted_parameters for step in result.steps)
    assert result.steps[0].accuracy > 0.8 and result.steps[-1].relative_accuracy.interval
    kept = json.loads((out / "predictions.json").read_text())["scores"]
    for step in result.steps:
        scores, gold = np.split(np.array(kept[step.name]), 2, axis=1)
        assert step.accuracy == f1_score(gold, scores > 0, average="micro")
        config = json.loads((out / step.path / "config.json").read_text())
        assert config["problem_type"] == "multi_label_classification" and set(config["label_thresholds"]) == {
            "name",
            "town",
        }
    now = datetime.now(UTC)
    found, _ = examine(out, Terms(core(), Waiving(now.date()), data=str(data), rescore=True), now)
    assert [str(one) for one in found if one.rule in (DATA, LOADS, RECOMPUTED)] == []
    for step in ("finetune", "quantization"):
        both, none = advisor.load(out, step=step)(["Email Server the value of", "the value is of this"])
        assert isinstance(both, Labels) and set(both.scores) == {"name", "town"}
        assert step != "finetune" or (both.labels, none.labels) == (("name", "town"), ())
