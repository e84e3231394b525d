"""Measured: every run of `bench/results` as a run of the ledger, and those that predictions are calibrated on.

Command: python bench/measured.py [--show]. It writes advisor/advice/measured.jsonl (as `advise history export` does, so
that `advise history import` reads it) and, of the runs that were made as advice makes them, advisor/advice/
calibration.jsonl. `--show` prints how many measured shares lie inside what is predicted, and on how many data sets, at
a depth, each end holds that was widened by the others alone. Nothing is measured again. Expected: seconds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from result_runs import Run, disturbed, kept, runs
from subjects import MODELS, REPORT, above_constant

from advisor.advice import measured
from advisor.advice.history import shown_to_learn
from advisor.advice.measured import Point, asked, comparable, coverage
from advisor.advice.prediction import WHOLE
from advisor.advice.ranges import SMALL, Cut, Range, cut_effect, int8_effect
from advisor.base.files import write
from advisor.facts.tasks import PROBLEM_TYPES, USUAL, possible
from advisor.families import registry
from advisor.families.family import Config
from advisor.recipe.levels import level_of
from advisor.recipe.plan import Plan, plan
from advisor.recipe.reader import loads
from advisor.recipe.recipe import Recipe
from advisor.runs import import_export
from advisor.runs.record import Quantity, Record, StepRecord

HERE = Path(__file__).parent
FILE = HERE.parent / "advisor" / "advice" / "measured.jsonl"
FIRST_LOOKS = "2 epochs at 1e-4; a script of its own with the executor's losses"


def record(run: Run) -> Record:
    """A run as the ledger keeps it."""
    text, (family, config) = run.recipe(), _model(run)
    whole = loads(text)[0]
    facts = {"model.family": family, "data.samples": run.samples, "device.kind": "cpu"}
    rows, _ = REPORT.get(run.task, (0, 0))
    steps = tuple(_step(run, name, part) for name, part in _parts(whole, config))
    about = f"bench/results/{run.file}.jsonl, {run.line['arm']}" + (", with dropout" if run.line.get("dropout") else "")
    return Record(
        "", about, run.model, family, "cpu", "cpu", run.task, "", run.samples, rows, run.line.get("machine", ""),
        float(run.line.get("seconds", 0)), True, FIRST_LOOKS if run.file == "first-looks" else "", "", "", "", text,
        facts, {}, steps, (),
    )  # fmt: skip


def _model(run: Run) -> tuple[str, Config]:
    """Family and config of a run's model."""
    name, changes = MODELS[run.model]
    family = registry.find(name)
    assert family is not None
    return name, {**family.config, **changes}


def _parts(recipe: Recipe, config: Config) -> Iterator[tuple[str, Plan]]:
    """Each step of a recipe with the plan up to it."""
    for place, step in enumerate(recipe.steps, start=1):
        found = plan(replace(recipe, steps=recipe.steps[:place]), config)
        assert found is not None and not found.problems, found
        yield step.name, found


def _step(run: Run, name: str, part: Plan) -> StepRecord:
    found = {"score": run.line["baseline"], "relative": 1.0} if name == "finetune" else run.line["steps"].get(name, {})
    share = found.get("size", part.parameters / part.baseline_parameters)
    return StepRecord(
        name, part.steps[-1].step.words(), level_of(part), name == "quantization", part.parameters, part.parameters,
        round(4 * part.baseline_parameters * share), run.line["metric"], float(found.get("score", 0)), 0.0,
        tuple(_quantities(run, name, found, share, part.compute_share(part.steps[-1]))),
    )  # fmt: skip


def _quantities(run: Run, name: str, found: Mapping[str, Any], size: float, compute: float) -> Iterator[Quantity]:
    rows, _ = REPORT.get(run.task, (0, 0))
    source = f"{rows:,} report rows"
    yield _quantity("relative_accuracy", found.get("relative"), source, found.get("interval"))
    yield _quantity("relative_size", size, "weights")
    yield _quantity("relative_compute", compute, "exact, of the multiplications in the blocks")
    kept = found.get("beyond_chance")
    own, first = (above_constant(run.task, score) for score in (found.get("score", 0.0), run.line["baseline"]))
    if own and first and "score" in found:
        yield _quantity("above_constant", own[0], source, own[1])
        if kept is None and name != "finetune" and first[0] > 0:
            kept = own[0] / first[0]
    if kept is not None:
        yield _quantity("kept_beyond_chance", kept, source)
    if "time" in found and not disturbed(run.line):
        yield _quantity("relative_time", found["time"], "medians of paired rounds", found.get("time_interval"))


def _quantity(name: str, value: float | None, source: str, interval: Any = None) -> Quantity:
    ends = tuple(map(float, interval)) if interval else None
    return Quantity(name, value, "" if value is not None else "not measured", source, ends, None)  # type: ignore[arg-type]


class Shipped(NamedTuple):
    """A run of the ledger. data: how its rows are called in calibration.jsonl. counts: it may calibrate predictions."""

    made: Record
    data: str
    counts: bool = True


def shipped() -> Iterator[Shipped]:
    """Every run that bench/ has made."""
    for run in runs():
        yield Shipped(record(run), str(run.line["task"]), own(run))
    for made in kept():
        yield Shipped(made, made.data)


def own(run: Run) -> bool:
    """Was a run made by the executor as it is today, of a model that people could have?"""
    return (
        run.file not in ("first-looks", "gpt2-width")  # which is of a GPT-2 that has read a few thousand texts
        and not run.line.get("dropout")
        and "with dropout" not in run.line["arm"]
        and "as one matrix" not in run.line["arm"]
    )


def as_advised(recipe: Recipe) -> bool:
    """Was it made as advice makes models: evenly spaced layers, teacher's scores and hidden states, in small cuts?"""
    steps = {step.name: step for step in recipe.steps}
    order = list(steps) == sorted(steps, key=["finetune", "layer_removal", "distillation", "matrix_pruning",
                                              "quantization"].index)  # fmt: skip
    losses = all(min(one.soft_weight, one.hidden_weight) > 0 for one in recipe.steps if one.distils)  # type: ignore[attr-defined]
    removal, narrow = steps.get("layer_removal"), steps.get("matrix_pruning")
    even = removal is None or removal.choose == "alternate"  # type: ignore[attr-defined]
    slow = narrow is None or narrow.increments >= 4  # type: ignore[attr-defined]
    return order and losses and even and slow


def points(run: Shipped) -> Iterator[Point]:
    """What a run shows of each model that advice might make: the last one of each size, int8 or not."""
    made = run.made
    recipe = loads(made.recipe)[0]
    task = _asked(recipe, made.steps[0].metric)
    if not as_advised(recipe) or made.eval_samples < 400 or not task:
        return
    baseline = made.steps[0].quantity("above_constant")
    if baseline and not shown_to_learn(baseline):
        return  # a share of what is not shown to be better than one constant answer says nothing
    family = registry.find(made.family)
    last = {(_of(step, "relative_compute"), step.int8): step for step in made.steps}
    for (compute, int8), step in last.items():
        accuracy, shares = _of(step, "relative_accuracy"), ("kept_beyond_chance", "relative_time")
        if family and compute and accuracy and step.name not in ("finetune", "layer_removal"):
            found = (round(value, 4) if (value := _of(step, name)) is not None else None for name in shares)
            key = (made.model, run.data, family.predicted_as, made.samples, int8, round(compute, 6))
            yield Point(*key, round(accuracy, 4), *found, task=task)


def _asked(recipe: Recipe, metric: str) -> str:
    """What a run's model was asked for; empty where it is judged by another metric than the usual one of that."""
    task = recipe.data.task or USUAL
    labels = next((name for name, of in PROBLEM_TYPES.items() if metric in of), None) if task == USUAL else None
    return asked(task, labels) if metric == possible(task, labels)[0] else ""


def counted(found: Iterable[Shipped]) -> list[Point]:
    """The points that calibrate. Runs of one seed that share a step, as a narrower cut goes on from the layers' cut and
    the trials of a search do, show its model once; again only where they took its time anew.
    """
    shown = dict[tuple[object, ...], Point]()
    for run in found:
        seed = loads(run.made.recipe)[0].training.seed
        for point in points(run) if run.counts else ():
            key = (point.model, point.data, point.int8, point.compute, point.accuracy, point.beyond_chance, seed)
            if key not in shown or shown[key].time is None:
                shown[key] = point
            elif point.time is not None:
                shown[(*key, point.time)] = point
    return list(shown.values())


def _of(step: StepRecord, quantity: str) -> float | None:
    found = step.quantity(quantity)
    return found.value if found else None


class HeldOut(NamedTuple):
    """A data set and depth, beside ranges that were widened by others alone. claimed: for each end of these."""

    lower: bool
    upper: bool
    claimed: float


def held_out(quantity: str, mine: Iterable[Point], every: Iterable[Point]) -> list[HeldOut]:
    """Whether each end holds for all runs on a data set, where there are comparable runs on others."""
    every, found = list(every), dict[tuple[object, ...], HeldOut]()
    for one in mine:
        others = [other for other in every if other.data_set != one.data_set]
        seen, said = _seen(one, others), expected(one, quantity)
        value = getattr(one, quantity)
        if said is None or value is None or not seen.values(quantity):
            continue
        range_, key = seen.widened(quantity, said), (one.data_set, one.task, round(one.compute, 2), one.int8)
        before = found.get(key, HeldOut(True, True, coverage(seen.data_sets)))
        lower, upper = value >= range_.low - 1e-4, value <= range_.high + 1e-4
        found[key] = before._replace(lower=before.lower and lower, upper=before.upper and upper)
    return list(found.values())


def _seen(one: Point, points: Sequence[Point]) -> measured.Seen:
    return comparable(one.group, one.samples, one.compute, one.int8, points, one.task)


def show() -> None:
    """Shares inside the register's ranges and the widened ones, and how often each end holds on data held out."""
    every = measured.shipped()
    print(f"{'':<32} {'register':>9} {'widened':>9}  {'held out: lower end':>20} {'upper end':>10} {'claimed':>8}")
    for small in (True, False):
        for quantity in ("accuracy", "time"):
            mine = [
                one
                for one in every
                if (one.samples < SMALL) == small and getattr(one, quantity) is not None and expected(one, quantity)
            ]
            if mine:
                _line(f"{quantity}, {'below' if small else 'from'} 10,000 examples", quantity, mine, every)


def _line(words: str, quantity: str, mine: list[Point], every: tuple[Point, ...]) -> None:
    inside = [0, 0]
    for one in mine:
        for place, pool in enumerate(([], every)):
            seen, said = _seen(one, pool), expected(one, quantity)
            assert said is not None
            range_ = seen.widened(quantity, said)
            inside[place] += range_.low - 1e-4 <= getattr(one, quantity) <= range_.high + 1e-4
    found = held_out(quantity, mine, every)
    ends = [f"{sum(getattr(one, end) for one in found)} of {len(found)}" for end in ("lower", "upper")]
    claims = sorted({one.claimed for one in found})
    claimed = " to ".join(f"{claim:.0%}" for claim in dict.fromkeys((claims[0], claims[-1]))) if claims else "-"
    within = [f"{count} of {len(mine)}" for count in inside]
    print(f"{words:<32} {within[0]:>9} {within[1]:>9}  {ends[0]:>20} {ends[1]:>10} {claimed:>8}")


def expected(one: Point, quantity: str) -> Range | None:
    """What the register alone predicts for a point's recipe; None where it predicts nothing."""
    layers = max(one.compute, 1 / 3)  # no run kept fewer
    cut = cut_effect(one.group, Cut(one.compute, layers, one.compute < layers, False), one.samples, one.task)
    effects = ([] if one.compute == 1 else [cut]) + ([int8_effect(one.group)] if one.int8 else [])
    found = WHOLE
    for effect in effects:
        if effect is None:
            return None
        found = found.times(getattr(effect, quantity))
    return found


def main() -> None:
    """Write both files, or show the coverage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true")
    if not parser.parse_args().show:
        found = list(shipped())
        import_export.export([one.made for one in found], FILE)
        lines = [json.dumps(point._asdict()) for point in counted(found)]
        write(measured.FILE, "\n".join(lines) + "\n")
    show()


if __name__ == "__main__":
    main()
