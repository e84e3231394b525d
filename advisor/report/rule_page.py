"""Explain: a rule as a page, and all rules as pages with an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from advisor.policy.counterfactual import leaving
from advisor.policy.effects import atoms
from advisor.policy.examples import view_of
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.proofs.space import cells

WHITE_PAPER = "It rests on the white paper alone: nobody else is known to have found it."
STRENGTHS = {"executed": "executed here", "only-source": "the only source"}


def page(rule: Rule, policy: Policy) -> str:
    """A rule's page in Markdown: when, then, because, evidence and its strength, reach, and the rules it meets."""
    about = f"`{rule.id}` · {rule.origin} · {rule.severity} · confidence {rule.confidence} · pack {policy.stamp.name}"
    parts = [f"# {rule.title}", about, f"**When** {when(rule)}", "**Then** " + "; ".join(effects(rule))]
    parts += [f"**Because** {rule.because}" + (f" {WHITE_PAPER}" if rule.white_paper_only else "")]
    parts += ["## Evidence", "\n".join(_evidence(rule, policy))]
    parts += ["## Reach", _reach(rule) + _leaving(rule)]
    met = list(_met(rule, policy))
    parts += ["## Rules that it meets", "\n".join(met)] if met else []
    parts += ["## Examples", "\n".join(_examples(rule))]
    if rule.enforced_by:
        parts += ["## What ensures it", "\n".join(f"- {name}" for name in rule.enforced_by)]
    return "\n\n".join(parts) + "\n"


def when(rule: Rule) -> str:
    """A rule's condition in words."""
    return str(rule.when)


def effects(rule: Rule) -> list[str]:
    """What a rule does, in words."""
    words = {"forbid": "forbid", "require": "require", "order": "order", "prefer": "prefer"}
    found = []
    for atom in (one for one in atoms(rule) if one.kind != "deny"):
        value = {"limit": f" must be {atom.value}", "prefer": f" = {atom.value}"}.get(atom.kind, "")
        value = f" is one of {', '.join(map(str, atom.value))}" if atom.kind == "allow_only" else value
        found.append(f"{words.get(atom.kind, '')} {atom.target}{value}".strip())
    found += [f"deny the recipe: {rule.then.deny}"] if rule.then.deny else []
    found += [f"say: {rule.then.warn}"] if rule.then.warn else []
    return found or ["nothing to obey: it holds by construction"]


def _evidence(rule: Rule, policy: Policy) -> Iterator[str]:
    for one in rule.evidence:
        strength = STRENGTHS.get(one.strength, one.strength)
        yield f"- {' '.join(one.says.split())} ({one.source}, {one.at}; {strength})"
    yield ""
    for source in dict.fromkeys(one.source for one in rule.evidence):
        yield f"{source}: {' '.join(policy.sources.get(source, 'not in the list of the pack').split())}\n"


def _reach(rule: Rule) -> str:
    """How many of the cells of its own condition a rule applies in, and how many it leaves open."""
    answers = [rule.when.truth(view) for view in cells([rule.when])]
    open_ = answers.count(None)
    unknown = f", undecided in {open_} where a fact is unknown (then it counts)" if open_ else ""
    return f"Of the {len(answers)} cells that its condition tells apart it applies in {answers.count(True)}{unknown}."


def _leaving(rule: Rule) -> str:
    """What would end it, seen from the rule's first example that says enough."""
    for example in rule.examples.fires:
        if change := leaving(rule, view_of(example)):
            return f" Seen from its example `{_example(example)}` it would not apply {change}."
    return ""


def _met(rule: Rule, policy: Policy) -> Iterator[str]:
    """Rules with an effect on the same step or setting that can apply at the same time."""
    mine = {atom.target.split(".")[0] for atom in atoms(rule)}
    for other in policy.rules:
        shared = sorted(mine & {atom.target.split(".")[0] for atom in atoms(other)})
        if other.id != rule.id and shared and _meet(rule, other):
            yield f"- [{other.id}]({other.id}.md) on {', '.join(shared)}: {other.title}"


def _meet(one: Rule, other: Rule) -> bool:
    return any(one.when.truth(view) and other.when.truth(view) for view in cells([one.when, other.when]))


def _examples(rule: Rule) -> Iterator[str]:
    for kind in ("fires", "quiet"):
        for example in getattr(rule.examples, kind):
            yield f"- {kind}: `{_example(example)}`"


def _example(example: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_words(value)}" for name, value in example.items())


def _words(value: object) -> str:
    if isinstance(value, list):
        return " then ".join(map(_words, value))
    if isinstance(value, dict):
        return " ".join(f"{name}({_words(inner)})" if inner else str(name) for name, inner in value.items())
    return str(value)


def pages(policy: Policy) -> dict[str, str]:
    """Every rule's page by file name, and an index."""
    made = {f"{rule.id}.md": page(rule, policy) for rule in policy.rules}
    return {"index.md": "\n".join(_index(policy)) + "\n", **made}


def _index(policy: Policy) -> Iterator[str]:
    yield f"# Rules of the pack {policy.stamp.name} {policy.stamp.version}\n"
    yield "Written by `advise rules docs`; do not edit.\n"
    yield "| rule | origin | severity | confidence | says |"
    yield "| --- | --- | --- | --- | --- |"
    for rule in policy.rules:
        sure = rule.confidence + (" (white paper only)" if rule.white_paper_only else "")
        yield f"| [{rule.id}]({rule.id}.md) | {rule.origin} | {rule.severity} | {sure} | {rule.title} |"
