"""Explain: a rule as a page in Markdown, and all rules as pages with an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from advisor.policy.counterfactual import leaving
from advisor.policy.effects import Atom, atoms
from advisor.policy.examples import view_of
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.proofs.space import cells
from advisor.report import rule_examples
from advisor.report.style import plural
from advisor.review.waivers.rules import MOST_DAYS
from advisor.review.waivers.scope import NEVER_WAIVED

WHITE_PAPER = "It rests on the white paper alone: nobody else is known to have reported it."
STRENGTHS = {
    "executed": "run by this project",
    "only-source": "the only source",
}
NOTHING = "nothing to obey: it holds by construction"
GUARANTEED = "The program ensures this by itself, see [What ensures it](#what-ensures-it)."
SENTENCES = {
    "forbid": "Forbids `{target}`.",
    "require": "Requires `{target}`.",
    "order": "Requires `{first}` before `{later}`.",
    "limit": "Requires `{target}` to be `{value}`.",
    "allow_only": "Allows only {allowed} for `{target}`.",
    "prefer": "Makes `{value}` the advised value of `{target}`; a recipe may state another one.",
}
UNMENDED = "No change of the recipe alone satisfies the rule."


def page(rule: Rule, policy: Policy) -> str:
    """A rule's page in Markdown: what it does, why, an example, waivers, reach, evidence and its test cases."""
    about = f"`{rule.id}` · {rule.origin} · {rule.severity} · confidence {rule.confidence} · pack {policy.stamp.name}"
    parts = [f"# {rule.title}", about, "## What it does", _does(rule)]
    parts += ["## Why", rule.because + (f" {WHITE_PAPER}" if rule.white_paper_only else "")]
    parts += _example(rule, policy)
    parts += ["## How to waive", _waiver(rule)]
    parts += ["## Where it applies", _reach(rule) + _leaving(rule)]
    met = list(_met(rule, policy))
    parts += ["## Related rules", "\n".join(met)] if met else []
    parts += ["## Evidence", "\n".join(_evidence(rule, policy)).strip()]
    parts += ["## Test cases", "\n".join(_cases(rule))]
    if rule.enforced_by:
        parts += ["## What ensures it", "\n".join(f"- `{name}`" for name in rule.enforced_by)]
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
    return found or [NOTHING]


def _does(rule: Rule) -> str:
    """The condition and the effects, one a line."""
    sentences = [_sentence(atom) for atom in atoms(rule) if atom.kind != "deny"]
    if rule.then.deny:
        sentences += [f"Refuses the recipe: {rule.then.deny}."]
    if rule.then.warn:
        sentences += [f"{'Notes' if rule.severity == 'note' else 'Warns'}: {rule.then.warn}."]
    if len(sentences) <= 1:
        return f"When {when(rule)}:\n\n{(sentences or [GUARANTEED])[0]}"
    return "\n".join([f"When {when(rule)}:\n", *(f"- {one}" for one in sentences)])


def _sentence(atom: Atom) -> str:
    first, _, later = atom.target.partition(" before ")
    allowed = " or ".join(f"`{one}`" for one in atom.value) if atom.kind == "allow_only" else ""
    words = {"target": atom.target, "first": first, "later": later, "value": atom.value, "allowed": allowed}
    return SENTENCES[atom.kind].format(**words)


def _example(rule: Rule, policy: Policy) -> list[str]:
    """A recipe that breaks the rule, what review says of it, and the same recipe mended."""
    shown = rule_examples.shown(rule, policy)
    if shown is None:
        return []
    found = f"{shown.finding.place}: {shown.finding.severity} {rule.id} {shown.finding.message}"
    parts = ["## Example", _block("yaml", shown.recipe, rule_examples.NAME), "`advise check --format concise` reports:"]
    parts += [_block("text", found + "\n")]
    if shown.mended:
        return [*parts, "Use instead:", _block("yaml", shown.mended, rule_examples.NAME), shown.how]
    return [*parts, shown.how or UNMENDED]


def _block(language: str, text: str, title: str = "") -> str:
    return f'```{language}{f""" title="{title}" """.rstrip() if title else ""}\n{text}```'


def _waiver(rule: Rule) -> str:
    if rule.id in NEVER_WAIVED:
        return "Nobody can waive this rule: what it refuses cannot be run."
    if rule.severity == "note":
        return (
            "A note never fails a check. To hide it, use `--ignore " + rule.id + "`, or disable the rule in your pack."
        )
    days = min(MOST_DAYS, rule.waiver_days or MOST_DAYS)
    comment = f'# advise: ignore[{rule.id}] until=YYYY-MM-DD owner=NAME reason="..."'
    return (
        f"Add a comment to the line that the finding points at, with a last day at most {days} days ahead, "
        f"or an entry in `waivers.yaml`:\n\n{_block('text', comment + chr(10))}"
    )


def _evidence(rule: Rule, policy: Policy) -> Iterator[str]:
    for one in rule.evidence:
        strength = STRENGTHS.get(one.strength, one.strength)
        yield f"- {' '.join(one.says.split())} ({one.source}, {one.at}; {strength})"
    yield ""
    for source in dict.fromkeys(one.source for one in rule.evidence):
        yield f"{source}: {' '.join(policy.sources.get(source, 'not in the list of the pack').split())}\n"


def _reach(rule: Rule) -> str:
    """How many of the situations that its condition distinguishes a rule applies in, and how many it leaves open."""
    answers = [rule.when.truth(view) for view in cells([rule.when])]
    open_ = answers.count(None)
    unknown = f" In {open_} a fact is unknown; the rule then counts." if open_ else ""
    applies, all_ = answers.count(True), plural(len(answers), "situation")
    return f"Its condition distinguishes {all_}. The rule applies in {applies} of them.{unknown}"


def _leaving(rule: Rule) -> str:
    """What would end it, from the rule's first example that says enough."""
    for example in rule.examples.fires:
        if change := leaving(rule, view_of(example)):
            return f" For `{_words_of(example)}` it would no longer apply {change}."
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


def _cases(rule: Rule) -> Iterator[str]:
    for kind, words in (("fires", "applies"), ("quiet", "does not apply")):
        for example in getattr(rule.examples, kind):
            yield f"- {words}: `{_words_of(example)}`"


def _words_of(example: Mapping[str, object]) -> str:
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
    yield "| Rule | Origin | Severity | Confidence | What it asks for |"
    yield "| --- | --- | --- | --- | --- |"
    for rule in policy.rules:
        sure = rule.confidence + (" (white paper only)" if rule.white_paper_only else "")
        yield f"| [{rule.id}]({rule.id}.md) | {rule.origin} | {rule.severity} | {sure} | {rule.title} |"
