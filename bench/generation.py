"""What models that write keep with fewer layers: a language model on IMDb, a text-to-text model on scitldr.

    python bench/generation.py --model t5=FOLDER --model llama=FOLDER --data FOLDER

Each arm is fine-tuned once, then made smaller and distilled; the fine-tuned model is shared. Arms that the core pack
forbids run under bench/measuring. `--again` times those again that other programs disturbed. Results go to
bench/results/generation.jsonl, one line an arm; of several lines of an arm the last counts.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from trials import AFTER_FINETUNING, copy, is_left, read, recorded

from advisor.execution import executor
from advisor.execution.job import prepare
from advisor.execution.resumption import unfinish
from advisor.inspection.recipe_data import read_data
from advisor.policy.pack import find
from advisor.recipe.reader import loads
from advisor.records.results import RunResult, StepResult

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "generation.jsonl"


class Work(NamedTuple):
    """A task with its model and data. model: a name of --model. rows: of each split that are used, all where 0."""

    name: str
    model: str
    data: str
    settings: str
    training: str
    finetune: str
    distil: str
    arms: tuple[str, ...]
    rows: dict[str, int]
    parts: dict[str, str]


TEXTS = Work(
    "imdb",
    "llama",
    "imdb",
    "task: text-generation, text: text",
    "batch_size: 8, max_tokens: 256",
    "{epochs: 1, learning_rate: 3.0e-5}",
    "{epochs: 1, learning_rate: 1.0e-4, hidden_weight: 0}",
    ("{keep: 20}", "{keep: 20, choose: importance}", "{keep: 10}"),
    {"train": 600, "validation": 40, "test": 300},  # 150,000 tokens
    {"train": "unsupervised", "validation": "train", "test": "test"},
)
SUMMARIES = Work(
    "scitldr",
    "t5",
    "scitldr",
    'task: summarization, prefix: "summarize: "',
    "batch_size: 16, max_tokens: 256, max_new_tokens: 48",
    "{epochs: 3, learning_rate: 3.0e-4}",
    "{epochs: 3, learning_rate: 3.0e-4, hidden_weight: 0}",
    ("{decoder_keep: 4}", "{decoder_keep: 2}", "{encoder_keep: 5, decoder_keep: 5}"),
    {"train": 1_000, "validation": 100, "test": 300},
    {"train": "train", "validation": "validation", "test": "test"},
)


def main() -> None:
    """Measure every arm that has no result yet."""
    given = _options()
    models = dict(one.split("=", 1) for one in given.model)
    for work in (SUMMARIES, TEXTS):
        for arm in work.arms:
            known = given.only in f"{work.name} {arm}" and work.model in models
            if not known or not is_left(_measured(work, arm), given.again):
                continue
            begun = time.monotonic()
            out = _shared(work, arm, given.work)
            if given.again:
                unfinish(out)
            result = _run(_recipe(work, arm, models[work.model], _data(work, given), given.untimed), out)
            line = {"task": work.name, "arm": arm, "recipe": [work.finetune, work.distil, work.training]}
            line |= {"policy": "outside: bench/measuring", "seconds": round(time.monotonic() - begun)}
            line |= {
                "machine": result.provenance["machine"],
                "time_notes": list(result.steps[0].notes),
                "steps": {one.name: _numbers(one) for one in result.steps},
            }
            line["record"] = recorded(out, work.data, Path(models[work.model]).parent, given.work)
            with RESULTS.open("a") as lines:
                lines.write(json.dumps(line) + "\n")


def _options() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", default=[], metavar="NAME=FOLDER", help="t5 and llama")
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets as Parquet")
    parser.add_argument("--work", type=Path, default=HERE.parent / "runs" / "generation", help="where runs are kept")
    parser.add_argument("--again", action="store_true", help="time again what was timed on a busy machine")
    parser.add_argument("--untimed", action="store_true", help="leave out the time, which a busy machine disturbs")
    parser.add_argument("--only", default="", help="arms whose task or settings hold this")
    return parser.parse_args()


def _measured(work: Work, arm: str) -> list[dict[str, Any]]:
    return [one for one in read(RESULTS) if (one["task"], one["arm"]) == (work.name, arm)]


def _data(work: Work, given: Namespace) -> Path:
    """The first rows of each split that the work takes."""
    folder: Path = given.work / f"data-{work.name}"
    folder.mkdir(parents=True, exist_ok=True)
    for part, source in work.parts.items():
        rows = pq.read_table(given.data / work.data / f"{source}.parquet")
        # IMDb is sorted by label: every so many rows, not the first ones.
        step = len(rows) // work.rows[part] if work.rows[part] else 1
        pq.write_table(
            rows.take(list(range(0, len(rows), step))[: work.rows[part] or len(rows)]), folder / f"{part}.parquet"
        )
    return folder


def _recipe(work: Work, arm: str, model: str, data: Path, untimed: bool = False) -> str:
    device = "edge" if untimed else "cpu"  # models for devices that are not here are not served
    return (
        f"version: 1\nname: {work.name}\nmodel: {{source: {json.dumps(model)}}}\ndevice: {device}\n"
        f"data: {{source: {json.dumps(str(data))}, {work.settings}}}\n"
        f'goal: {{relative_accuracy: ">= 0.97"}}\nsteps:\n  - finetune: {work.finetune}\n'
        f"  - layer_removal: {arm}\n  - distillation: {work.distil}\ntraining: {{{work.training}}}\n"
    )


def _shared(work: Work, arm: str, folder: Path) -> Path:
    """The folder of an arm, with the fine-tuned model of the first one."""
    out, first = (folder / f"{work.name}-{work.arms.index(one)}" for one in (arm, work.arms[0]))
    if out != first and first.exists() and not out.exists():
        copy(first, out, *AFTER_FINETUNING)
    return out


def _run(text: str, out: Path) -> RunResult:
    recipe, document = loads(text)
    job = prepare(find(str(HERE / "measuring")), recipe, document, read_data(recipe), Path(), "cpu")
    if job.reviewed.errors:
        raise SystemExit("\n".join(f"{one.rule}: {one.message}" for one in job.reviewed.findings))
    for event in executor.run(job, out, resume=True):
        if not hasattr(event, "done"):
            print(event, file=sys.stderr, flush=True)
    assert isinstance(event, RunResult)
    return event


def _numbers(one: StepResult) -> dict[str, Any]:
    share, time_ = one.relative_accuracy, one.served.time
    found = {"metrics": dict(one.metrics), "relative": share.value, "interval": share.interval}
    return found | {"size": one.relative_size, "time": time_.value, "time_interval": time_.interval}


if __name__ == "__main__":
    main()
