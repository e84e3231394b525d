"""Review: judge a recipe that somebody wrote by the rules, and point at the place in its file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from advisor import probe
from advisor.causes import causes
from advisor.errors import AdviseError
from advisor.facts import DataFacts, Facts
from advisor.findings import FITS, Cause, Finding, Path_, Place, at
from advisor.fixes import Broken
from advisor.plan import Plan, plan
from advisor.policy.counterfactual import leaving
from advisor.policy.judge import Violation, violations
from advisor.policy.pack import Policy
from advisor.policy.view import View, look
from advisor.promises import promises
from advisor.recipe import Recipe, to_goal
from advisor.recipefile import load, loads
from advisor.yamlfile import Document


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A recipe with all that it was judged by. plan: None where the model's config is not at hand."""

    recipe: Recipe
    facts: Facts
    plan: Plan | None
    findings: tuple[Finding, ...]
    model: probe.Model
    document: Document = field(repr=False)

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" and finding.counts for finding in self.findings)


def review_file(policy: Policy, path: Path) -> Reviewed:
    """Review a recipe file; `-` reads stdin.

    Raises:
        AdviseError: it cannot be read or is no valid recipe.
    """
    import sys

    recipe, document = loads(sys.stdin.buffer.read(), "stdin") if str(path) == "-" else load(path)
    base = Path() if str(path) == "-" else path.parent
    return review_document(policy, recipe, document, base)


def review_document(policy: Policy, recipe: Recipe, document: Document, base: Path) -> Reviewed:
    """Review a recipe that was read. base: the folder that a relative path to its model may start from.

    Raises:
        AdviseError: the model that it names is unknown or its config makes no sense.
    """
    try:
        model = _model(recipe, base)
    except AdviseError as error:
        faults = [
            document.fault(f"{one.file}: {one.message}" if one.file else one.message, ("model", "source"), one.hint)
            for one in error.faults
        ]
        raise AdviseError(*faults) from None
    return review(policy, recipe, document, stated_facts(recipe, model), model)


def _model(recipe: Recipe, base: Path) -> probe.Model:
    """The recipe's model; a relative path counts from the current folder, then from the recipe's."""
    here = (Path() / recipe.model.source).exists()
    return probe.named(recipe.model, base=Path() if here else base)


def stated_facts(recipe: Recipe, model: probe.Model) -> Facts:
    """The facts as the recipe itself states them."""
    stated = recipe.data
    samples = min((count for count in (stated.samples, stated.max_samples) if count and stated.samples), default=None)
    unlabelled = stated.unlabelled_samples or 0
    data = DataFacts(samples, stated.eval_samples, unlabelled, None, stated.task, stated.labels)
    return Facts(model.facts, data, probe.device(recipe.device), to_goal(recipe.goal))


def review(policy: Policy, recipe: Recipe, document: Document, facts: Facts, model: probe.Model) -> Reviewed:
    """Judge a recipe under some facts, stated or measured."""
    planned = plan(recipe, model.config, facts.data.labels or 2) if model.config else None
    view = look(facts, recipe, planned.measures if planned else {})
    broken = [one for one in violations(policy, view) if not _follows_from(one, planned)]
    findings = [
        replace(_finding(one, recipe, document, view), fix=Broken(one, recipe, policy, view, planned).fix())
        for one in broken
    ]
    findings += _misfits(policy, recipe, document, facts, planned)
    findings += promises(policy, recipe, document, facts, planned)
    return Reviewed(recipe, facts, planned, tuple(sorted(findings, key=lambda one: one.order)), model, document)


def _follows_from(violation: Violation, planned: Plan | None) -> bool:
    """An unknown measure of a step that does not fit the model says nothing beyond the misfit itself."""
    return bool(planned and planned.problems and "is unknown here" in violation.message)


def _finding(violation: Violation, recipe: Recipe, document: Document, view: View) -> Finding:
    rule = violation.rule
    path = _path(violation.at, recipe)
    note = f" (undecided: {_settled(violation.unknown)})" if violation.undecided else ""
    return Finding(
        rule.id,
        rule.severity,
        violation.message + note,
        rule.because,
        place(document, path, key=len(violation.at) == 1),
        path,
        at(document.value, path),
        tuple(causes(rule, recipe, document, view)),
        leaving(rule, view),
        tuple(f"{' '.join(one.says.split())} ({one.source}, {one.at}; {one.strength})" for one in rule.evidence),
        undecided=violation.undecided,
        white_paper_only=rule.white_paper_only,
    )


def place(document: Document, path: Path_, key: bool = False) -> Place:
    """The place of a value (or its key) in a recipe's file."""
    mark = document.mark(path, key)
    return Place(document.name, mark.line, mark.column, mark.end_line, mark.end_column)


def _settled(unknown: tuple[str, ...]) -> str:
    """What is unknown, and how to settle it."""
    ways = {
        "data": "state it in the recipe's data",
        "model": "name a model whose config.json is at hand",
        "recipe": "name a model whose config.json is at hand",
    }
    groups = dict.fromkeys(ways.get(name.split(".")[0], "state it") for name in unknown)
    return f"{', '.join(unknown)} unknown, so the rule counts; {' and '.join(groups)}"


def _path(at: tuple[str, ...], recipe: Recipe) -> Path_:
    """The place in the file of a step, of one of its settings, or of a gate."""
    if at[:1] in (("gates",), ("data",), ("goal",)):
        return at
    if not at or at[0] not in recipe.step_names:
        return ("steps",)
    return ("steps", recipe.step_names.index(at[0]), *at)


def _misfits(
    policy: Policy, recipe: Recipe, document: Document, facts: Facts, planned: Plan | None
) -> Iterator[Finding]:
    """What the model's config cannot take, and where the recipe and the config disagree."""
    rule = policy.rule(FITS)
    because = rule.because if rule else "The model's config cannot express this shape."
    for problem in planned.problems if planned else ():
        path = _path((problem.step, problem.setting) if problem.setting else (problem.step,), recipe)
        message = f"{problem.step}: {problem.text}"
        yield Finding(FITS, "error", message, because, place(document, path, key=True), path, at(document.value, path))
    stated = recipe.model.family
    if stated not in (None, facts.model.family):
        message = f"the recipe says family {stated}, the model's config says {facts.model.family}"
        path = ("model", "family")
        cause = Cause("model.source", f"its config says {facts.model.family}", place(document, ("model", "source")))
        yield Finding(FITS, "error", message, because, place(document, path), path, at(document.value, path), (cause,))
