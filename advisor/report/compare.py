"""Several runs side by side, and means over tasks without misleading ones."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from advisor.advice.ranges import SMALL
from advisor.facts.tasks import known
from advisor.records.measuring import is_time_derived
from advisor.records.results import Measured
from advisor.runs.finished import Finished

SHARES = ("accuracy", "size", "time", "emissions")


class Means(NamedTuple):
    """Means of the last models' shares over runs of one family with the same steps for one kind of device.

    shares: value and, as `spread`, one standard deviation to each side.
    """

    words: str
    shares: dict[str, Measured]


def shares(run: Finished) -> dict[str, Measured]:
    """What the last model of a run has of its baseline's accuracy, size, time and emissions."""
    last = run.result.steps[-1]
    found = (last.relative_accuracy, Measured(last.relative_size), last.served.time, last.served.emissions)
    return dict(zip(SHARES, found, strict=True))


def means(runs: Sequence[Finished]) -> list[Means]:
    """Means over at least two similar runs, on several tasks or with several seeds, without misleading ones."""
    groups: dict[tuple[str, ...], list[Finished]] = {}
    for run in runs:
        if not misleads(run):
            steps = ", ".join(step.words for step in run.result.steps[1:]) or run.result.steps[0].words
            groups.setdefault((run.result.family, run.result.device, steps), []).append(run)
    return [
        Means(
            f"mean of {len(members)} {family} runs for {device}: {steps}",
            {name: _mean([shares(run)[name] for run in members]) for name in SHARES},
        )
        for (family, device, steps), members in groups.items()
        if len(members) > 1
    ]


def misleads(run: Finished) -> str:
    """Why a run has no part in means; "" if it has."""
    task = known(run.recipe.data.source)
    return task.left_out if task else ""


def _mean(found: Sequence[Measured]) -> Measured:
    values = [one.value for one in found if one.value is not None]
    if len(values) < len(found):
        return Measured(why_not=f"only {len(values)} of {len(found)}")
    if len(set(map(is_time_derived, found))) > 1:
        return Measured(why_not="some are time-derived, others metered")
    mean, deviation = statistics.fmean(values), statistics.stdev(values)
    return Measured(mean, source=found[0].source, spread=(mean - deviation, mean + deviation))


def label(run: Finished, runs: Sequence[Finished]) -> str:
    """A run's name; where others have the same, with its seed, or with its folder where seeds are alike too."""
    seeds = [other.recipe.training.seed for other in runs if other.result.name == run.result.name]
    if len(seeds) == 1:
        return run.result.name
    apart = len(set(seeds)) == len(seeds)
    return f"{run.result.name}, {f'seed {run.recipe.training.seed}' if apart else run.folder}"


def samples(run: Finished) -> int | None:
    """Training rows of a run."""
    found: Any = run.facts.get("data.samples")
    return found if isinstance(found, int) else None


def regime(run: Finished) -> str:
    """The white paper's grouping by training examples."""
    count = samples(run)
    if count is None:
        return "unknown amount of data"
    return f"fewer than {SMALL:,} training examples" if count < SMALL else f"{SMALL:,} training examples or more"
