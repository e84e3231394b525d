"""A tracker keeps what a run measures, in the run's folder; without its library the run is refused at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from advisor.cli import main
from advisor.compute.training.tracking import Log
from advisor.records.diagnostics import CurvePoint
from advisor.records.output_folder import TRACKERS
from advisor.records.results import Measured, Progress, StepResult


def step(name: str) -> StepResult:
    return StepResult(name, name, f"steps/0-{name}", 9, 9, 100, 0.9, Measured(1.0), 1.0, metrics={"accuracy": 0.9})


def test_curves_go_on_over_all_steps(tmp_path: Path) -> None:
    def point(label: str, batches: int, selection: float | None = None) -> Progress:
        return Progress(label, batches, 10, point=CurvePoint(batches, batches / 5, 1e-3, 1 / batches, selection))

    events = (
        point("fine-tune", 5), Progress("fine-tune", 6, 10), point("fine-tune", 10, 0.8), step("finetune"),
        point("distil", 5, 0.9), step("distillation"),
    )  # fmt: skip
    log = Log("tensorboard", tmp_path / "tracking", "a run", {"training.seed": 0, "student": None}, "cpu")
    assert list(log.followed(one for one in events)) == list(events)
    found = EventAccumulator(str(tmp_path / "tracking")).Reload()
    kept = {
        tag: [(one.step, pytest.approx(one.value)) for one in found.Scalars(tag)] for tag in found.Tags()["scalars"]
    }
    assert kept["fine-tune/loss"] == [(5, 0.2), (10, 0.1)]
    assert kept["fine-tune/selection"] == [(10, 0.8)]
    assert kept["distil/loss"] == [(15, 0.2)]
    assert kept["finetune/accuracy"] == [(10, 0.9)] and kept["distillation/parameters"] == [(15, 9)]


@pytest.mark.parametrize("tracker", [one for one in TRACKERS if one != "tensorboard"])
def test_a_missing_library_is_told_before_anything_is_read(
    tracker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from advisor.api import orders

    monkeypatch.setattr(orders, "find_spec", lambda name: None if name == tracker else True)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("this is no recipe")
    assert main(["run", str(recipe), "--out", str(tmp_path / "out"), "--track", tracker]) == 2
    said = capsys.readouterr().err
    assert f"--track {tracker} needs {tracker}, not installed" in said and f"[{tracker}]" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_mlflow_keeps_curves_in_the_folder_of_the_run(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="an extra of its own: pip install 'model-advise[mlflow]'")
    folder = tmp_path / "tracking"
    kept(folder, "mlflow")
    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("advise")
    (run,) = client.search_runs([experiment.experiment_id])
    losses = client.get_metric_history(run.info.run_id, "fine-tune/loss")
    assert [(one.step, one.value) for one in losses] == [(5, pytest.approx(0.2)), (10, pytest.approx(0.1))]
    assert run.data.metrics["finetune/accuracy"] == pytest.approx(0.9) and run.data.params["training.seed"] == "0"


@pytest.mark.slow
def test_wandb_keeps_curves_offline_and_leaves_no_link(tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="an extra of its own: pip install 'model-advise[wandb]'")
    kept(tmp_path / "tracking", "wandb")
    (file,) = (tmp_path / "tracking").rglob("run-*.wandb")
    assert "offline-run" in str(file) and b"fine-tune/loss" in file.read_bytes()
    assert not [one for one in tmp_path.rglob("*") if one.is_symlink()]


def kept(folder: Path, tracker: str) -> None:
    """A tracker's own files of two points of a curve and of one model."""
    events = (
        Progress("fine-tune", 5, 10, point=CurvePoint(5, 1.0, 1e-3, 0.2, None)),
        Progress("fine-tune", 10, 10, point=CurvePoint(10, 2.0, 1e-3, 0.1, 0.8)),
        step("finetune"),
    )
    log = Log(tracker, folder, "a run", {"training.seed": 0, "student": None}, "cpu")
    assert len(list(log.followed(one for one in events))) == 3
