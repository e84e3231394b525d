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
        from advisor.review import review_file

        sys.stdout.write(recipe(rules, review_file(rules, path), width(), colour(sys.stdout)))
        return 0
    from advisor.explain import page

    sys.stdout.write("\n".join(page(rule, rules) for rule in rules.rules_of(options.what)))
    return 0
