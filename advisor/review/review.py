"""Review: judge a recipe by the rules, and point at the place in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from advisor.base.errors import AdviseError
from advisor.base.yamlfile import Document
from advisor.facts.facts import DataFacts, Facts
from advisor.inspection import given_student, probe
from advisor.inspection.recipe_facts import facts_of
from advisor.policy.counterfactual import leaving
from advisor.policy.judge import Violation, violations
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.policy.view import View, look
from advisor.recipe.plan import Plan, plan
from advisor.recipe.reader import load, loads
from advisor.recipe.recipe import ModelSource, Recipe
from advisor.review.decisive_facts import causes, names_a_part, path_of, value_at
from advisor.review.findings import FITS, Finding, Fix, Path_, Place
from advisor.review.fixes.rule_fixes import Broken
from advisor.review.goals import goal_findings
from advisor.review.model_fit import ModelFit
from advisor.review.outcome import Reviewed

FindModel = Callable[[ModelSource, Path, int], probe.Model]


def review_file(policy: Policy, path: Path) -> Reviewed:
    """Review a recipe file; `-` reads stdin.

    Raises:
        AdviseError: it cannot be read or is not a valid recipe.
    """
    import sys

    recipe, document = loads(sys.stdin.buffer.read(), "stdin") if str(path) == "-" else load(path)
    base = Path() if str(path) == "-" else path.parent
    return review_document(policy, recipe, document, base)


def model_of(source: ModelSource, base: Path, labels: int = 2) -> probe.Model:
    """The model that a recipe names; a relative path counts from the current folder, then from the recipe's.

    labels: classes of the task, which its head has a row of parameters for.
    """
    return probe.named(source, labels, Path() if probe.located(source.source) else base)


def models_of(recipe: Recipe) -> tuple[ModelSource, ...]:
    """The models that a recipe names: its own, and a given student."""
    student = recipe.student
    return (recipe.model, ModelSource(student)) if student else (recipe.model,)


def review_document(
    policy: Policy, recipe: Recipe, document: Document, base: Path, find: FindModel = model_of
) -> Reviewed:
    """Review a recipe that was read.

    Args:
        base: the folder that a relative path to its model may start from.
        find: how the model is found.

    Raises:
        AdviseError: the model that it names is unknown or its config is invalid.
    """
    with placed(document, ("model", "source")):
        model = find(recipe.model, base, recipe.data.labels or 2)
    if source := recipe.student:
        with placed(document, path_of(("distillation", "student"), recipe, document)):
            student = find(ModelSource(source), base, recipe.data.labels or 2)
            model = given_student.fitted(model, student, recipe.data.labels, recipe.training.max_tokens)
    return review(policy, recipe, document, stated_facts(recipe, model), model)


@contextmanager
def placed(document: Document, path: Path_) -> Iterator[None]:
    """Within, an error about a model is one about the part of the recipe that names it."""
    try:
        yield
    except AdviseError as error:
        faults = [
            document.fault(f"{one.file}: {one.message}" if one.file else one.message, path, one.hint)
            for one in error.faults
        ]
        raise AdviseError(*faults) from None


def stated_facts(recipe: Recipe, model: probe.Model) -> Facts:
    """The facts as the recipe itself states them."""
    stated = recipe.data
    samples = _at_most(stated.samples, stated.max_samples)
    evaluated = _at_most(stated.eval_samples, stated.max_eval_samples)
    unlabelled = _at_most(stated.unlabelled_samples, stated.max_unlabelled) or 0
    data = DataFacts(samples, evaluated, unlabelled, None, stated.task, stated.labels)
    data = data._replace(problem_type=stated.problem_type)
    return facts_of(recipe, model.facts, data)


def _at_most(count: int | None, most: int | None) -> int | None:
    return count if count is None or most is None else min(count, most)


def review(policy: Policy, recipe: Recipe, document: Document, facts: Facts, model: probe.Model) -> Reviewed:
    """Judge a recipe under some facts, stated or measured."""
    labels = facts.data.labels or 2
    planned = plan(recipe, model.config, labels, model.student_config) if model.config else None
    view = look(facts, recipe, planned.measures if planned else {})
    broken = [one for one in violations(policy, view) if not _follows_from(one, planned)]
    findings = [
        _finding(one, recipe, document, view, Broken(one, recipe, policy, view, planned).fix()) for one in broken
    ]
    fits = policy.rule(FITS)
    fit = ModelFit(recipe, document, model, planned)
    findings += fit.findings(*([fits.because] if fits else []))
    findings += fit.task() if not any(one.rule.then.deny for one in broken) else ()
    findings += goal_findings(policy, recipe, document, facts, planned)
    return Reviewed(recipe, facts, planned, tuple(sorted(findings, key=lambda one: one.order)), model, document)


def _follows_from(violation: Violation, planned: Plan | None) -> bool:
    """An unknown measure of a step that does not fit the model adds nothing to the finding about the fit."""
    return bool(planned and planned.problems and "is unknown here" in violation.message)


def _finding(violation: Violation, recipe: Recipe, document: Document, view: View, fix: Fix | None) -> Finding:
    rule = violation.rule
    path = path_of(violation.at or ("steps",), recipe, document)
    note = f" (undecided: {_settled(violation.unknown)})" if violation.undecided else ""
    return Finding(
        rule.id,
        rule.severity,
        violation.message + note,
        rule.because,
        Place.of(document, path, key=names_a_part(path)),
        path,
        value_at(path, recipe, document),
        tuple(causes(rule, recipe, document, view)),
        leaving(rule, view).replace("--min-accuracy", "a goal of relative accuracy >="),
        evidence_of(rule),
        fix,
        undecided=violation.undecided,
        white_paper_only=rule.white_paper_only,
    )


@cache
def evidence_of(rule: Rule) -> tuple[str, ...]:
    """The evidence for a rule: what each source says, where, and how strong it is."""
    return tuple(f"{' '.join(one.says.split())} ({one.source}, {one.at}; {one.strength})" for one in rule.evidence)


def _settled(unknown: tuple[str, ...]) -> str:
    """Which facts are unknown, and how to state them."""
    ways = {
        "data": "state it in the recipe's data",
        "model": "name a model whose config.json is at hand",
        "recipe": "name a model whose config.json is at hand",
    }
    groups = dict.fromkeys(ways.get(name.split(".")[0], "state it") for name in unknown)
    return f"{', '.join(unknown)} unknown, so the rule counts; {' and '.join(groups)}"
