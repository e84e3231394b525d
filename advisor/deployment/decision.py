"""Gate: may what a run made be deployed? Measured numbers, provenance and a real reload; what is missing fails."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.deployment import integrity, measurements, provenance, recomputation, reload
from advisor.deployment.requirements import demands
from advisor.deployment.rules import COMPLETE, RECIPE, finding
from advisor.facts.facts import DataFacts
from advisor.inspection import probe
from advisor.inspection.recipe_facts import facts_of
from advisor.policy.pack import Policy
from advisor.recipe.reader import load
from advisor.recipe.recipe import Recipe
from advisor.records.results import RunResult
from advisor.records.run_folder import REPORT, read
from advisor.review.findings import Finding, Place
from advisor.review.outcome import Checked, Reviewed
from advisor.review.review import review
from advisor.review.waivers.apply import Waiving, waive

FAILED = 4


class Terms(NamedTuple):
    """By what a run is judged.

    waiving: of the policy's rules; what the gate itself demands nobody can waive. recipe: that is to be shipped, if not
    the run's own; device: that it will serve on, if not the recipe's. data: where the data lies now, None for where the
    recipe says; with `without_data` its recorded hash is believed.
    """

    policy: Policy
    waiving: Waiving
    recipe: Recipe | None = None
    device: str | None = None
    data: str | None = None
    without_data: bool = False
    max_age: timedelta = provenance.MAX_AGE


def gate(out: Path, terms: Terms, now: datetime | None = None) -> Checked:
    """Judge the folder of a finished run.

    Raises:
        AdviseError: there is no such folder, or a file of waivers cannot be read.
    """
    begun = time.monotonic()
    if not out.is_dir():
        raise AdviseError(Fault("no such folder", str(out), hint="give the --out folder of an `advise run`"))
    found = [*integrity.complete(out), *integrity.intact(out), *integrity.harmless(out)]
    reviewed: dict[str, Reviewed] = {}
    kept: tuple[str, ...] = ()
    try:
        result, judged = read(out), _reviewed(out, terms.policy)
        reviewed = {judged.document.name: judged}
        found += _belongs(out, result, judged, terms, now or datetime.now(UTC))
        wrong, kept = _numbers(out, result, judged, terms)
        found += wrong
        if not any(one.rule == "gate-weights" for one in found):  # what may run code is not loaded
            found += reload.loads(out, result)
    except AdviseError as error:
        found += [finding(COMPLETE, one.message, _place(one, out), one.hint) for one in error.faults]
    distinct = {(one.rule, one.message, one.place): one for one in found}
    findings = tuple(sorted(distinct.values(), key=lambda one: one.order))
    code = FAILED if any(one.severity == "error" and one.counts for one in findings) else 0
    texts = {name: one.document.text for name, one in reviewed.items()}
    seconds = time.monotonic() - begun
    return Checked(
        findings,
        tuple(reviewed) or (str(out),),
        terms.policy.stamp,
        terms.policy.rules,
        code,
        texts,
        reviewed,
        seconds,
        command="gate",
        kept=kept,
    )


def _place(fault: Fault, out: Path) -> Place:
    return Place(fault.file or str(out), fault.line, fault.column)


def _belongs(out: Path, result: RunResult, judged: Reviewed, terms: Terms, now: datetime) -> Iterator[Finding]:
    """All that the report, the recipe, the data and the policy say of each other."""
    if not result.steps:
        raise AdviseError(Fault("the report tells of no step", str(out / REPORT), hint=integrity.AGAIN))
    yield from provenance.same_recipe(out, result, terms.recipe)
    yield from provenance.fresh(out, result, terms.max_age, now)
    if not terms.without_data:
        yield from provenance.same_data(out, result, judged.recipe, terms.data)
    yield from measurements.fits(out, result, terms.device or judged.recipe.device)
    yield from _policy(judged, terms)


def _numbers(out: Path, result: RunResult, judged: Reviewed, terms: Terms) -> tuple[list[Finding], tuple[str, ...]]:
    """The numbers that are wrong or not enough, and the bounds that are kept, in words."""
    wanted = measurements.verdicts(result, list(demands(judged.recipe, terms.policy, judged.facts)))
    wrong = [
        *measurements.failing(wanted, judged.document),
        *measurements.own_gates(out, result),
        *measurements.enough(out, result),
    ]
    if not wanted:
        hint = "add gates to the recipe, or a rule that limits gates.relative_accuracy"
        wrong.append(finding(RECIPE, "neither the recipe nor the policy has a gate", out / "recipe.yaml", hint))
    kept = tuple(measurements.told(demand, found) for demand, found in wanted if found.state == "passed")
    return [*wrong, *recomputation.follows(out, result)], kept


def _policy(judged: Reviewed, terms: Terms) -> Iterator[Finding]:
    """What the policy of today forbids in the recipe, as far as no waiver excuses it."""
    forbidden = [one for one in judged.findings if one.severity == "error"]
    yield from waive(forbidden, [judged.document], terms.policy, terms.waiving).findings


def _reviewed(out: Path, policy: Policy) -> Reviewed:
    """The run's recipe judged by the policy of today, under the facts that were measured."""
    recipe, document = load(out / "recipe.yaml")
    model = probe.model(str(out / "steps" / f"0-{recipe.steps[0].name}"))
    facts = facts_of(recipe, model.facts, _data_facts(out / "facts.json"))
    return review(policy, recipe, document, facts, model)


def _data_facts(file: Path) -> DataFacts:
    try:
        values = json.loads(file.read_bytes())
        return DataFacts(**{name: values.get(f"data.{name}") for name in DataFacts._fields})
    except (OSError, ValueError, AttributeError) as error:
        raise AdviseError(Fault(f"cannot be read: {error}", str(file), hint=integrity.AGAIN)) from None
