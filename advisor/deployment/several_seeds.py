"""Several seeds of one recipe: each run is examined by itself, and the bounds are held by the means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from advisor.deployment.examination import Examined
from advisor.deployment.gates import measured
from advisor.deployment.measurements import proven
from advisor.deployment.requirements import Demand, Verdict, verdict
from advisor.deployment.rules import RECIPE, finding
from advisor.facts.tasks import problem_of
from advisor.recipe.recipe import SHARES, Recipe
from advisor.records.output_folder import SEED
from advisor.records.results import Measured
from advisor.records.run_folder import MANIFEST
from advisor.review.findings import Finding
from advisor.runs.seed_statistics import SeedsResult, gathered

OF_BASELINE = ("relative_accuracy", "kept_beyond_chance")


def folders(out: Path) -> list[Path]:
    """The runs in a folder of `--seeds`; none where the folder is a run itself or holds none."""
    if (out / MANIFEST).is_file():
        return []
    found = [one for one in out.iterdir() if SEED.fullmatch(one.name) and one.is_dir()]
    return sorted(found, key=lambda one: int(one.name.removeprefix("seed-")))


def gathered_again(runs: Sequence[Examined]) -> SeedsResult:
    """The seeds' numbers, computed again, as one result."""
    seeds = [run.reviewed.recipe.training.seed for run in runs]
    return gathered([run.result for run in runs], seeds, [run.out.name for run in runs])


def unlike(runs: Sequence[Examined]) -> Iterator[Finding]:
    """Runs that are not of one recipe, or of one seed twice."""
    first = _but_for_seed(runs[0].reviewed.recipe)
    for run in runs[1:]:
        if _but_for_seed(run.reviewed.recipe) != first:
            what = f"{run.out.name} is of another recipe than {runs[0].out.name}"
            yield finding(RECIPE, what, run.out / "recipe.yaml", "run all seeds again: advise run RECIPE --seeds N")
    for run in runs:
        seed = run.reviewed.recipe.training.seed
        if run.out.name != f"seed-{seed}":
            yield finding(RECIPE, f"{run.out.name} holds the run of seed {seed}", run.out / "recipe.yaml")


def _but_for_seed(recipe: Recipe) -> Recipe:
    return replace(recipe, training=replace(recipe.training, seed=0))


def verdicts(runs: Sequence[Examined], demands: Sequence[Demand]) -> list[tuple[Demand, Verdict]]:
    """Every bound against the mean of the seeds, by the end of its interval that lies nearest."""
    rows = runs[0].result.eval_samples
    return [(one, verdict(one.bound, _mean(runs, one.name), rows if one.name in SHARES else 0)) for one in demands]


def _mean(runs: Sequence[Examined], name: str) -> Measured:
    found = [measured(name, run.result.steps) for run in runs]
    missing = next((one for one in found if one.value is None), None)
    if missing:
        return missing
    interval = _interval(runs, name, found) if name in SHARES else None
    mean = Measured(fmean(one.value or 0.0 for one in found), source=f"mean of {len(runs)} seeds", interval=interval)
    return proven(mean, name, runs[0].result)


def _interval(runs: Sequence[Examined], name: str, found: Sequence[Measured]) -> tuple[float, float] | None:
    """Of a share of the baseline by bootstrap over the rows for all seeds; of a recall the mean of the seeds' ends."""
    last = runs[0].result.steps[-1]
    if name in OF_BASELINE and last.name != "finetune" and len({tuple(run.given.labels) for run in runs}) == 1:
        from advisor.compute.tasks.appraisal import Rows
        from advisor.compute.tasks.chance import mean_kept_interval
        from advisor.compute.tasks.registry import task_of

        first, seed = runs[0].given, runs[0].reviewed.recipe.training.seed
        task = task_of(runs[0].result.task, (), problem_of(last.metric))
        rows = Rows(task, first.labels, (last.metric,), seed)  # type: ignore[arg-type]
        constant = rows.constant(first.scores[last.name]) if name == "kept_beyond_chance" else None
        tables = [(run.given.scores[last.name], run.given.scores["finetune"]) for run in runs]
        pairs = [(rows.statistics(model), rows.statistics(baseline)) for model, baseline in tables]
        return mean_kept_interval(rows.metric, pairs, constant, seed)
    ends = [one.interval for one in found if one.interval]
    return (fmean(one[0] for one in ends), fmean(one[1] for one in ends)) if len(ends) == len(found) else None
