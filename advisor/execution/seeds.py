"""Several seeds of one recipe: a whole run for each in a folder of its own, and their spread beside them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic

from advisor.base.errors import AdviseError
from advisor.base.files import write_json
from advisor.execution import executor, further_processes, resumption
from advisor.execution.job import Job
from advisor.execution.store import Store
from advisor.records.output_folder import attempt, open_folders
from advisor.records.results import Progress, Remark, RunResult, StepResult
from advisor.records.run_folder import REPORT
from advisor.records.training_settings import MOST_SEED
from advisor.runs.seed_statistics import SeedsResult, gathered

Event = Progress | Remark | StepResult | SeedsResult


def run(  # noqa: PLR0913, PLR0917 - as of one run, and how many
    job: Job,
    out: Path,
    count: int,
    card: Callable[[RunResult], str] | None = None,
    resume: bool = False,
    save_every: float = 60.0,
    store: Store | None = None,
) -> Iterator[Event]:
    """Run a job with `count` seeds, the recipe's and the numbers after it; other arguments as of one run.

    The seed decides the new head, the order of rows, joined texts and dropout; data are split by the recipe's own
    seed, so that all are judged on the same rows.

    Raises:
        AdviseError: as one run does; or the folder holds a run of one seed, or there are not so many seeds.
    """
    refuse_past_the_last(job, count)
    jobs = seeded(job, count)
    with attempt(out):
        open_folders(out, resume)
        with resumption.taken(out):
            (out / REPORT).unlink(missing_ok=True)
            begun = {path: executor.run(one, out / path, card, resume, save_every, store) for path, one in jobs.items()}
            runs = yield from _runs(jobs, begun)
            found = gathered(runs, [one.recipe.training.seed for one in jobs.values()], list(jobs))
            write_json(out / REPORT, asdict(found))
    yield found


def _runs(
    jobs: Mapping[str, Job], begun: Mapping[str, Iterator[executor.Event]]
) -> Generator[Event, None, list[RunResult]]:
    """The run of each seed, one after another. begun: their events, by the folder of each."""
    from advisor.compute.machine.device import pick
    from advisor.compute.machine.processes import agreed

    results = []
    for place, (path, job) in enumerate(jobs.items()):
        yield Remark(f"seed {job.recipe.training.seed}, {place + 1} of {len(jobs)}")
        for event in _whole(begun[path], place, len(jobs)):
            if isinstance(event, RunResult):
                results.append(event)
            else:
                yield event
        agreed(True, pick(job.train_on))  # further processes wait while models are measured
    return results


def refuse_past_the_last(job: Job, count: int) -> None:
    """Refuse more seeds than there are.

    Raises:
        AdviseError: there are fewer seeds after the recipe's own.
    """
    first = job.recipe.training.seed
    if first + count - 1 > MOST_SEED:
        message = f"{count:,} seeds from {first} on go past the last one, {MOST_SEED}"
        hint = f"a seed of at most {MOST_SEED - count + 1}, or fewer --seeds"
        raise AdviseError(job.reviewed.document.fault(message, ("training", "seed"), hint))


def follow(job: Job, out: Path, count: int | None) -> None:
    """Take part, as a further process, in the run of one seed (no count) or of several."""
    from advisor.compute.machine.device import pick
    from advisor.compute.machine.processes import agreed

    if not count:
        further_processes.follow(job, out)
        return
    for path, one in seeded(job, count).items():
        further_processes.follow(one, out / path)
        agreed(True, pick(job.train_on))


def seeded(job: Job, count: int) -> dict[str, Job]:
    """A job for each seed, by the folder of its run."""
    return {f"seed-{one.recipe.training.seed}": one for one in (later(job, by) for by in range(count))}


def later(job: Job, by: int) -> Job:
    """The job with the seed that comes so many after its own, on data that are split as before."""
    training = replace(job.recipe.training, seed=job.recipe.training.seed + by)
    return replace(job, recipe=replace(job.recipe, training=training))


def _whole(events: Iterator[executor.Event], place: int, count: int) -> Iterator[executor.Event]:
    """The events of one run, their progress reported as part of all runs."""
    begun = monotonic()
    for event in events:
        if isinstance(event, Progress) and event.run is not None:
            later = None
            if event.remaining is not None:
                here = monotonic() - begun + event.remaining  # less than a whole run where this one is resumed
                later = event.remaining + (count - place - 1) * max(here, event.whole or 0)
            event = replace(event, run=(place + event.run) / count, remaining=later)  # noqa: PLW2901
        yield event
