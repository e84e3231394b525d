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
