"""Orders: what is to be run, from the recipe and its options to a job, and from the job to its result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.base.install import pip_command
from advisor.facts.tasks import USUAL
from advisor.inspection.probe import needs_run
from advisor.recipe.consistency import of_other_tasks
from advisor.recipe.recipe import Recipe, as_yaml
from advisor.records.carbon import Assumptions
from advisor.records.measuring import Measuring
from advisor.records.results import RunResult

if TYPE_CHECKING:
    from advisor.base.yamlfile import Document
    from advisor.execution.executor import Event
    from advisor.execution.job import Job
    from advisor.policy.pack import Policy
    from advisor.review.waivers.apply import Waiving
    from advisor.runs.seed_statistics import SeedsResult


class Order(NamedTuple):
    """What is to be run and how. Fields are named as the arguments of `advisor.run`.

    out: None where nothing will be written. columns: that replace the recipe's; None: the recipe's own. seeds: how many
    runs with different seeds; None: one run, with the recipe's. sign: file of the private key that signs each run.
    track: one of TRACKERS.
    """

    recipe: Recipe | Path
    out: Path | None
    model: str | None
    data: str | None
    columns: Mapping[str, str | int | None]
    train_on: str
    rules: Policy
    waiving: Waiving
    assumed: Assumptions
    trust_remote_code: bool = False
    resume: bool = False
    checkpoint_seconds: float = 60.0
    seeds: int | None = None
    measuring: Measuring = Measuring()
    requests: int | None = None
    sign: Path | None = None
    track: str | None = None


def assumptions(
    country: str | None, pue: float, embodied_kg: float | None, lifetime_years: float | None
) -> Assumptions:
    """What turns energy into CO2e.

    Raises:
        AdviseError: embodied carbon without a lifetime, or the other way round.
    """
    if (embodied_kg is None) != (lifetime_years is None):
        one, other = (
            ("--embodied-kg", "--lifetime-years") if lifetime_years is None else ("--lifetime-years", "--embodied-kg")
        )
        raise AdviseError(f"{one} without {other} gives no SCI figure", hint=f"give {other} too, or neither")
    known = country.upper() if country else Assumptions().country
    return Assumptions(known, country is not None, pue, embodied_kg, lifetime_years)


def prepare(order: Order) -> Job:
    """The job of an order: the recipe judged by the facts of the real model and data. No weights are loaded.

    Raises:
        AdviseError: recipe, model or data cannot be read, or do not fit each other.
    """
    from advisor.compute.measure import power_log
    from advisor.compute.measure.grid import grid_year
    from advisor.execution.job import excused, refuse_task, refuse_unexecutable
    from advisor.execution.job import prepare as judge
    from advisor.execution.text_lengths import follow
    from advisor.inspection import probe
    from advisor.inspection.recipe_data import read_data

    _refuse_no_tracker(order.track)
    grid_year(order.assumed.country)
    if order.measuring.power_log is not None:
        power_log.check(order.measuring.power_log)
    written, document = _read(order.recipe)
    recipe = _overridden(written, order)
    if recipe.data.source is None:
        hint = "advise run … --data FOLDER"
        raise AdviseError(document.fault("data.source is missing, and no data was given", ("data",), hint))
    folder = order.recipe.parent if isinstance(order.recipe, Path) else Path()
    base = Path() if order.model or Path(recipe.model.source).exists() else folder
    model = probe.model(recipe.model.source, base=base, revision=recipe.model.revision)
    refuse_task(recipe, document, model)
    data = read_data(recipe, base=folder)
    refuse_unexecutable(model, data.task, data.problem_type)
    recipe, data = follow(recipe, document, model, data, order.trust_remote_code)
    judged = judge(order.rules, recipe, document, data, base, order.train_on, beside=folder)
    job = excused(judged, order.rules, order.waiving)
    _refuse_protocol(order.measuring, recipe.device, job.data.eval_samples)
    return replace(
        job,
        trust_remote_code=order.trust_remote_code,
        assumed=order.assumed,
        measuring=order.measuring,
        requests=order.requests or recipe.goal.requests,
        track=order.track,
    )


def _refuse_protocol(measuring: Measuring, device: str, rows: int) -> None:
    """Before hours of work: a protocol that this machine, or so few report rows, cannot follow."""
    from advisor.compute.machine.device import present
    from advisor.compute.measure.serving import meter_of

    if not measuring.protocol or not present(device):
        return
    found = meter_of(device, measuring, rows)
    if isinstance(found, str):
        raise AdviseError(found, hint="leave out --protocol, or give more report rows or --power-log FILE")


def _refuse_no_tracker(name: str | None) -> None:
    if name and find_spec(name) is None:
        raise AdviseError(f"--track {name} needs {name}, not installed", hint=pip_command(name))


def _read(recipe: Recipe | Path) -> tuple[Recipe, Document]:
    from advisor.recipe.reader import load, loads

    return load(recipe) if isinstance(recipe, Path) else loads(as_yaml(recipe), f"recipe {recipe.name}")


def _overridden(recipe: Recipe, order: Order) -> Recipe:
    """The recipe with what the order says instead of it."""
    model = replace(recipe.model, source=order.model, family=None) if order.model else recipe.model
    given: dict[str, Any] = {"source": order.data, **order.columns}
    data = replace(recipe.data, **{name: value for name, value in given.items() if value is not None})
    found = replace(recipe, model=model, data=data)
    asked = replace(found, data=replace(data, task=data.task or USUAL))  # as which the data will be read
    hint = "" if data.task else "state the task, as in data: {task: summarization}"
    if wrong := [Fault(one.message, hint=hint) for one in of_other_tasks(asked)]:
        raise AdviseError(*wrong)
    return found


def execute(job: Job, order: Order, progress: bool = True) -> RunResult | SeedsResult:
    """Run a job, and sign every run folder that it wrote. progress: show it while it lasts.

    Raises:
        AdviseError: see `executor.run`; or the key cannot be read, which is known before hours of work.
    """
    from advisor.deployment.signature import private_key, sign
    from advisor.execution import executor, seeds
    from advisor.report.progress import watch

    card = card_of(job)
    assert order.out is not None
    key = None if order.sign is None else private_key(order.sign)
    events: Iterable[Event | SeedsResult]
    if order.seeds:
        events = seeds.run(job, order.out, order.seeds, card, order.resume, order.checkpoint_seconds)
    else:
        events = executor.run(job, order.out, card, order.resume, order.checkpoint_seconds)
    result = watch(events) if progress else _result(events)
    if key is not None:
        for folder in folders(result, order.out):
            sign(folder, key)
    return result


def card_of(job: Job) -> Callable[[RunResult], str]:
    """What writes the model card of a run of this job."""
    from advisor.report import card as model_card

    def card(result: RunResult) -> str:
        license_ = model_card.base_license((job.model.student or job.model).folder)
        return model_card.text(result, job.recipe, job.reviewed.facts.data, license_)

    return card


def folders(result: RunResult | SeedsResult, out: Path) -> list[Path]:
    """The folder of every run in `out`: itself, or one for each seed."""
    return [out] if isinstance(result, RunResult) else [out / path for path in result.paths]


def imbalance(job: Job) -> str:
    """A warning where always giving one answer scores high on the report rows; empty where a gate sees through it."""
    from advisor.compute.tasks import balance

    gated = job.recipe.gates and job.recipe.gates.kept_beyond_chance
    return "" if gated else balance.imbalance(job.metrics[0], job.data.report.labels, job.data.label_names)


def _result(events: Iterable[Event | SeedsResult]) -> RunResult | SeedsResult:
    from advisor.runs.seed_statistics import SeedsResult

    found = [event for event in events if isinstance(event, RunResult | SeedsResult)]
    return found[-1]


def record_runs(folders: Sequence[Path]) -> str:
    """Keep finished runs in the ledger; returns a warning where that fails. They stay finished in any case."""
    from advisor.runs import finished, ledger, record

    try:
        ledger.add([record.of(finished.read(out)) for out in folders])
    except AdviseError as error:
        return f"the run is not recorded: {error}\n  then: advise history add {' '.join(map(str, folders))}"
    return ""


@contextmanager
def libraries(what: str = "advise run") -> Iterator[None]:
    """What training needs around it: the extra [run], settings of its libraries, and a scratch folder that goes again.

    Raises:
        AdviseError: the extra is not installed.
    """
    needs_run(what)
    _prepare_libraries()
    from advisor.execution.scratch import scratch

    with scratch():
        yield


def _prepare_libraries() -> None:
    """What has to be set before PyTorch and the libraries around it are imported."""
    # Threads that spin while they wait fight over shared cores: with another process at work on two cores a training
    # step took 19.5 s instead of 1.8 s (docs/decisions.md).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # The screen belongs to the run.
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
