"""A recipe that breaks a rule, and the same recipe mended: found by review and fixes, so that a page cannot lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError
from advisor.families.registry import find
from advisor.policy.effects import atoms
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.recipe.flow_style import flow
from advisor.recipe.reader import loads
from advisor.recipe.steps import STEPS
from advisor.review.findings import Finding
from advisor.review.fixes.apply import mend
from advisor.review.outcome import Reviewed
from advisor.review.review import review_document

NAME = "recipe.yaml"
COMPRESSING = ("layer_removal", "distillation", "matrix_pruning", "quantization")
STRUCTURAL = {"layer_removal", "matrix_pruning"}
FACTS = {"model", "samples", "unlabelled_samples", "eval_samples", "task", "device", "min_accuracy", "max_emissions"}
TYPICAL = {
    "samples": 25_000,
    "eval_samples": 2_000,
    "task": "text-classification",
    "device": "cpu",
    "min_accuracy": 0.9,
}
# Values on the wrong side of what rules usually limit, and goals and gates that contradict each other.
ODD_SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("quantization", {"min_relative_accuracy": 0.95}),
    ("layer_removal", {"keep": 3, "choose": "alternate"}),
    ("layer_removal", {"keep": 8, "choose": "top"}),
    ("matrix_pruning", {"hidden_size": 448, "intermediate_size": 1792, "increments": 2}),
    ("matrix_pruning", {"heads": 7}),
)
ODD_PARTS: tuple[dict[str, dict[str, str]], ...] = (
    {"goal": {"relative_accuracy": ">= 0.95"}, "gates": {"relative_accuracy": ">= 0.90"}},
    {"goal": {"relative_accuracy": ">= 0.99", "relative_emissions": "<= 0.01"}},
)

Steps = list[tuple[str, Mapping[str, Any]]]


class Shown(NamedTuple):
    """A recipe that breaks a rule, what review finds, and the mended recipe (empty where no recipe would do)."""

    recipe: str
    finding: Finding
    mended: str
    how: str


def shown(rule: Rule, policy: Policy) -> Shown | None:
    """The recipe with the fewest other findings that breaks the rule; None where no recipe can."""
    alone = policy._replace(rules=(rule,))
    texts = dict.fromkeys(_recipes(rule, rule.examples.fires))
    breaking = [text for text in texts if _finds(rule, alone, text)]
    judged = {text: one for text in breaking if (one := _review(policy, text))}
    if not judged:
        return None
    text, reviewed = min(judged.items(), key=partial(_other_findings, rule))
    finding = next(one for one in reviewed.findings if one.rule == rule.id)
    others = dict.fromkeys([*texts, *_recipes(rule, rule.examples.quiet)])
    quiet = [one for one in others if one not in breaking and _same_facts(one, text)]
    return Shown(text, finding, *_mended(rule, policy, text, finding, quiet))


def _other_findings(rule: Rule, one: tuple[str, Reviewed]) -> tuple[int, int, int]:
    others = [finding.severity for finding in one[1].findings if finding.rule != rule.id]
    return others.count("error"), others.count("warning"), len(one[0])


def _review(policy: Policy, text: str) -> Reviewed | None:
    try:
        return review_document(policy, *loads(text, NAME), Path())
    except AdviseError:
        return None  # not a recipe: the variations are blind


def _finds(rule: Rule, policy: Policy, text: str) -> list[Finding]:
    judged = _review(policy, text)
    return [one for one in judged.findings if one.rule == rule.id] if judged else []


def _mended(rule: Rule, policy: Policy, text: str, finding: Finding, others: Sequence[str]) -> tuple[str, str]:
    """The recipe after this rule's fixes; else the most similar one that the rule accepts; else nothing."""
    findings = partial(_finds, rule, policy)
    after = mend(text, findings, unsafe=True)
    if after.fixes and not findings(after.text):
        option = "--fix" if all(fix.safe for fix in after.fixes) else "--unsafe-fixes"
        return after.text, f"`advise check {option}` makes this change."
    alike = [one for one in others if _accepted(rule, policy, one)]
    if rule.severity == "note":
        alike = [one for one in alike if _step_names(one) == _step_names(text)]
    if alike:
        return max(alike, key=partial(_likeness, text)), "No fix is automatic; this recipe is accepted."
    return "", f"The rule no longer applies {finding.allowed_if}." if finding.allowed_if else ""


def _accepted(rule: Rule, policy: Policy, text: str) -> bool:
    judged = _review(policy, text)
    return bool(judged and not judged.errors) and not _finds(rule, policy, text)


def _same_facts(one: str, other: str) -> bool:
    """Do two recipes state the same model, data and device?"""
    return [part in other for part in one.splitlines() if part.startswith(("model:", "data:", "device:"))] == [True] * 3


def _step_names(text: str) -> list[str]:
    return [line.split(":")[0] for line in text.splitlines() if line.startswith("  - ")]


def _likeness(text: str, other: str) -> tuple[bool, float]:
    return _step_names(text) == _step_names(other), SequenceMatcher(None, text, other).ratio()


def _recipes(rule: Rule, examples: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Recipes that some examples of a rule stand for, and variations of them."""
    effective = rule.then.warn or any(atoms(rule))
    for example in examples:
        if not all(name in {*FACTS, "steps"} for name in example):
            continue
        head = _head(example, {name for name, _ in _stated(example)})
        odd = () if effective else ODD_PARTS
        for steps in _variations(rule, example):
            yield from (_text({**head, **parts}, steps) for parts in ({}, *odd))


def _head(example: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """The parts of a recipe but its steps; what the example leaves open gets a typical value."""
    facts = {**TYPICAL, **example}
    if "min_accuracy" not in example and not names & STRUCTURAL:
        facts["min_accuracy"] = 0.95
    model = str(facts.get("model", "bert"))
    data = {name: facts[name] for name in ("task", "samples", "eval_samples", "unlabelled_samples") if name in facts}
    bounds = {"relative_accuracy": ">= {min_accuracy}", "relative_emissions": "<= {max_emissions}"}
    goal = {name: text.format(**facts) for name, text in bounds.items() if text.split("{")[1][:-1] in facts}
    parts = {"model": {"source": model, "family": model}, "data": data, "device": facts["device"], "goal": goal}
    return {"version": 1, "name": "example", **parts}


def _stated(example: Mapping[str, Any]) -> Steps:
    """The steps of an example, with typical settings where it gives none."""
    model = str(example.get("model", "bert"))
    entries = [(item, {}) if isinstance(item, str) else next(iter(item.items())) for item in example.get("steps", ())]
    return [(name, settings or _typical(name, model)) for name, settings in entries]


def _typical(step: str, model: str) -> dict[str, Any]:
    family = find(model)
    layers = dict(family.shape(family.config).layers) if family else {"encoder": 12}
    if step == "layer_removal":
        kept = {stack: depth * 2 // 3 for stack, depth in layers.items()}
        only = len(kept) == 1
        return {"keep" if only else f"{stack}_keep": count for stack, count in kept.items()}
    narrow = {"heads": 8} if model == "t5" else {"hidden_size": 448, "intermediate_size": 1792}
    return {"finetune": {"epochs": 3}, "distillation": {"epochs": 9}, "matrix_pruning": narrow}.get(step, {})


def _variations(rule: Rule, example: Mapping[str, Any]) -> Iterator[Steps]:
    """The steps of an example as they stand, completed, and then against each effect of the rule."""
    model = str(example.get("model", "bert"))
    stated = _stated(example)
    if stated:
        yield stated
    whole = _completed(dict(stated), model)
    yield whole
    for atom in atoms(rule):
        step, _, later = atom.target.partition(" before ")
        names = [name.split(".")[0] for name in (step, later) if name.split(".")[0] in STEPS]
        fuller = _completed({**dict(whole), **{name: _typical(name, model) for name in names}}, model)
        yield fuller
        if names:
            yield [entry for entry in fuller if entry[0] != names[0]]
        if len(names) == 2:
            yield _moved(fuller, *names)
    for name, settings in ODD_SETTINGS:
        yield _completed({**dict(whole), name: settings}, model)


def _completed(steps: Mapping[str, Mapping[str, Any]], model: str) -> Steps:
    """Fine-tuning first, distillation after a cut, and all in the usual order."""
    needed = ["finetune", *steps, *(["distillation"] if STRUCTURAL & steps.keys() else [])]
    order = [name for name in ("finetune", *COMPRESSING) if name in needed]
    return [(name, steps.get(name) or _typical(name, model)) for name in order]


def _moved(steps: Steps, first: str, later: str) -> Steps:
    """The steps with `first` behind `later`."""
    (entry,) = [one for one in steps if one[0] == first]
    rest = [one for one in steps if one[0] != first]
    place = [name for name, _ in rest].index(later) + 1
    return [*rest[:place], entry, *rest[place:]]


def _text(head: Mapping[str, Any], steps: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """A recipe as people write it: one line a part, one line a step."""
    lines = [f"{name}: {flow(value)}" for name, value in head.items()]
    lines += ["steps:"]
    lines += [f"  - {name}: {flow(dict(settings))}" if settings else f"  - {name}" for name, settings in steps]
    return "\n".join(lines) + "\n"
