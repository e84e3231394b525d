"""Runs that were forged by somebody who also made every hash agree again, and runs that belong to another recipe."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import gated
import pytest

from advisor.base.errors import AdviseError
from advisor.deployment.decision import gate
from advisor.deployment.examination import Terms
from advisor.policy.pack import core
from advisor.recipe.reader import load, loads
from advisor.records.run_folder import ANSWERS, MANIFEST, PREDICTIONS, REPORT
from advisor.review.outcome import Checked
from advisor.review.waivers.apply import Waiving
from advisor.runs import predictor

TERMS = Terms(core(), Waiving(date.today(), unused=False))
INT8 = "quantization"


@pytest.fixture
def out(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def said(checked: Checked) -> dict[str, list[str]]:
    """The messages that fail, by rule."""
    found: dict[str, list[str]] = {}
    for one in checked.findings:
        if one.severity == "error":
            found.setdefault(one.rule, []).append(one.message)
    assert checked.exit_code == (4 if found else 0)
    return found


def forge(out: Path, name: str, change: Callable[[Any], object]) -> dict[str, list[str]]:
    """What the gate says after a file was changed and every hash agrees again."""
    gated.rewrite(out / name, change)
    gated.seal(out)
    return said(gate(out, TERMS))


def test_forged_predictions_that_agree_with_a_forged_report_fail_when_the_models_answer_again(out: Path) -> None:
    """Every number follows from the forged predictions, and the few recorded answers are true: only rescoring shows."""
    from advisor.deployment.recomputation import read, recomputed
    from advisor.records import run_folder

    def invent(value: dict[str, Any]) -> None:
        right = [[4.0, -4.0] if label == 0 else [-4.0, 4.0] for label in value["labels"]]
        value["scores"][INT8][8:] = right[8:]
        value["scores"]["finetune"][8:] = [row if place % 3 else row[::-1] for place, row in enumerate(right)][8:]

    gated.rewrite(out / PREDICTIONS, invent)
    result = run_folder.read(out)
    again = recomputed(out, result, load(out / "recipe.yaml")[0], read(out, result), ["ends", "goes on"])
    assert (again.steps[-1].relative_accuracy.value or 0) > 1.3
    run_folder.finish(out, again)
    gated.seal(out)
    unaware = gate(out, TERMS)
    assert said(unaware) == {} and any("did not answer the report rows again" in one for one in unaware.unchecked)
    found = said(gate(out, TERMS._replace(rescore=True)))
    assert any("does not give the recorded predictions" in one for one in found["gate-recomputed"])


def test_a_whole_run_passes_when_its_models_answer_again(finished_run: Path) -> None:
    checked = gate(finished_run, TERMS._replace(rescore=True))
    assert said(checked) == {}
    assert any("no --key was given" in one for one in checked.unchecked)


@pytest.mark.parametrize(
    ("name", "change", "rule", "words"),
    [
        ("facts.json", lambda facts: facts.update({"data.samples": 60_000}), "gate-recipe", "data.samples 60000"),
        ("facts.json", lambda facts: facts.update({"model.layers": 24}), "gate-recipe", "model.layers 24"),
        ("facts.json", lambda facts: facts.update({"data.samples": "many"}), "gate-complete", "expected a integer"),
        (REPORT, lambda report: report["steps"][-1].update(size_bytes=10), "gate-recomputed", "reported as 10 bytes"),
        (REPORT, lambda report: report["steps"][-1].update(relative_size=0.01), "gate-recomputed", "relative size"),
        (REPORT, lambda report: report["steps"][-1].update(parameters=5), "gate-recomputed", "5 parameters"),
        (REPORT, lambda report: report.update(gates=[]), "gate-recomputed", "is missing from the report"),
        (REPORT, lambda report: report["gates"][2].update(demanded=">= 0"), "gate-recomputed", ">= 0 passed"),
        (REPORT, lambda report: report["steps"][0].update(metric="f1"), "gate-recipe", "judged by f1"),
        (REPORT, lambda report: report["steps"][0].update(metric="magic"), "gate-complete", "magic is no metric"),
        (REPORT, lambda report: report.update(finished="0001-01-01T00:00:00+14:00"), "gate-fresh", "not known"),
        (REPORT, lambda report: report.update(finished="9999-12-31T23:59:59-14:00"), "gate-fresh", "not known"),
        (ANSWERS, lambda value: value["scores"]["finetune"].reverse(), "gate-recomputed", "answers of finetune"),
        (PREDICTIONS, lambda value: value.update(rows_sha256="0"), "gate-data", "other texts"),
        (PREDICTIONS, lambda value: value["ids"].reverse(), "gate-data", "other texts"),
    ],
)
def test_a_forged_part_is_found_though_all_hashes_agree(
    name: str, change: Callable[[Any], object], rule: str, words: str, out: Path
) -> None:
    found = forge(out, name, change)
    assert any(words in message for message in found.get(rule, [])), found


@pytest.mark.parametrize("name", ["facts.json", REPORT, PREDICTIONS, ANSWERS, MANIFEST])
@pytest.mark.parametrize("text", ["NaN", '{"seconds": NaN}', '{"files": ' * 50_000, "[]", '{"version": 99}', "pipe"])
def test_what_nobody_measured_is_an_error_and_no_traceback(name: str, text: str, out: Path) -> None:
    (out / name).unlink()
    os.mkfifo(out / name) if text == "pipe" else (out / name).write_text(text)
    found = said(gate(out, TERMS._replace(without_data=True)))
    assert found.keys() & {"gate-complete", "gate-intact", "gate-recomputed"}


class Harm:
    """Unpickled it would print."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("harm",))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", [Harm(), {"weights": [1.0, 2.0]}])
def test_pickles_of_every_protocol_are_found_by_their_content(protocol: int, value: object, out: Path) -> None:
    from advisor.base.unsafe_files import danger

    file = out / "notes.txt"
    file.write_bytes(pickle.dumps(value, protocol=protocol))
    assert "pickle" in danger(file)
    file.write_bytes(pickle.dumps(Harm(), protocol=protocol)[:-1] + b"\xff no end")
    assert "pickle" in danger(file)


def test_other_files_of_a_run_are_no_pickles(finished_run: Path) -> None:
    from advisor.base.unsafe_files import danger

    assert {path.name: danger(path) for path in finished_run.rglob("*") if path.is_file() and danger(path)} == {}


def test_a_config_that_names_code_is_found(out: Path) -> None:
    file = out / "steps" / "2-distillation" / "config.json"
    gated.rewrite(file, lambda config: config.update(auto_map={"AutoModel": "modeling.Own"}))
    gated.seal(out)
    assert any("auto_map" in message for message in said(gate(out, TERMS))["gate-weights"])
    with pytest.raises(AdviseError, match="auto_map"):
        predictor.load(out, "distillation")
    (out / "steps" / "2-distillation" / "more.txt").write_bytes(pickle.dumps(Harm(), protocol=0))
    gated.seal(out)
    with pytest.raises(AdviseError, match=r"more\.txt: is a pickle"):
        predictor.load(out, "distillation", trust_remote_code=True)


OTHER = """\
version: 1
name: other
model: {source: facebook/opt-125m}
data: {task: regression, metric: spearman, labels: 1}
device: edge
goal: {relative_accuracy: ">= 0.5"}
steps: [finetune]
"""


def test_a_run_of_another_model_task_and_metric_is_refused_with_each_difference(finished_run: Path) -> None:
    found = said(gate(finished_run, TERMS._replace(recipe=loads(OTHER)[0])))
    (message,) = found["gate-recipe"]
    for words in (
        "model.source (facebook/opt-125m, in the run ", "model.family (opt, in the run bert)",
        "data.problem_type (regression, in the run single_label_classification)",
        "data.metric (spearman, in the run accuracy)",
        "data.labels (1, in the run 2)", "layer_removal.keep (nothing, in the run 3)",
        "finetune.learning_rate", "training.batch_size (32, in the run 16)", "training.max_tokens",
    ):  # fmt: skip
        assert words in message


def test_the_same_recipe_on_another_model_of_the_family_is_refused(finished_run: Path, checkpoints: Any) -> None:
    ours = load(finished_run / "recipe.yaml")[0]
    elsewhere = replace(ours, model=replace(ours.model, source=str(checkpoints["bert"])))
    assert said(gate(finished_run, TERMS._replace(recipe=elsewhere))) == {}  # a copy: the very files that it began with
    gated_model = finished_run / "steps" / "0-finetune"
    other = replace(ours, model=replace(ours.model, source=str(gated_model)))
    (message,) = said(gate(finished_run, TERMS._replace(recipe=other)))["gate-recipe"]
    assert "are not those that the run began with" in message


def test_a_worthless_run_is_refused_and_the_gate_says_so_first(out: Path) -> None:
    """All models of this run always give the answer of the frequent class, and report and hashes agree."""
    from advisor.deployment.recomputation import read, recomputed
    from advisor.records import run_folder

    def always(value: dict[str, Any]) -> None:
        most = max((0, 1), key=value["labels"].count)
        for rows in value["scores"].values():
            rows[:] = [[1.0 - most, float(most)] for _ in rows]

    gated.rewrite(out / PREDICTIONS, always)
    result = run_folder.read(out)
    again = recomputed(out, result, load(out / "recipe.yaml")[0], read(out, result), ["ends", "goes on"])
    assert not again.passed
    run_folder.finish(out, again)
    gated.seal(out)
    checked = gate(out, TERMS)
    assert checked.warned.startswith("verifies nothing: the baseline is no better than a constant answer: accuracy ")
    messages = said(checked)["gate-numbers"]
    assert any(one.startswith("baseline above a constant answer: no better") for one in messages)
    assert any(one.startswith("model above a constant answer: no better") for one in messages)


def test_gates_beyond_chance_and_of_the_worst_class(out: Path) -> None:
    file = out / "recipe.yaml"
    gates = 'gates: {kept_beyond_chance: ">= 0.1", worst_class_recall: ">= 1"}\n'
    file.write_text(file.read_text().rstrip() + "\n" + gates)
    gated.seal(out)
    checked = gate(out, TERMS)
    assert any(one.startswith("kept beyond chance ") for one in checked.kept)
    found = said(checked)
    assert any(one.startswith("worst class recall ") for one in found["gate-numbers"])
    assert any("gate kept_beyond_chance is missing from the report" in one for one in found["gate-recomputed"])


def test_a_run_of_version_1_is_judged_by_what_its_folder_shows(out: Path) -> None:
    def older(report: dict[str, Any]) -> None:
        report["version"] = 1
        report["gates"] = [one for one in report["gates"] if "constant answer" not in one["name"]]
        for step in report["steps"]:
            for name in ("above_constant", "kept_beyond_chance", "worst_class_recall"):
                step.pop(name)

    assert forge(out, REPORT, older) == {}
    manifest = json.loads((out / MANIFEST).read_text())
    assert "version" not in manifest or manifest["version"] == 1
