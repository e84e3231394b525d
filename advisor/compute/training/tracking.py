"""Tracking: what a run measures while it lasts, for TensorBoard, MLflow or Weights & Biases, by accelerate's trackers.

All is written into the run's own folder, and nothing is sent anywhere, unless the environment says otherwise:
MLFLOW_TRACKING_URI and WANDB_MODE count as these tools have them.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from accelerate import Accelerator

from advisor.compute.machine.device import pick
from advisor.records.results import Progress, RunResult, StepResult

PROJECT, MLFLOW = "advise", "MLFLOW_TRACKING_URI"
QUIET = {"silent": True}  # the screen belongs to the run
Event = TypeVar("Event")


class Log:
    """A run as a tracker keeps it: training curves over all batches of the run, then the numbers of each model.

    Args:
        folder: where the tracker writes. run: its name. settings: of the run, by name.
    """

    def __init__(self, tracker: str, folder: Path, run: str, settings: Mapping[str, Any], train_on: str) -> None:
        folder.mkdir(exist_ok=True)
        self.placed = MLFLOW not in os.environ  # the next run has a folder of its own
        os.environ.setdefault(MLFLOW, f"sqlite:///{(folder / 'mlflow.db').absolute()}")
        mode = os.environ.get("WANDB_MODE", "offline")
        options: dict[str, dict[str, Any]] = {
            "tensorboard": {},
            "mlflow": {"mlflow": {"run_name": run, "logging_dir": str((folder / "artifacts").absolute())}},
            "wandb": {"wandb": {"name": run, "dir": str(folder), "mode": mode, "settings": QUIET}},
        }
        # As the training loop makes it: accelerate keeps one state for the whole process.
        accelerator = Accelerator(cpu=pick(train_on).type == "cpu", log_with=tracker, project_dir=str(folder))
        project = "." if tracker == "tensorboard" else PROJECT  # TensorBoard takes it for a folder below the first
        accelerator.init_trackers(project, {name: _plain(one) for name, one in settings.items()}, options[tracker])
        self.trackers, self.folder = accelerator.trackers, folder
        self.before = self.last = 0  # batches of the steps before, and of all so far

    def followed(self, events: Generator[Event]) -> Generator[Event]:
        """The same events, kept."""
        try:
            for event in events:
                self.note(event)
                yield event
        finally:
            events.close()
            for one in self.trackers:
                one.finish()
            if self.placed:
                os.environ.pop(MLFLOW, None)
            _remove_links(self.folder)

    def note(self, event: object) -> None:
        """Keep what an event measures."""
        if isinstance(event, Progress) and event.point:
            point = event.point
            self.last = self.before + point.batches
            found = {"loss": point.loss, "learning_rate": point.learning_rate, "selection": point.selection}
            self._log({f"{event.label}/{name}": value for name, value in found.items()})
        elif isinstance(event, StepResult):
            self.before = self.last
            self._log({f"{event.name}/{name}": value for name, value in _numbers(event).items()})
        elif isinstance(event, RunResult):
            for step in event.steps:
                served = {"relative_time": step.served.time.value, "relative_emissions": step.served.emissions.value}
                self._log({f"{step.name}/{name}": value for name, value in served.items()})

    def _log(self, values: Mapping[str, float | None]) -> None:
        known = {name: value for name, value in values.items() if value is not None}
        for one in self.trackers:
            one.log(known, step=self.last)


def _remove_links(folder: Path) -> None:
    """The gate takes no links, which may lead anywhere; wandb leaves one to its own log in the user's cache."""
    for path in [one for one in folder.rglob("*") if one.is_symlink()]:
        path.unlink()


def _numbers(step: StepResult) -> dict[str, float | None]:
    """What is known of a model when it is made."""
    own = {"parameters": float(step.parameters), "size_bytes": float(step.size_bytes), "seconds": step.seconds}
    return {**step.metrics, "relative_accuracy": step.relative_accuracy.value, **own}


def _plain(value: Any) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else str(value)
