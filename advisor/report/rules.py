"""Rules, proofs and differences as plain text."""

from __future__ import annotations

import json
from collections.abc import Sequence

from advisor.policy.pack import Policy
from advisor.proofs.claims import Proof
from advisor.proofs.coverage import Covered
from advisor.proofs.pack_differences import Difference
from advisor.report.style import columns, plural


def listed(policy: Policy) -> str:
    """The rules of a policy as a table, and those that it disables with the reasons."""
    rows: list[Sequence[str]] = [("rule", "origin", "severity", "confidence", "says")]
    for rule in policy.rules:
        sure = rule.confidence + (", white paper only" if rule.white_paper_only else "")
        rows.append((rule.id, rule.origin, rule.severity, sure, rule.title))
    lines = [*columns(rows), *(f"disabled: {name}: {reason}" for name, reason in policy.disabled.items())]
    return "\n".join(lines) + "\n"


def listed_json(policy: Policy) -> str:
    """The same as JSON."""
    keys = ("id", "origin", "severity", "confidence", "title", "white_paper_only")
    rules = [{key: getattr(rule, key) for key in keys} for rule in policy.rules]
    return json.dumps({"rules": rules, "disabled": dict(policy.disabled)}, indent=2) + "\n"


def tested(covered: Sequence[Covered], least: float) -> str:
    """What the examples of rules came to."""
    lines = []
    for one in covered:
        good = not one.wrong and one.share >= least
        lines.append(
            f"{'ok  ' if good else 'FAIL'} {one.rule}: {plural(one.examples, 'example')}, {one.share:.0%} covered"
        )
        lines += [f"       {text}" for text in one.wrong]
        lines += [f"       no example decides {text}" for text in one.missing]
    failed = sum(bool(one.wrong) or one.share < least for one in covered)
    cases = sum(one.cases for one in covered)
    examples = sum(one.examples for one in covered)
    counted = (plural(len(covered), "rule"), plural(examples, "example"), plural(cases, "boundary case"))
    lines.append(f"{' · '.join(counted)} · {failed} failed")
    return "\n".join(lines) + "\n"


def proven(proof: Proof) -> str:
    """A claim with its verdict, what refutes it, and what it leaves open."""
    head = f"{proof.verdict:<11} {proof.claim}"
    told = [f"  {line}" for one in (*proof.refutations, *proof.undecided) for line in str(one).splitlines()]
    return "\n".join([head, *told]) + "\n"


def differing(found: Sequence[Difference]) -> str:
    """Differences between two policies."""
    if not found:
        return "the two policies decide alike everywhere\n"
    return "".join(
        f"{one.kind}: {one.message}\n  rules: {', '.join(one.rules)}\n  for example: {one.witness}\n" for one in found
    )
