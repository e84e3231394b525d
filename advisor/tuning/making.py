"""Making nodes and measuring trials: the work of a search, each part on its own and safe to repeat.

Nodes are made anywhere, several at a time; trials are measured in the driver's process alone, while no node is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.base.errors import AdviseError, DiskFull
from advisor.execution import executor, prefix, resumption, seeds
from advisor.execution.job import Job
from advisor.execution.store import Store
from advisor.recipe.recipe import Recipe
from advisor.records import run_folder
from advisor.records.results import Cost, Measured, RunResult, StepResult
from advisor.records.run_folder import MANIFEST
from advisor.records.search import Spent
from advisor.runs.seed_statistics import SeedsResult
from advisor.tuning.costs import SEEDS
from advisor.tuning.tree import Node, Outcome

if TYPE_CHECKING:
    from advisor.compute.measure.making import Meter

WORK, TRIALS, POINTS = "work", "trials", "front"  # folders below the search's own
ANSWERS = "answers"  # below the folder of work, which goes with the search's end
JobOf = Callable[[Recipe], Job]  # reads model and data; it travels to other processes
Watch = Callable[[Any], None]  # is told what goes on meanwhile


def silent(event: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes nodes with their steps in a store. out: the search's folder. store: where finished steps are kept."""

    job_of: JobOf
    out: Path
    store: Store
    save_every: float = 60.0
    watch: Watch = silent

    def __call__(self, node: Node) -> Outcome:
        """Make a node, or take it from the store.

        Raises:
            DiskFull, OSError: there is no space to work in, or files cannot be read or written. Whatever else goes
                wrong is an outcome of its own: one recipe must not end hours of work, now and at each resumption.
        """
        begun, folder = monotonic(), self.out / WORK / node.name[:16]
        try:
            job = seeds.later(replace(self.job_of(node.recipe), share=node.share), node.seed)
            folder.parent.mkdir(parents=True, exist_ok=True)
            answers = folder.parent / ANSWERS
            made = _watched(prefix.make(job, folder, self.store, self.save_every, answers), self.watch)
        except (DiskFull, OSError):
            raise
        except Exception as error:  # what libraries raise is not known
            return Outcome("failed", message(error), spent=Spent(monotonic() - begun, uncounted=1))
        discard(folder)  # its steps are in the store
        took, last = monotonic() - begun, made.last
        outcome = Outcome("made", "", made.key, not made.steps, made.kept, made.loss, last.size_bytes, last.parameters)
        return outcome._replace(spent=spent(took, [step.cost for step in made.steps]))


def discard(folder: Path) -> None:
    """Remove a folder that is of no more use: at once, as half of one could not be gone on in."""
    gone = folder.with_name(f".{folder.name}")
    resumption.remove(gone)
    folder.rename(gone)
    resumption.remove(gone)


class Measurements(NamedTuple):
    """A trial's model as it serves. folder: of its run, below the search's."""

    folder: str
    size_mb: Measured
    time: Measured
    emissions: Measured
    latency_ms: Measured
    g_per_1000: Measured
    spent: Spent


@dataclass(frozen=True, slots=True)
class Measurer:
    """Measures trials and points of the front. card: gives the model card of a run of this job."""

    job_of: JobOf
    out: Path
    store: Store
    card: Callable[[Job], Callable[[RunResult], str]]
    save_every: float = 60.0
    watch: Watch = silent

    def trial(self, number: int, recipe: Recipe) -> Measurements:
        """Measure a trial's models beside the baseline; all steps come from the store."""
        job, folder = self.job_of(recipe), self.out / TRIALS / f"{number:03d}"
        meter, begun = _meter(job), monotonic()
        folder.parent.mkdir(exist_ok=True)
        if _without_numbers(folder):
            resumption.unfinish(folder)
        events = executor.run(job, folder, self.card(job), folder.exists(), self.save_every, self.store)
        result = _last(events, RunResult, self.watch)
        took = spent(monotonic() - begun, [_cost(meter, job)])
        return measured(result.steps[-1], folder.relative_to(self.out).as_posix(), took)

    def point(self, path: str, recipe: Recipe) -> tuple[SeedsResult, Spent]:
        """Run a recipe with several seeds in a folder below the search's."""
        job, folder = self.job_of(recipe), self.out / path
        meter, begun = _meter(job), monotonic()
        folder.parent.mkdir(exist_ok=True)
        events = seeds.run(job, folder, SEEDS, self.card(job), folder.exists(), self.save_every, self.store)
        found = _last(events, SeedsResult, self.watch)
        return found, spent(monotonic() - begun, [_cost(meter, job)])


def _without_numbers(folder: Path) -> bool:
    """Whether a run here has ended without a measurement, as something disturbed it."""
    return (folder / MANIFEST).exists() and run_folder.read(folder).steps[-1].served.time.value is None


def measured(last: StepResult, folder: str, took: Spent) -> Measurements:
    """How the last model of a run serves."""
    size, served = Measured(last.size_bytes / 1e6, source="weights on disk"), last.served
    return Measurements(folder, size, served.time, served.emissions, served.latency_ms, served.g_per_1000, took)


def spent(seconds: float, costs: list[Cost]) -> Spent:
    """Time, and energy as far as it was counted."""
    known = [one for one in costs if one.wh.value is not None]
    wh, grams = sum(one.wh.value or 0.0 for one in known), sum(one.g_co2.value or 0.0 for one in known)
    return Spent(seconds, wh, grams, len(costs) - len(known))


def _meter(job: Job) -> Meter:
    from advisor.compute.machine.device import pick
    from advisor.compute.measure.making import Meter

    return Meter(job.assumed.country, pick(job.train_on).type == "cuda")


def _cost(meter: Meter, job: Job) -> Cost:
    from advisor.compute.measure.making import cost

    return cost(meter.stop(), job.assumed)


def _watched(work: Any, watch: Watch) -> prefix.Made:
    while True:
        try:
            watch(next(work))
        except StopIteration as end:
            made: prefix.Made = end.value
            return made


def _last(events: Iterator[Any], kind: type, watch: Watch) -> Any:
    found = None
    for event in events:
        watch(event)
        found = event if isinstance(event, kind) else found
    return found


def message(error: Exception) -> str:
    """All faults in one line; of an error that nobody expected, its kind as well."""
    if not isinstance(error, AdviseError):
        return f"{type(error).__name__}: {error}"
    return "; ".join(fault.message for fault in error.faults)
