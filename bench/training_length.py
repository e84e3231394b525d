"""Training length: what do fewer epochs cost? Each epoch of fixed lengths is scored on selection and report rows.

Command: python bench/training_length.py [--task mrpc] [--show]. e5-small, fine-tuned for three epochs at 5e-5, cut to 8
of its 12 layers and distilled for nine; and the same after ten epochs of fine-tuning. Stopping early ends the same
training sooner (the learning rate's schedule is that of all epochs), so what it keeps is read from these scores.
Expected on one core with bf16: ten to thirty minutes for each data set and arm. Results:
bench/results/training-length.jsonl.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest.mock import patch

from trials import HERE, Arm, Task, Trial, _carried_out, options

from advisor.compute.data.batches import Encoded
from advisor.compute.training import loop
from advisor.compute.training.context import judge, quality
from advisor.execution.work import Work

FILE = HERE / "results" / "training-length.jsonl"
STEPS = ("layer_removal: {keep: 8}", "distillation: {epochs: 9, learning_rate: 3.0e-4}")
TASKS = (Task("sst2", 1_000), Task("mrpc", 1_000), Task("cola", 1_000))
ARMS = {"fixed": 3, "ten epochs": 10}  # of fine-tuning
REPORT = 2_000  # rows at most that are scored after each epoch


@contextmanager
def watched(known: dict[str, Any]) -> Iterator[None]:
    """Within, no training stops early, and each epoch writes its scores; those of the report rows decide nothing."""
    report: list[Encoded] = []
    begin, judging, now = Work.__init__, loop._Training.judge, time.monotonic()

    def opened(self: Work, *given: Any) -> None:
        begin(self, *given)
        report[:] = [self.reading.report.take(REPORT)]

    def judged(self: loop._Training) -> Any:
        reached = judging(self)
        scored = {
            name: quality(judge(self.student, self.context, rows).table, rows, self.context)
            for name, rows in (("selection", self.context.selection), ("report", report[0]))
        }
        epoch, seconds = self.at.done // self.per_epoch, round(time.monotonic() - now)
        line = {**known, "training": self.schedule.label, "epoch": epoch, **scored, "updates": self.at.done}
        with FILE.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "since_start_s": seconds}) + "\n")
        return reached

    whole = patch.object(loop._Training, "exhausted", lambda _: False)
    with patch.object(Work, "__init__", opened), patch.object(loop._Training, "judge", judged), whole:
        yield


def trials(wanted: str) -> Iterator[Trial]:
    """Every data set with each arm."""
    for name, epochs in ARMS.items():
        for task in TASKS:
            known = {"task": task.key, "arm": name, "seed": 0}
            if wanted in task.key:
                arm = Arm(f"length {name}", STEPS, joined=0, within=partial(watched, known))
                yield Trial(arm, task._replace(epochs=epochs), 0)


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()] if FILE.exists() else []


def stopped(curve: list[dict[str, Any]], patience: int) -> tuple[int, dict[str, Any]]:
    """Epochs that are trained, and the line of the one that is kept, where so many without a better one end it."""
    best = curve[0]
    for line in curve:
        if line["selection"] > best["selection"]:
            best = line
        if patience and line["epoch"] - best["epoch"] >= patience:
            return line["epoch"], best
    return len(curve), best


def show() -> None:
    """For each training, what each patience keeps and how many epochs it takes."""
    key = lambda line: (line["task"], line["arm"], line["training"])  # noqa: E731
    for name, curve in groupby(lines(), key):
        whole = list(curve)
        for patience in (0, 1, 2, 3):
            epochs, kept = stopped(whole, patience)
            told = f"{epochs} of {len(whole)} epochs, selection {kept['selection']:.4f}, report {kept['report']:.4f}"
            print(f"{' '.join(name):<40} patience {patience or '-'}: {told}")


def main() -> None:
    """Measure what is not measured yet, and print all."""
    given = options(__doc__)
    done = {(line["task"], line["arm"]) for line in lines() if (line["training"], line["epoch"]) == ("distil", 9)}
    for trial in [] if given.show else trials(given.task):
        if (trial.task.key, trial.arm.name.removeprefix("length ")) not in done:
            Path(given.work).mkdir(parents=True, exist_ok=True)
            _carried_out(trial, given)
    show()


if __name__ == "__main__":
    main()
