"""Lines of `bench/results` as runs: recipes that were carried out, first looks, and those of training_length.py."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from subjects import E5, FOLDERS, MODELS, TRAIN
from trials import HERE

from advisor.runs.record import Record, build

RESULTS = HERE / "results"
TIMED = "relative_time", "relative_emissions", "emissions", "latency", "throughput", "wh_per", "idle_wh_per", "g_per"


class Run(NamedTuple):
    """A line of a result file. file: its name; line: as it stands, or as lines of targets.jsonl stand."""

    file: str
    line: Mapping[str, Any]

    @property
    def model(self) -> str:
        if self.file == "from-nothing":
            return f"{self.line['arm']} of 6 layers from nothing"
        return str(self.line.get("model", E5))

    @property
    def task(self) -> str:
        return str(self.line["task"]).partition("-")[0]

    @property
    def samples(self) -> int:
        """Rows that were trained on; of a whole split loading sets a tenth apart for selection, at most 1,000."""
        given = [part for part in str(self.line["task"]).split("-")[1:] if part.isdecimal()]
        whole = TRAIN[self.task]
        return int(given[0]) if given else whole - min(whole // 10, 1_000)

    def recipe(self) -> str:
        """Its recipe as bench/trials.py writes it, without this machine's folders."""
        lines = (
            "version: 1", f"name: {json.dumps(self.line['arm'])}",
            f"model: {{source: {json.dumps(self.model)}, family: {MODELS[self.model][0]}}}",
            f"data: {{source: {self.task}, metric: {self.line['metric']}, samples: {self.samples}}}",
            "device: cpu", 'goal: {relative_accuracy: ">= 0.85"}', "steps:",
            *(f"  - {step}" for step in self.line["recipe"]),
            f"training: {{max_tokens: 64, seed: {self.line['seed']}, joined_texts: {self.line['joined_texts']}}}",
        )  # fmt: skip
        return "\n".join(lines) + "\n"


def runs() -> Iterator[Run]:
    """Every run that bench/ has made, file by file."""
    for file in sorted(RESULTS.glob("*.jsonl")):
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for line in _timed_last(lines) if file.stem == "real-models" else lines:
            if "record" not in line and "recipe" in line and "baseline" in line:
                yield Run(file.stem, line)
            elif file.stem == "first-looks":
                yield Run(file.stem, _first_look(line))
    yield from _of_lengths()


def _timed_last(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last line of each run: one that was timed again is no other run."""
    names = ("model", "arm", "task", "seed", "recipe", "joined_texts")
    return list({json.dumps([line[name] for name in names]): line for line in lines}.values())


def kept() -> Iterator[Record]:
    """The runs that their measurements kept as the ledger does; the last of each, without times that were disturbed."""
    found: dict[tuple[str, str, str], Record] = {}
    for file in sorted(RESULTS.glob("*.jsonl")):
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            if "record" in line:
                one = build(line["record"])
                name = f"bench/results/{file.name}, {one.name}"
                one = replace(one, name=name, model=FOLDERS.get(one.model, one.model))
                found[one.model, one.data, one.recipe] = _untimed(one) if disturbed(line) else one
    yield from found.values()


def disturbed(line: Mapping[str, Any]) -> bool:
    """Whether other programs disturbed a run's times; how wide an interval is, it says itself."""
    return any(note.startswith("the machine was noisy") for note in line.get("time_notes", ()))


def _untimed(made: Record) -> Record:
    steps = (
        replace(one, quantities=tuple(each for each in one.quantities if not each.name.startswith(TIMED)))
        for one in made.steps
    )
    return replace(made, steps=tuple(steps))


def _first_look(line: Mapping[str, Any]) -> dict[str, Any]:
    frozen = ", frozen embeddings" if line.get("frozen_embeddings") else ""
    settings = {name: line[name] for name in ("epochs", "learning_rate", "hidden_weight")}
    distilled = {"score": line["report"], "relative": line["relative"]}
    return {
        "arm": f"first look{frozen}", "task": f"{line['task']}-{line['rows']}", "seed": line["seed"],
        "metric": "accuracy",
        "recipe": ["finetune: {epochs: 2, learning_rate: 1.0e-4}", "layer_removal: {keep: 4}",
                   f"distillation: {json.dumps(settings).replace('1e', '1.0e')}"],
        "joined_texts": line.get("joined_texts", 0), "baseline": line["baseline"], "steps": {"distillation": distilled},
    }  # fmt: skip


def _of_lengths() -> Iterator[Run]:
    """The runs of bench/training_length.py: each training's best epoch by the selection rows."""
    file = RESULTS / "training-length.jsonl"
    found: dict[tuple[str, int], dict[str, list[dict[str, Any]]]] = {}
    for line in map(json.loads, file.read_text(encoding="utf-8").splitlines() if file.exists() else []):
        if line["arm"] == "fixed":
            found.setdefault((line["task"], line["seed"]), {}).setdefault(line["training"], []).append(line)
    for (task, seed), curves in found.items():
        if len(curves.get("distil", ())) == 9:
            before, after = (max(curve, key=lambda one: one["selection"])["report"] for curve in curves.values())
            steps = {"distillation": {"score": after, "relative": after / before}}
            recipe = ["finetune: {epochs: 3, learning_rate: 5.0e-5}", "layer_removal: {keep: 8}",
                      "distillation: {epochs: 9, learning_rate: 3.0e-4}"]  # fmt: skip
            line = {"arm": "as advised", "task": task, "seed": seed, "metric": "accuracy", "recipe": recipe}
            yield Run("training-length", {**line, "joined_texts": 0, "baseline": before, "steps": steps})
