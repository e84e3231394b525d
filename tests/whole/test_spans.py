"""Words are tagged and questions answered from rows to a loaded model: every step, resumed, examined, its card read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import spans

import advisor
from advisor.base.errors import AdviseError
from advisor.deployment.examination import Terms, examine
from advisor.deployment.rules import DATA, LOADS, RECOMPUTED
from advisor.execution import executor
from advisor.execution.job import Job, prepare
from advisor.inspection.recipe_data import read_data
from advisor.policy.pack import core
from advisor.recipe.reader import load
from advisor.records.measuring import Measuring
from advisor.records.results import RunResult
from advisor.report import card
from advisor.review.waivers.apply import Waiving

FIRST = "  - finetune: {{epochs: {}, learning_rate: 4.0e-3}}\n"
REST = (
    "  - layer_removal: {keep: 3}\n  - distillation: {epochs: 1, learning_rate: 1.0e-3}\n"
    "  - matrix_pruning: {hidden_size: 36, intermediate_size: 72, increments: 2, epochs: 1, learning_rate: 1.0e-3}\n"
    "  - quantization: {min_relative_accuracy: 0.5}\n"
)


def job(file: Path) -> Job:
    found, document = load(file)
    return replace(prepare(core(), found, document, read_data(found), Path(), "cpu"), measuring=Measuring(0.1))


def ran(file: Path, out: Path, resume: bool = False) -> RunResult:
    work = job(file)
    *_, last = executor.run(
        work, out, lambda result: card.text(result, work.recipe, work.reviewed.facts.data), resume=resume
    )
    assert isinstance(last, RunResult)
    return last


def chain(folder: Path, rows: list[dict[str, Any]], task: str, epochs: int) -> RunResult:
    """Fine-tuned, then resumed with all other steps: what was done is not done again."""
    first = ran(spans.recipe(folder, rows, task, FIRST.format(epochs)), folder / "run")
    weights = (folder / "run/steps/0-finetune/model.safetensors").stat().st_mtime_ns
    whole = ran(spans.recipe(folder, rows, task, FIRST.format(epochs) + REST), folder / "run", resume=True)
    assert (folder / "run/steps/0-finetune/model.safetensors").stat().st_mtime_ns == weights
    assert whole.steps[0].metrics == first.steps[0].metrics
    return whole


def honest(out: Path, data: Path) -> None:
    """Every number of the report follows from the folder, also when all models answer all rows again."""
    now = datetime.now(UTC)
    found, _ = examine(out, Terms(core(), Waiving(now.date()), data=str(data), rescore=True), now)
    assert [str(one) for one in found if one.rule in (DATA, LOADS, RECOMPUTED)] == []


def test_words_are_tagged(tmp_path: Path) -> None:
    result = chain(tmp_path, spans.tagged(), "token-classification", 7)
    assert result.task == "token-classification"
    assert set(result.steps[-1].metrics) == {"entity_f1", "token_accuracy"}
    assert result.steps[0].accuracy > 0.6
    assert result.steps[0].above_constant.value == result.steps[0].accuracy  # O for each word names no entity
    assert result.steps[-1].relative_accuracy.interval
    assert all(step.parameters == step.predicted_parameters for step in result.steps)
    for step in result.steps:
        right = sum(round(one.recall * one.rows) for one in step.diagnostics.classes)
        both = sum(one.rows + one.answered for one in step.diagnostics.classes)
        assert 2 * right / both == pytest.approx(step.accuracy)  # entity F1 is that of all kinds together
        assert step.diagnostics.confusion is None and (step.name == "finetune") == (step.diagnostics.changed is None)
    pruned = result.steps[3].diagnostics.curve
    assert pruned and [one.batches for one in pruned.points] == sorted({one.batches for one in pruned.points})
    honest(tmp_path / "run", tmp_path / "data")
    front = (tmp_path / "run/README.md").read_text()
    assert "AutoModelForTokenClassification" in front
    predict = advisor.load(tmp_path / "run", step="finetune")
    tagged, listed = predict(["the value Email is not Socket  of", ["Email", "is", "not", "Socket"]])
    assert tagged.words == ("the", "value", "Email", "is", "not", "Socket", "of")
    assert ("loc", "Socket", 23, 29) in [one[:4] for one in tagged.entities]
    assert all(0 < one.score <= 1 for one in tagged.entities)
    assert len(listed.tags) == 4


def test_questions_are_answered(tmp_path: Path) -> None:
    result = chain(tmp_path, spans.asked(), "question-answering", 7)
    assert result.task == "question-answering"
    assert set(result.steps[-1].metrics) == {"answer_f1", "exact_match"}
    assert result.steps[0].accuracy > 0.6
    assert result.eval_samples == len(result_rows(tmp_path / "run")["finetune"]) == 20  # questions, not windows
    assert result.steps[0].above_constant.value is None
    for step in result.steps[1:]:
        assert step.diagnostics.classes == () and step.diagnostics.changed
        assert all(one.before != one.after and one.label for one in step.diagnostics.changed.examples)
    honest(tmp_path / "run", tmp_path / "data")
    context = "return Email is not and Socket of"
    (answer,) = advisor.load(tmp_path / "run", step="finetune")(["what name"], [context])
    assert answer.text == "Email" == context[answer.start : answer.end]
    assert 0 < answer.score <= 1


def result_rows(out: Path) -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = json.loads((out / "predictions.json").read_text())["scores"]
    return found


@pytest.mark.parametrize(("family", "task"), [("t5", "question-answering"), ("opt", "token-classification")])
def test_a_model_without_such_a_class_is_refused_before_it_is_loaded(family: str, task: str, tmp_path: Path) -> None:
    rows = spans.asked(20) if task == "question-answering" else spans.tagged(20)
    file = spans.recipe(tmp_path, rows, task, FIRST.format(1))
    file.write_text(file.read_text().replace(json.dumps(str(tmp_path / "model")), family))
    with pytest.raises(AdviseError, match=f"{task} cannot be (run|done) with"):
        job(file)
    assert any(one.message.startswith(f"{task} cannot be ") for one in advisor.check(file).findings)


def test_a_metric_of_another_task_is_refused(tmp_path: Path) -> None:
    file = spans.recipe(tmp_path, spans.tagged(20), "token-classification", FIRST.format(1))
    file.write_text(file.read_text().replace("task: token-classification", "task: token-classification, metric: f1"))
    with pytest.raises(AdviseError, match="f1 does not measure token-classification: expected entity_f1"):
        job(file)
