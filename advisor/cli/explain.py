"""`advise explain RULE` and `advise explain RECIPE`: a rule's page; or why a recipe is as it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from advisor.cli.options import colour, parser, policy, width


def run(arguments: Sequence[str]) -> int:
    """A file, or anything that ends in .yaml, is a recipe; all else is a rule's id or origin."""
    made = parser("advise explain", "A rule's page; or why each part of a recipe is so, and what would change it.")
    made.add_argument("what", metavar="RULE|RECIPE", help="a rule's id or origin (R01), or a recipe file")
    policy(made)
    options = made.parse_args(arguments)
    from advisor.policy.pack import find

    rules = find(options.policy)
    path = Path(options.what)
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        from advisor.report.explain import recipe
        from advisor.review.review import review_file

        sys.stdout.write(recipe(rules, review_file(rules, path), width(), colour(sys.stdout)))
        return 0
    from advisor.report.rule_page import page

    own = _own(options.what)
    sys.stdout.write(own or "\n".join(page(rule, rules) for rule in rules.rules_of(options.what)))
    return 0


def _own(name: str) -> str:
    """The page of a rule that is advise's own and in no pack; empty for any other name."""
    from advisor.deployment.rules import BECAUSE
    from advisor.review.findings import BUILT_IN, GATE_RULES
    from advisor.review.waivers.rules import WAIVER_RULES

    about = {**BUILT_IN, **GATE_RULES, **{rule: because for rule, (_, because) in WAIVER_RULES.items()}}
    if name not in about:
        return ""
    why = f"\n\n**Because** {BECAUSE[name]}" if name in BECAUSE else ""
    return f"# {about[name]}\n\n`{name}` is a rule of advise itself: no pack can change it, nobody can waive it.{why}\n"
