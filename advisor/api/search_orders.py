"""Orders of searches: from what is asked to the space, the forecast and the parts that a search works with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.api.execution import Refused
from advisor.api.orders import Order, card_of, prepare
from advisor.api.recommendation import data_facts
from advisor.api.stated import Stated
from advisor.base.errors import AdviseError, Fault, NotMet
from advisor.base.files import deliver, fingerprint
from advisor.base.install import pip_command
from advisor.facts.facts import Facts, Goal
from advisor.families.heads import as_used
from advisor.policy.pack import Policy
from advisor.recipe.reader import loads
from advisor.recipe.recipe import DataSource, Recipe, to_aims
from advisor.records.search import PAGE, Forecast, SearchResult

if TYPE_CHECKING:
    from advisor.advice.candidates import Candidate
    from advisor.execution.job import Job
    from advisor.tuning.budget import Budget
    from advisor.tuning.carrier import Carrier
    from advisor.tuning.costs import Costs
    from advisor.tuning.making import Maker
    from advisor.tuning.parts import Parts
    from advisor.tuning.space import Question, Space

SHARED = ("model_sha256", "data_sha256", "policy")  # what all trials of a space have in common
Confirm = Callable[[Forecast], bool]


class Wanted(NamedTuple):
    """How to search. Fields are named as the arguments of `advisor.search`."""

    out: Path
    store: Path
    resume: bool
    workers: int | None
    seed: int
    save_every: float
    budget: Budget
    ray: str | None = None
    training: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class JobOf:
    """Prepares the job of a recipe; it travels to other processes."""

    order: Order

    def __call__(self, recipe: Recipe) -> Job:
        return prepare(self.order._replace(recipe=recipe))

    def moved(self, places: Mapping[str, str]) -> JobOf:
        """The same with `model` and `data` at other places."""
        given: Any = places
        return JobOf(self.order._replace(**given))


def refuse_missing_libraries(ray: bool) -> None:
    """Raise an AdviseError where what proposes trials, or carries them to a cluster, is not installed."""
    missing = [name for name in ("optuna", *(("ray",) if ray else ())) if find_spec(name) is None]
    if missing:
        raise AdviseError(f"advise search needs {' and '.join(missing)}, not installed", hint=pip_command("search"))


def settings(training: Mapping[str, Any], rows: DataSource) -> Mapping[str, Any]:
    """Settings of training, as a recipe takes them.

    Raises:
        AdviseError: every one that no recipe of this task takes, and a prefix of a task that has none.
    """
    recipe = {"version": 1, "name": "search", "model": {"source": "m"}, "device": "cpu", "steps": [{"finetune": {}}]}
    data = {name: value for name in ("task", "prefix") if (value := getattr(rows, name)) is not None}
    try:
        loads(json.dumps({**recipe, "data": data, "training": dict(training)}))
    except AdviseError as error:
        raise AdviseError(*(Fault(one.message, hint=one.hint) for one in error.faults)) from None
    return training


def question(rules: Policy, stated: Stated, goal: Goal, device: str, model: str) -> Question:
    """The facts of what is searched for."""
    from advisor.advice.candidates import stated as as_stated
    from advisor.compute.machine.device import present
    from advisor.inspection import probe
    from advisor.tuning.space import Question

    kind = probe.device(device)
    if not present(kind.kind or ""):
        raise AdviseError(
            f"this machine has no {kind.kind} device, and a search measures",
            hint="search on a machine of the kind that will serve",
        )
    known, source, _ = data_facts(stated)
    known = known._replace(source=stated.rows.source)
    found = probe.model(model, known.labels or 2)
    facts = Facts(as_used(found.facts, known.task), known, kind, goal)
    return Question(rules, facts, found, as_stated(known, source), f"{Path(model).name}-{kind.kind}")


def _space(asked: Question, training: Mapping[str, Any]) -> Space:
    """The space around what is advised, or around the most accurate recipe where no advice meets the goals."""
    from advisor.advice.candidates import candidates
    from advisor.advice.recommendation import advise
    from advisor.tuning.space import space

    found = list(candidates(*asked))
    try:
        first = advise(*asked).chosen
    except NotMet:
        first = _most_accurate(found)
    return space(asked, first, found, training)


def _most_accurate(found: list[Candidate]) -> Candidate:
    """Where advice has nothing to offer: the recipe that compresses and is expected to keep most."""
    admissible = [one for one in found if one.admissible] or found
    some = [one for one in admissible if len(one.recipe.steps) > 1] or admissible
    return max(some, key=lambda one: one.prediction.accuracy.middle if one.prediction.accuracy else 0.0)


def searched(asked: Question, order: Order, wanted: Wanted, confirm: Confirm | None, shown: bool) -> SearchResult:
    """The search, from its space to its end."""
    from advisor.execution import resumption
    from advisor.records.output_folder import attempt
    from advisor.report.search import page
    from advisor.report.search.screen import Screen
    from advisor.tuning import costs, folder
    from advisor.tuning.driver import Driver
    from advisor.tuning.making import WORK
    from advisor.tuning.resuming import restated, resumed, with_tried, without_refused

    space, job_of, screen = _space(asked, wanted.training), JobOf(order), Screen(shown)
    job = job_of(space.seeds[0].recipe)
    if job.reviewed.errors:
        raise Refused(job.reviewed.findings)
    begun = _record(asked, space, job, wanted)
    with attempt(wanted.out):
        earlier = folder.opened(wanted.out, wanted.resume, begun.space_sha256)
        with resumption.taken(wanted.out):
            record = resumed(earlier, begun) if earlier else begun
            tried = with_tried(space, asked, record.trials)
            record, parts = without_refused(record, tried), _parts(asked, tried, job_of, wanted, screen)
            try:
                estimates = costs.costs(job, parts.carrier)
                _refuse_too_little(space, wanted.budget, estimates)
                expected = record.forecast or costs.forecast(space, wanted.budget, estimates)
                if confirm is not None and not confirm(expected):
                    raise AdviseError("the search was not started", hint="a smaller --budget, or --yes")
                folder.refuse_store(wanted.store)
                parts = parts._replace(estimates=estimates, objective=record.objective)
                restated(wanted.out, record, to_aims(asked.facts.goal))
                found = screen.show(Driver(parts, replace(record, forecast=expected)).run())
            finally:
                parts.carrier.close()
            resumption.remove(wanted.out / WORK)
            deliver(wanted.out / PAGE, page.render(found))
            return found


def _parts(asked: Question, space: Space, job_of: JobOf, wanted: Wanted, screen: Any) -> Parts:
    """What the driver works with."""
    from advisor.execution.store import Store
    from advisor.tuning import folder
    from advisor.tuning.ending import Ending
    from advisor.tuning.making import Maker, Measurer
    from advisor.tuning.parts import Parts

    store = Store(wanted.store.absolute())
    maker = Maker(job_of, wanted.out.absolute(), store, wanted.save_every)
    measurer = Measurer(job_of, wanted.out, store, card_of, wanted.save_every, screen.step)
    carrier = _carrier(maker, wanted, screen, space.seeds[0].recipe)
    return Parts(
        space,
        to_aims(asked.facts.goal).bounds(),
        wanted.budget,
        carrier,
        measurer,
        Ending(measurer, wanted.out),
        None,  # type: ignore[arg-type]  # the caller knows them
        lambda record: folder.write(wanted.out, record),
    )


def _carrier(maker: Maker, wanted: Wanted, screen: Any, first: Recipe) -> Carrier:
    """What makes the nodes: a cluster, processes of this machine, or this process."""
    from advisor.tuning.carrier import Serial
    from advisor.tuning.processes import Processes, refuse_too_many

    if wanted.ray is not None:
        return _cluster(maker, wanted, first)
    workers = wanted.workers or 1
    refuse_too_many(workers)
    return Serial(replace(maker, watch=screen.step)) if workers == 1 else Processes(maker, workers)


def _cluster(maker: Maker, wanted: Wanted, first: Recipe) -> Carrier:
    """A Ray cluster, which gets local models and data sent; what lies on the Hub each machine reads there."""
    from advisor.compute.machine.device import pick
    from advisor.tuning.cluster import Cluster, Where

    job = maker.job_of(first)
    given = {"model": job.model.folder, "data": Path(first.data.source) if first.data.source else None}
    local = {name: path for name, path in given.items() if path is not None and path.exists()}
    search = fingerprint([str(maker.out), job.data.fingerprint])[:16]
    where = Where(wanted.ray or "", search, pick(job.train_on).type, wanted.workers)
    return Cluster(where, maker, local)


def _record(asked: Question, space: Space, job: Job, wanted: Wanted) -> SearchResult:
    """A search before its first trial."""
    from advisor.compute.machine.device import provenance as machine
    from advisor.deployment.gates import ENOUGH
    from advisor.records.run_folder import model_sha256

    rows = job.data.eval_samples
    few = (
        (f"{rows} report rows cannot verify a relative accuracy: {ENOUGH} or more are needed",) if rows < ENOUGH else ()
    )
    facts = asked.facts
    provenance: dict[str, Any] = {
        **machine(),
        "model_sha256": model_sha256(job.model.folder) if job.model.folder else "",
        "data": job.data.origin,
        "data_sha256": job.data.fingerprint,
        "policy": asked.policy.stamp.sha256,
    }
    rules = [rule.id for rule in asked.policy.rules]  # a project may leave some out
    shared = [[provenance[name] for name in SHARED], rules, facts.device.kind, asdict(job.recipe.training)]
    return SearchResult(
        asked.model.source.source,
        asked.data.source or "",
        facts.device.kind or "",
        {name: str(bound) for name, bound in to_aims(facts.goal).bounds().items()},
        dict(space.axes),
        wanted.budget.text,
        fingerprint(shared),
        wanted.seed,
        facts.goal.requests,
        excluded=space.excluded,
        notes=(*job.data.notes, *few),
        provenance=provenance,
    )


def _refuse_too_little(space: Space, budget: Budget, estimates: Costs) -> None:
    """Raise an AdviseError where the budget does not suffice for one trial and its end, or could never be spent."""
    from advisor.tuning.costs import least

    found = least(space, estimates)
    seconds, wh = found.clock, estimates.wh(found.work)
    if budget.wh is not None and wh is None:
        what = f"--budget {budget.text}: this machine's energy cannot be counted, so nobody would know when it is spent"
        raise AdviseError(what, hint="a budget of hours or trials")
    share = budget.takes(seconds, wh)
    if share > 1:
        what = f"{seconds / 60:.0f} min" if budget.seconds else f"{wh or 0:.3g} Wh"
        raise AdviseError(
            f"--budget {budget.text}: the shortest search, one trial and its three seeds, takes about {what}",
            hint="a larger budget, or fewer rows (--max-samples)",
        )
