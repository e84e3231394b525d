"""Trials: recipes carried out on real text for several seeds; each result is a JSON line, and none is made twice.

They go through the executor, so a command that is killed goes on where it was. Runs of one seed and data set begin with
the same fine-tuning: its folder is handed from one to the next, and resumption takes it over.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from tasks import Task, prepared

from advisor.base.errors import AdviseError
from advisor.execution import executor
from advisor.execution.job import Job, prepare
from advisor.execution.resumption import unfinish
from advisor.inspection.recipe_data import read_data
from advisor.policy.pack import core, find
from advisor.recipe.reader import load
from advisor.records.results import Progress, RunResult, StepResult
from advisor.review.review import review
from advisor.runs import finished, record

HERE = Path(__file__).parent
SHARED = HERE.parents[1] / "shared"
AFTER_FINETUNING = "manifest.json", "attestation*", *(f"{number}-*" for number in range(1, 10))

Line = tuple[str, Sequence[float], str]  # what, its value for each seed, a remark


class Arm(NamedTuple):
    """One way of doing it: the steps after fine-tuning, one YAML mapping each.

    joined: texts of two training texts. serves: time the models on this machine. goes_on: the arm whose run this one
    takes over and continues; that of fine-tuning alone where empty. within: what is in force meanwhile.
    """

    name: str
    steps: Sequence[str]
    joined: int = 10_000
    serves: bool = False
    goes_on: str = ""
    within: Callable[[], AbstractContextManager[None]] = nullcontext


class Trial(NamedTuple):
    """One arm on one data set with one seed. model: the name of its folder, where more than one model is measured."""

    arm: Arm
    task: Task
    seed: int
    model: str = ""

    @property
    def key(self) -> dict[str, Any]:
        """What its result is known by: no other settings pass for these."""
        settings = {"recipe": [self.task.finetune, *self.arm.steps], "joined_texts": self.arm.joined}
        model = {"model": self.model} if self.model else {}
        return {**model, "arm": self.arm.name, "task": self.task.key, "seed": self.seed, **settings}

    def folder(self, work: Path, arm: str = "") -> Path:
        """Where its run is kept, or that of another arm on the same rows with the same seed."""
        return work / self.model / f"{self.task.key}-{self.seed}-{(arm or self.arm.name).replace(' ', '-')}"


def options(about: str) -> Namespace:
    """The command line that all of these measurements share, as it was given."""
    return parser(about).parse_args()


def parser(about: str) -> ArgumentParser:
    """The command line that all of these measurements share."""
    reader = ArgumentParser(description=about)
    reader.add_argument("--model", type=Path, default=SHARED / "models" / "e5-small-en-12l")
    reader.add_argument("--data", type=Path, default=SHARED / "data", help="folder of data sets as Parquet")
    reader.add_argument("--work", type=Path, default=HERE.parent / "runs" / "bench", help="where runs are kept")
    reader.add_argument("--seeds", type=int, default=3)
    reader.add_argument("--only", default="", help="arms whose name holds this")
    reader.add_argument("--task", default="", help="data sets whose name holds this")
    reader.add_argument(
        "--again", action="store_true", help="time again what was timed on a busy machine; train nothing"
    )
    reader.add_argument("--show", action="store_true", help="show what was measured, run nothing")
    return reader


def run(trials: Sequence[Trial], file: Path, given: Namespace) -> None:
    """Carry out the trials that have no result yet, or no times that count, and write one after each."""
    wanted = [one for one in trials if given.only in one.arm.name and given.task in one.task.key]
    left = [one for one in wanted if is_left(_mine(one, file), given.again)]
    for number, trial in enumerate([] if given.show else left):
        print(f"{number + 1} of {len(left)}: {trial.key}", file=sys.stderr, flush=True)
        file.parent.mkdir(exist_ok=True)
        try:
            line = json.dumps({**trial.key, **_carried_out(trial, given)})
        except AdviseError as error:
            raise SystemExit(f"{trial.arm.name}, {trial.task.key}: {error}") from None
        with file.open("a") as lines:
            lines.write(line + "\n")


def results(file: Path, arm: Arm, task: Task, model: str = "") -> list[dict[str, Any]]:
    """What was measured so far of an arm, for each seed."""
    return [one for one in read(file) if one.items() >= Trial(arm, task, one["seed"], model).key.items()]


def read(file: Path) -> list[dict[str, Any]]:
    """Every result in a file; none where there is no file."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def is_left(lines: Sequence[Mapping[str, Any]], again: bool) -> bool:
    """Whether there is no result, or none whose times count. again: of those that there are."""
    return bool(lines) and all(one.get("time_notes") for one in lines) if again else not lines


def _mine(trial: Trial, file: Path) -> list[dict[str, Any]]:
    return [one for one in results(file, trial.arm, trial.task, trial.model) if one["seed"] == trial.seed]


def recorded(run: Path, data: str, *folders: Path) -> dict[str, Any]:
    """A run as the ledger keeps it. data: how they are called. folders: of this machine, which it does not name."""
    return {**json.loads(without_folders(json.dumps(record.of(finished.read(run)).content()), *folders)), "data": data}


def without_folders(text: str, *folders: Path) -> str:
    """JSON without folders of this machine: below those given paths stay, of all others the last name."""
    for folder in folders:
        text = text.replace(f"{folder}/", "")
    return re.sub(r'(\\?")/(?:[^/"\\]+/)+', r"\1", text)


def table(rows: Iterator[Line]) -> None:
    """Print a line for each: a name, the mean of the values with the lowest and the highest, and a remark."""
    for name, values, remark in rows:
        found = "not measured"
        if values:
            found = f"{mean(values):.3f} ({min(values):.3f} to {max(values):.3f}; seeds: {len(values)})"
        print(f"{name:<44} {found:<36} {remark}")


def _carried_out(trial: Trial, given: Namespace) -> dict[str, Any]:
    """Run it, or go on with it: every model's score on the report rows."""
    begun = time.monotonic()
    out, taught = trial.folder(given.work), trial.folder(given.work, "taught")
    before = trial.folder(given.work, trial.arm.goes_on or "taught")
    if before.exists() and not out.exists():
        copy(before, out)
    if given.again:
        unfinish(out)
    job = judged(_recipe(trial, given))
    with trial.arm.within():
        result = watched(job, out)
    if not taught.exists():
        copy(out, taught, *AFTER_FINETUNING)
    baseline, *later = result.steps
    return {
        "baseline": baseline.accuracy,
        "metric": baseline.metric,
        "steps": {one.name: _numbers(one, baseline) for one in later},
        **_served(result),
        "outside_policy": _forbidding(job),
        "machine": result.provenance["machine"],
        "seconds": round(time.monotonic() - begun),
    }


def _numbers(one: StepResult, baseline: StepResult) -> dict[str, Any]:
    """What a line says of a step's model."""
    found: dict[str, Any] = {
        "score": one.accuracy,
        "relative": one.accuracy / baseline.accuracy,
        "size": one.relative_size,
    }
    found["interval"] = one.relative_accuracy.interval
    found["beyond_chance"] = one.kept_beyond_chance.value
    found["predicted"] = {name.removeprefix("relative_"): ends for name, ends in asdict(one.predicted).items() if ends}
    if one.served.time.value is not None:
        found |= {"time": one.served.time.value, "time_interval": one.served.time.interval}
    return found


def _served(result: RunResult) -> dict[str, Any]:
    """What int8's runtime alone brings, and what the run says against its times. Nothing where none was taken."""
    if result.steps[0].served.time.value is None:
        return {}
    runtime = {one.step: one.served.time.value for one in result.fp32_in_runtime}
    return {"time_in_int8_runtime": runtime, "time_notes": list(result.steps[0].notes)}


def copy(source: Path, target: Path, *without: str) -> None:
    """Copy a run whole or not at all: half of one would be done again. without: patterns of names left out."""
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    shutil.copytree(source, part, ignore=shutil.ignore_patterns(*without))
    part.rename(target)


def _recipe(trial: Trial, given: Namespace) -> Path:
    """The recipe of a trial, with its data."""
    data = prepared(trial.task, given.data / trial.task.name, given.work, trial.seed)
    # No edge device is here, so nothing is timed where accuracy alone is measured.
    lines = [
        "version: 1",
        f"name: {json.dumps(trial.arm.name)}",
        f"model: {{source: {json.dumps(str(given.model))}}}",
        f"data: {{source: {json.dumps(str(data))}, metric: {trial.task.metric}}}",
        f"device: {'cpu' if trial.arm.serves else 'edge'}",
        'goal: {relative_accuracy: ">= 0.85"}',
        "steps:",
        *(f"  - {step}" for step in (trial.task.finetune, *trial.arm.steps)),
        f"training: {{max_tokens: {trial.task.tokens}, seed: {trial.seed}, joined_texts: {trial.arm.joined}}}",
    ]
    file = trial.folder(given.work).with_suffix(".yaml")
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return file


def judged(file: Path) -> Job:
    """The recipe of a file with its model and data, judged without the rules that are put to the test."""
    recipe, document = load(file)
    return prepare(find(str(HERE / "measuring")), recipe, document, read_data(recipe), file.parent, "auto")


def _forbidding(job: Job) -> list[str]:
    """The rules of the core pack that forbid a recipe. With any it is outside the policy and is never advised."""
    under_core = review(core(), job.recipe, job.reviewed.document, job.reviewed.facts, job.model)
    return sorted({one.rule for one in under_core.findings if one.severity == "error"})


def watched(job: Job, out: Path) -> RunResult:
    """Carry the recipe out, with a line of progress each minute."""
    if job.reviewed.errors:
        raise SystemExit("\n".join(f"{one.rule}: {one.message}" for one in job.reviewed.findings))
    told, result = 0.0, None
    for event in executor.run(job, out, resume=out.exists()):
        if isinstance(event, Progress) and time.monotonic() - told > 60:
            told = time.monotonic()
            left = f", {event.remaining / 60:.0f} minutes left" if event.remaining else ""
            print(f"  {event.label} {event.done}/{event.total} {event.note}{left}", file=sys.stderr, flush=True)
        result = event if isinstance(event, RunResult) else result
    assert result is not None
    return result
