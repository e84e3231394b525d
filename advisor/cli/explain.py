"""`advise explain RULE` and `advise explain RECIPE`: a rule's page; or why a recipe is as it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.cli import project
from advisor.cli.options import colour, parser, policy, width
from advisor.report.style import wrapped

if TYPE_CHECKING:
    from advisor.api.project import Project


def run(arguments: Sequence[str]) -> int:
    """A file, or anything that ends in .yaml, is a recipe; all else is a rule's id or origin."""
    made = parser("advise explain", "A rule's page; or why each part of a recipe is so, and what would change it.")
    made.add_argument("what", metavar="RULE|RECIPE", help="a rule's id or origin (R01), or a recipe file")
    policy(made)
    project.configured(made)
    options = made.parse_args(arguments)
    its, path = project.of(options), Path(options.what)
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        from advisor.report.explain import recipe
        from advisor.review.review import review_file

        rules = its.rules(str(path))
        sys.stdout.write(recipe(rules, review_file(rules, path), width(), colour(sys.stdout)))
    else:
        page = _own(options.what) or _pages(its, options.what)
        sys.stdout.write(wrapped(page, width(), hang=0) if sys.stdout.isatty() else page)
    return 0


def _pages(its: Project, name: str) -> str:
    """The pages of the rules with this id or origin, in the first of the project's packs that has one."""
    from advisor.policy.pack import find
    from advisor.report.rule_page import page

    policies = [find(pack) for pack in its.packs]
    rules = next((one for one in policies if any(name in (rule.id, rule.origin) for rule in one.rules)), policies[0])
    return "\n".join(page(rule, rules) for rule in rules.rules_of(name))


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
