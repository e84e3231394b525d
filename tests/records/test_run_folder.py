"""What a finished run leaves, and what is said of folders that are no finished run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from advisor.base.errors import AdviseError
from advisor.compute.data.labels import Rows
from advisor.records import run_folder
from advisor.records.results import Measured, RunResult, StepResult
from advisor.report.schema import schema

STEP = StepResult("finetune", "fine-tuned", "steps/0-finetune", 9, 9, 36, 0.5, Measured(1.0, spread=(0.5, 1.5)), 1.0)
RESULT = RunResult("r", "m", "BERT", "cpu", "cpu", 2, (STEP,), (), {"seed": 0}, 1.5)


def test_a_finished_run_reads_back_equal(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("version: 1\n")
    run_folder.finish(tmp_path, RESULT, card="# A model\n")
    assert run_folder.read(tmp_path) == RESULT
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert list(files) == ["README.md", "recipe.yaml", "report.json"]
    assert files["recipe.yaml"] == hashlib.sha256(b"version: 1\n").hexdigest()


def test_a_report_is_as_its_schema_says(tmp_path: Path) -> None:
    run_folder.finish(tmp_path, RESULT)
    validator = Draft202012Validator(json.loads(schema("report")))
    report = json.loads((tmp_path / "report.json").read_text())
    assert [error.message for error in validator.iter_errors(report)] == []
    del report["steps"][0]["relative_accuracy"]
    report["eval_samples"] = "many"
    assert {error.json_path for error in validator.iter_errors(report)} == {"$.steps[0]", "$.eval_samples"}


def test_drafts_are_no_part_of_a_folder(tmp_path: Path) -> None:
    for name in ("a/b.txt", ".a.draft/b.txt", "a/.b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert list(run_folder.hashes(tmp_path)) == ["a/b.txt"]


def test_files_that_nobody_knows_are_named_without_being_read(tmp_path: Path) -> None:
    (tmp_path / "known").write_text("as it was")
    with (tmp_path / "endless").open("wb") as file:
        file.truncate(1 << 40)  # 1 TiB that take no room on the disk
    assert run_folder.hashes(tmp_path, {"known", "gone"}.__contains__) == {
        "endless": "",
        "known": hashlib.sha256(b"as it was").hexdigest(),
    }


def test_a_card_that_is_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / run_folder.CARD).symlink_to(tmp_path / "mine.md")
    run_folder.finish(out, RESULT, "the card")
    assert ((tmp_path / "mine.md").read_text(), (out / run_folder.CARD).read_text()) == ("mine", "the card")


def test_texts_and_pairs_are_kept_with_the_answers(tmp_path: Path) -> None:
    scores = {"finetune": [[0.5, float(row)] for row in range(10)]}
    run_folder.write_predictions(tmp_path, Rows(("é",) * 10, ("b",) * 10, (0, 1) * 5), scores)
    kept = json.loads((tmp_path / "predictions.json").read_text())
    assert (kept["labels"], kept["scores"]) == ([0, 1] * 5, scores)
    assert kept["ids"] == [hashlib.sha256(json.dumps(["é", "b"]).encode()).hexdigest()[:16]] * 10
    answers = json.loads((tmp_path / "answers.json").read_text())
    assert answers["rows"] == [{"text": "é", "pair": "b", "label": label} for label in (0, 1) * 4]
    assert answers["scores"]["finetune"][-1] == [0.5, 7.0]
    run_folder.write_predictions(tmp_path, Rows(("é",) * 10, None, (0, 1) * 5), scores)
    assert json.loads((tmp_path / "answers.json").read_text())["rows"][0] == {"text": "é", "pair": None, "label": 0}
    assert json.loads((tmp_path / "predictions.json").read_text())["rows_sha256"] != kept["rows_sha256"]


def test_rows_are_found_again_by_their_ids() -> None:
    picture = hashlib.sha256(b"a picture").hexdigest()
    assert run_folder.row_ids(["é", b"a picture"]) == [
        hashlib.sha256(json.dumps(one).encode()).hexdigest()[:16] for one in ("é", picture)
    ]


def test_labels_that_are_no_numbers_are_kept_with_their_answers_alone(tmp_path: Path) -> None:
    rows = Rows((("a", "b"), ("c",)), None, ((0, 1), (2,)))
    run_folder.write_predictions(tmp_path, rows, {"finetune": [[1.0], [0.0]]})
    assert "labels" not in json.loads((tmp_path / "predictions.json").read_text())
    answers = json.loads((tmp_path / "answers.json").read_text())
    assert answers["rows"] == [
        {"text": ["a", "b"], "pair": None, "label": [0, 1]},
        {"text": ["c"], "pair": None, "label": [2]},
    ]


def test_a_folder_without_a_manifest_is_no_finished_run(tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match=r"is no finished run: there is no manifest\.json"):
        run_folder.read(tmp_path)
    with pytest.raises(AdviseError, match="no such folder"):
        run_folder.read(tmp_path / "gone")


@pytest.mark.parametrize(
    ("report", "why"), [("{", "is not JSON"), ('{"name": "x"}', "cannot be read as a report: model: Field required")]
)
def test_a_report_that_makes_no_sense(tmp_path: Path, report: str, why: str) -> None:
    run_folder.finish(tmp_path, RESULT)
    (tmp_path / "report.json").write_text(report)
    with pytest.raises(AdviseError, match=f"report.json: {why}"):
        run_folder.read(tmp_path)


def test_no_number_that_is_none_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        run_folder.write_predictions(tmp_path, Rows(("a",), None, (0,)), {"finetune": [[float("nan")]]})


def test_a_run_one_folder_below_is_named(tmp_path: Path) -> None:
    """`make demo` leaves its run in runs/demo/run, and people give runs/demo."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}")
    with pytest.raises(AdviseError) as caught:
        run_folder.read(tmp_path)
    assert str(caught.value).endswith(f"try: there is one in {tmp_path / 'run'}")
