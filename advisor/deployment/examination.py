"""Examination: one run's folder, part by part, up to the numbers that the folder itself shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.deployment import integrity, measurements, provenance, recomputation, reload, rescoring, signature
from advisor.deployment.recomputation import Predictions
from advisor.deployment.rules import COMPLETE, RECIPE, WEIGHTS, finding
from advisor.deployment.same_recipe import differences
from advisor.facts.facts import DataFacts, declared
from advisor.facts.tasks import USUAL, current, possible
from advisor.inspection import probe
from advisor.inspection.recipe_facts import facts_of
from advisor.policy.pack import Policy
from advisor.recipe.reader import load
from advisor.recipe.recipe import Recipe
from advisor.records.results import RunResult
from advisor.records.run_folder import AGAIN, REPORT, read, read_json
from advisor.review.findings import Finding, Place
from advisor.review.outcome import Reviewed
from advisor.review.review import review
from advisor.review.waivers.apply import Waiving, waive

if TYPE_CHECKING:
    from advisor.compute.data.dataset import TaskData

TYPES: Mapping[str, tuple[type, ...]] = {"category": (str,), "text": (str,), "integer": (int,), "number": (int, float)}
MODEL_FACTS = ("family", "kind", "layers", "encoder_layers", "decoder_layers", "hidden_size", "heads", "vocabulary")


class Terms(NamedTuple):
    """By what a run is judged.

    waiving: of the policy's rules; the gate's own rules cannot be waived. recipe: that is to be shipped, if not the
    run's own; device: that it will serve on, if not the recipe's. data: where the data lies now, None for where the
    recipe says; with `without_data` its recorded hash is believed. rescore: every model answers all report rows again.
    key: a public key that has to have signed the run.
    """

    policy: Policy
    waiving: Waiving
    recipe: Recipe | None = None
    device: str | None = None
    data: str | None = None
    without_data: bool = False
    max_age: timedelta = provenance.MAX_AGE
    rescore: bool = False
    key: Any = None


class Examined(NamedTuple):
    """A run whose files could be understood. result: with its numbers computed again. given: what they follow from."""

    out: Path
    result: RunResult
    reviewed: Reviewed
    given: Predictions


def examine(out: Path, terms: Terms, now: datetime, any_seed: bool = False) -> tuple[list[Finding], Examined | None]:
    """What is wrong with a run but for its numbers not being good enough; None where it cannot be understood.

    Args:
        any_seed: the run is one of several seeds, so that its seed may be another than that of the terms' recipe.
    """
    missing = list(integrity.complete(out))
    gone = {one.place.file for one in missing}  # what is not there is said once
    found = [*missing, *(one for one in integrity.intact(out) if one.place.file not in gone), *integrity.harmless(out)]
    found += signature.verified(out, terms.key) if terms.key else []
    examined = None
    if not gone.isdisjoint(str(out / name) for name in integrity.PARTS):
        return found, None
    try:
        result, given, reviewed = _understood(out, terms.policy)
        data, wrong = _data(out, result, reviewed.recipe, given, terms)
        found += [*wrong, *_belongs(out, result, reviewed, terms, now, any_seed)]
        found += _facts(out, given, reviewed, data)
        harmless = not any(one.rule == WEIGHTS for one in found)  # what may run code is not loaded
        names = _names(reviewed.model)
        again = recomputation.recomputed(out, result, reviewed.recipe, given, names)
        found += recomputation.differences(out, result, again, reviewed.plan)
        found += recomputation.same_answers(out, given)
        if harmless:
            found += reload.loads(out, result)
        if harmless and terms.rescore and data is not None:
            given, wrong = rescoring.rescored(out, result, given, data.report)
            found += wrong
            again = recomputation.recomputed(out, result, reviewed.recipe, given, names)
        examined = Examined(out, again, reviewed, given)
    except AdviseError as error:
        found += [finding(COMPLETE, one.message, _place(one, out), one.hint) for one in error.faults]
    return found, examined


def _place(fault: Fault, out: Path) -> Place:
    return Place(fault.file or str(out), fault.line, fault.column)


def _understood(out: Path, policy: Policy) -> tuple[RunResult, Predictions, Reviewed]:
    """The run's report and predictions, and its recipe judged by the policy of today under what was measured.

    Raises:
        AdviseError: a file is missing or makes no sense.
    """
    result = read(out)
    if not result.steps:
        raise AdviseError(Fault("the report has no step", str(out / REPORT), hint=AGAIN))
    recipe, document = load(out / "recipe.yaml")
    if recipe.step_names != tuple(step.name for step in result.steps):
        what = f"the report is of the steps {', '.join(step.name for step in result.steps)}, not of the recipe's"
        raise AdviseError(Fault(what, str(out / REPORT), hint=AGAIN))
    given = recomputation.read(out, result)
    data = _data_facts(out / "facts.json")
    _refuse_odd_metrics(out, result, data)
    width = _labels(given, data) or 2
    model = probe.model(str(out / "steps" / f"0-{recipe.steps[0].name}"), width, task=data.task)
    if recipe.student:
        place = recipe.step_names.index("distillation")
        student = probe.model(str(out / "steps" / f"{place}-distillation"), width, task=data.task)
        model = model._replace(student=student)
    facts = facts_of(recipe, model.facts, data)
    return result, given, review(policy, recipe, document, facts, model)


def _labels(given: Predictions, data: DataFacts) -> int | None:
    """How many labels there are: as many as a row has scores, where those are what is recorded."""
    if not given.of_labels:
        return data.labels
    return len(next(iter(given.scores.values()))[0]) if given.labels else None


def _refuse_odd_metrics(out: Path, result: RunResult, data: DataFacts) -> None:
    known = possible(data.task, data.problem_type)
    odd = {name for step in result.steps for name in (step.metric, *step.metrics)} - set(known)
    if odd:
        what = f"{', '.join(sorted(odd))} is no metric of {data.problem_type or data.task or USUAL}"
        raise AdviseError(Fault(what, str(out / REPORT), hint=AGAIN))


def _names(model: probe.Model) -> Sequence[str]:
    """The names of the labels, as the model's config has them; none where it has not."""
    names = (model.config or {}).get("id2label")
    if not isinstance(names, Mapping):
        return ()
    return [str(names.get(str(place), place)) for place in range(len(names))]


def _data_facts(file: Path) -> DataFacts:
    """The data's facts as the run recorded them.

    Raises:
        AdviseError: one of them is of another type than a fact is.
    """
    value = _recorded(file)
    given = {name: value.get(f"data.{name}") for name in DataFacts._fields}
    wrong = [f"data.{name}: expected {kind}, got {given[name]!r:.40}" for name, kind in _odd(given)]
    if wrong:
        raise AdviseError(*(Fault(one, str(file), hint=AGAIN) for one in wrong))
    return DataFacts(**given)


def _recorded(file: Path) -> dict[str, Any]:
    """facts.json, with tasks by their present names."""
    value = read_json(file)
    if not isinstance(value, dict):
        raise AdviseError(Fault("expected an object", str(file), hint=AGAIN))
    return current(value, "data.")


def _odd(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts of another type, and the type they should have."""
    for name, value in given.items():
        fact = declared()[f"data.{name}"]
        types = TYPES[fact.type]
        if value is not None and (not isinstance(value, types) or isinstance(value, bool)):
            yield name, f"a {fact.type}"
        elif fact.type == "category" and value is not None and value not in fact.domain:
            yield name, f"one of {', '.join(fact.domain)}"


def _data(
    out: Path, result: RunResult, recipe: Recipe, given: Predictions, terms: Terms
) -> tuple[TaskData | None, list[Finding]]:
    if terms.without_data:
        return None, []
    data, found = provenance.own_data(out, result, recipe, terms.data)
    return data, [*found, *(provenance.same_rows(out, given, data) if data is not None else ())]


def _belongs(
    out: Path, result: RunResult, reviewed: Reviewed, terms: Terms, now: datetime, any_seed: bool
) -> Iterator[Finding]:
    """All that the report, the recipe and the policy say of each other."""
    yield from provenance.own_recipe(out, result)
    yield from provenance.own_metric(out, result, reviewed.recipe, reviewed.facts.data)
    facts = _recorded(out / "facts.json")
    if terms.recipe and (differ := differences(terms.recipe, reviewed.recipe, result, facts, any_seed)):
        what = f"the run was made by another recipe than {terms.recipe.name}: {'; '.join(differ)}"
        yield finding(RECIPE, what, out / "recipe.yaml", "run the recipe that is to be shipped")
    yield from provenance.fresh(out, result, terms.max_age, now)
    yield from measurements.fits(out, result, terms.device or reviewed.recipe.device)
    forbidden = [one for one in reviewed.findings if one.severity == "error"]
    yield from waive(forbidden, [reviewed.document], terms.policy, terms.waiving).findings


def _facts(out: Path, given: Predictions, reviewed: Reviewed, data: TaskData | None) -> Iterator[Finding]:
    """facts.json against the first model's config, the predictions and, where it was read, the data."""
    found: dict[str, Any] = {"data.eval_samples": len(given.labels), "device.kind": reviewed.recipe.device}
    if reviewed.recipe.steps[0].name == "finetune":  # else the first model in the folder is smaller than the facts'
        found |= {f"model.{name}": getattr(reviewed.facts.model, name) for name in MODEL_FACTS}
    found["data.labels"] = _labels(given, reviewed.facts.data)
    if data is not None:
        found |= {"data.samples": data.samples, "data.unlabelled_samples": data.unlabelled_samples}
        found |= {"data.task": data.task, "data.problem_type": data.problem_type}
    yield from provenance.same_facts(out, _recorded(out / "facts.json"), found)
