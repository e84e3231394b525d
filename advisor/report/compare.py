"""Several runs side by side, and means over tasks that leave out what misleads."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from advisor.finished import Finished
from advisor.predict import SMALL
from advisor.results import Measured
from advisor.tasks import known

SHARES = ("accuracy", "size", "time", "emissions")


class Means(NamedTuple):
    """Means of the last models' shares over the runs of one family on one kind of device."""

    words: str
    shares: dict[str, Measured]


def shares(run: Finished) -> dict[str, Measured]:
    """What the last model of a run has of its baseline's accuracy, size, time and emissions."""
    last = run.result.steps[-1]
    found = (last.relative_accuracy, Measured(last.relative_size), last.served.time, last.served.emissions)
    return dict(zip(SHARES, found, strict=True))


def means(runs: Sequence[Finished]) -> list[Means]:
    """Means over at least two runs of the same family and device; those that would mislead have no part."""
    groups: dict[tuple[str, str], list[Finished]] = {}
    for run in runs:
        if not misleads(run):
            groups.setdefault((run.result.family, run.result.device), []).append(run)
    return [
        Means(
            f"mean of {len(members)} {family} runs for {device}",
            {name: _mean([shares(run)[name] for run in members]) for name in SHARES},
        )
        for (family, device), members in groups.items()
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
    return Measured(statistics.fmean(values))


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
