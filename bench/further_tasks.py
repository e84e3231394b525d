"""The white paper's levels on other tasks: what 2/3 and 1/3 of the layers keep of a model that tells many classes or
several labels of a text, scores pairs, tags words, answers questions, or classifies images or sounds.

Command: python bench/further_tasks.py [--task NAME] [--model FOLDER] [--rate N] [--again | --show]; it goes on where
it was killed. Rows, metric and interval are those of `advise run`; one seed. `--again` times those again that other
programs disturbed. Expected: an hour and a half of processor time for both tasks of texts with e5-small-en-12l. Bar
(DESIGN.md, targets): at least 0.97 of the metric with 2/3 of the layers.
"""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import several_labels
from trials import AFTER_FINETUNING, copy, is_left, read, recorded

from advisor.execution import executor
from advisor.execution.job import prepare
from advisor.execution.resumption import unfinish
from advisor.execution.text_lengths import follow
from advisor.inspection import probe
from advisor.inspection.recipe_data import read_data
from advisor.policy.pack import find
from advisor.recipe.reader import load
from advisor.records.measuring import Measuring
from advisor.records.results import Progress, RunResult, StepResult

HERE = Path(__file__).parent
SHARED = HERE.parents[1] / "shared"
RESULTS = HERE / "results" / "further-tasks.jsonl"
MEASURED = 2.0  # seconds that a model is served in each window


class Task(NamedTuple):
    """A data set with the settings that suit it. epochs: of fine-tuning, and of distillation.

    training, limits: further settings of the recipe. model: a folder below that of all models; depth: where its config
    says how many layers it has. made: whether the data set is one of those that several_labels.py makes. distil_rate:
    of distillation, where it is not that of fine-tuning.
    """

    tag: str
    data: str
    training: str
    epochs: tuple[int, int]
    rate: float = 1e-4
    limits: str = ""
    model: str = "e5-small-en-12l"
    depth: str = "num_hidden_layers"
    made: bool = False
    distil_rate: float = 0.0


MINILM: dict[str, Any] = {"model": "distilbert-l6/distilbert-minilm-l6", "depth": "n_layers"}
TASKS = (
    Task("text-classification", "clinc", "max_tokens: 32", (4, 3), 3e-4, **MINILM),
    Task("text-classification", several_labels.NAME, "max_tokens: 64", (10, 4), 3e-4, **MINILM, made=True),
    Task("text-classification", "stsb", "max_tokens: 64", (3, 3), limits="metric: pearson", **MINILM),
    Task("token-classification", "wnut17", "max_tokens: 64", (4, 6)),
    Task(  # a second try of MPNet: keeps less than six epochs at 1e-4
        *("token-classification", "wnut17", "max_tokens: 64, patience: 6", (4, 9)),
        model="mpnet-base",
        distil_rate=2e-4,
    ),
    Task("question-answering", "xquad-en", "max_tokens: 384", (5, 12), distil_rate=3e-4),  # 4 at 1e-4 missed
    Task(
        *("image-classification", "cifar10-part", "image_size: 56", (8, 3)),
        limits="max_samples: 2000",
        model="vit-small/vit-small-14",
    ),
    Task("audio-classification", "fsdd", "max_seconds: 2", (5, 6), model="whisper-tiny-en", depth="encoder_layers"),
)
LEVELS = {"2/3 of the layers": 2, "1/3 of the layers": 1}  # thirds that stay


def main() -> None:
    """Run what has no result yet, or show what has."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=SHARED / "models", help="folder of models")
    parser.add_argument("--model", type=Path, help="a model's own folder, instead of the one that suits a task")
    parser.add_argument("--data", type=Path, default=SHARED / "data", help="folder of data sets as Parquet")
    parser.add_argument("--work", type=Path, default=HERE.parent / "runs" / "further-tasks", help="where runs are kept")
    parser.add_argument("--task", default="", help="tasks or data sets whose name holds this")
    parser.add_argument("--rate", type=float, help="of distillation, instead of the one that suits a task's own model")
    parser.add_argument("--again", action="store_true", help="time again what was timed on a busy machine")
    parser.add_argument("--show", action="store_true", help="show what was measured, run nothing")
    given = parser.parse_args()
    for task in TASKS:
        if given.task in f"{task.tag} {task.data}" and not given.show:
            _measure(task._replace(distil_rate=given.rate or task.distil_rate), given)
    for one in {str(_key(one)): one for one in read(RESULTS)}.values():
        print(_words(one))


def _measure(task: Task, given: Namespace) -> None:
    """Both levels of a task; the second takes over the model that was fine-tuned for the first."""
    model = given.model or given.models / task.model
    for level, thirds in LEVELS.items():
        key = (task.data, model.name, level, list(task.epochs), task.distil_rate, task.training)
        if is_left([one for one in read(RESULTS) if _key(one) == key], given.again):
            begun = time.monotonic()
            out = _folder(task, model, thirds, given)
            result = _run(_recipe(task, model, thirds, given), out)
            line = {"task": task.tag, "data": task.data, "model": model.name, "level": level, **_numbers(result)}
            line |= {"settings": task._asdict(), "seconds": round(time.monotonic() - begun), "load": os.getloadavg()[0]}
            line["record"] = recorded(out, task.data, model.parent, given.data, given.work)
            RESULTS.parent.mkdir(exist_ok=True)
            with RESULTS.open("a") as file:
                file.write(json.dumps(line) + "\n")


def _folder(task: Task, model: Path, thirds: int, given: Namespace) -> Path:
    """The run of a level. It begins with what is fine-tuned already."""
    out, first = (given.work / f"{model.name}-{task.data}-{one}" for one in (thirds, LEVELS["2/3 of the layers"]))
    if first.exists() and not out.exists():
        copy(first, out, *AFTER_FINETUNING)
    if given.again:
        unfinish(out)
    return out


def _recipe(task: Task, model: Path, thirds: int, given: Namespace) -> Path:
    layers = json.loads((model / "config.json").read_text())[task.depth]
    data = several_labels.made(given.data, given.work) if task.made else given.data / task.data
    limits = f", {task.limits}" if task.limits else ""
    tuned, distilled = f"learning_rate: {task.rate}", f"learning_rate: {task.distil_rate or task.rate}"
    given.work.mkdir(parents=True, exist_ok=True)
    file = given.work / f"{model.name}-{task.data}-{thirds}.yaml"
    file.write_text(
        f"version: 1\nname: {task.data}-{thirds}-thirds\nmodel: {{source: {json.dumps(str(model))}}}\n"
        f"data: {{source: {json.dumps(str(data))}, task: {task.tag}{limits}}}\ndevice: cpu\n"
        f'goal: {{relative_accuracy: ">= 0.85"}}\nsteps:\n  - finetune: {{epochs: {task.epochs[0]}, {tuned}}}\n'
        f"  - layer_removal: {{keep: {layers * thirds // 3}, choose: alternate}}\n"
        f"  - distillation: {{epochs: {task.epochs[1]}, {distilled}}}\n"
        f"training: {{batch_size: 16, {task.training}, joined_texts: 0}}\n"
    )
    return file


def _run(file: Path, out: Path) -> RunResult:
    written, document = load(file)
    recipe, data = follow(written, document, probe.model(written.model.source), read_data(written), False)
    job = prepare(find(str(HERE / "measuring")), recipe, document, data, file.parent, "auto")
    if job.reviewed.errors:
        raise SystemExit("\n".join(f"{one.rule}: {one.message}" for one in job.reviewed.findings))
    result, said = None, 0.0
    for event in executor.run(replace(job, measuring=Measuring(MEASURED)), out, resume=out.exists()):
        if isinstance(event, Progress) and time.monotonic() - said > 60:
            said = time.monotonic()
            print(f"  {event.label} {event.done}/{event.total} {event.note}", file=sys.stderr, flush=True)
        result = event if isinstance(event, RunResult) else result
    assert result is not None
    return result


def _numbers(result: RunResult) -> dict[str, Any]:
    """What a line says of a run."""
    return {
        "rows": result.eval_samples,
        "machine": result.provenance["machine"],
        "versions": result.provenance["versions"],
        "time_notes": list(result.steps[0].notes),
        "steps": {one.name: _step(one) for one in result.steps},
    }


def _step(one: StepResult) -> dict[str, Any]:
    share, took = one.relative_accuracy, one.served.time
    found = {"metrics": dict(one.metrics), "relative": share.value, "interval": share.interval}
    return found | {"size": one.relative_size, "time": took.value, "time_interval": took.interval}


def _key(line: dict[str, Any]) -> tuple[Any, ...]:
    settings = line["settings"]
    same = settings["epochs"], settings.get("distil_rate", 0.0), settings["training"]
    return line["data"], line["model"], line["level"], *same


def _words(line: dict[str, Any]) -> str:
    last, first = line["steps"]["distillation"], line["steps"]["finetune"]
    metric, reached = next(iter(first["metrics"].items()))
    ends = " to ".join(f"{end:.3f}" for end in last["interval"] or ())
    now = last["metrics"][metric]
    shares = f"{last['relative']:.3f} ({ends}), size {last['size']:.2f}, time {last['time'] or float('nan'):.2f}"
    return f"{line['data']}, {line['model']}, {line['level']}: {metric} {now:.3f} of {reached:.3f}: {shares}"


if __name__ == "__main__":
    main()
