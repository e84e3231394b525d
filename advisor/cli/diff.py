"""`advise diff OLD NEW`: what changed in a recipe's effect."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError
from advisor.cli.options import colour, parser, policy, waivers

if TYPE_CHECKING:
    from advisor.base.errors import Fault
    from advisor.policy.pack import Policy
    from advisor.review.outcome import Reviewed
    from advisor.review.waivers.apply import Waiving

EPILOG = """OLD or NEW may be - or /dev/stdin, so that a file is compared with another version of itself:
  git show main:recipes/a.yaml | advise diff - recipes/a.yaml
Exit codes: 0 no rule is newly broken, 1 one is, of the severity --fail-on or worse, 2 a recipe cannot be read."""


def run(arguments: Sequence[str]) -> int:
    """0 where no rule is newly broken at or above --fail-on, else 1; 2 where a recipe cannot be read or is invalid."""
    options = _options(arguments)
    from advisor.policy.pack import find
    from advisor.report import diff as report
    from advisor.review.difference import difference
    from advisor.review.waivers.apply import Waiving

    rules = find(options.policy)
    waiving = Waiving(date.today(), not options.no_inline, options.waivers, options.waiver_days, unused=False)
    old, new = _reviewed(rules, options.recipes, waiving)
    found = difference(old, new)
    code = int(found.breaks(options.fail_on))
    names = (options.recipes[0], options.recipes[1])
    if options.format == "json":
        sys.stdout.write(report.as_json(found, names, code))
    elif options.format == "markdown":
        sys.stdout.write(report.markdown(found, names))
    else:
        sys.stdout.write(report.text(found, names, colour(sys.stdout)))
    return code


def _options(arguments: Sequence[str]) -> Namespace:
    diff = parser("advise diff", "Show what changed in the effect of a recipe, not in its text.", EPILOG)
    diff.add_argument("old", metavar="OLD", help="a recipe file, or - for stdin")
    diff.add_argument("new", metavar="NEW", help="a recipe file, or - for stdin")
    diff.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    diff.add_argument(
        "--fail-on",
        choices=("error", "warning", "note"),
        default="error",
        help="exit with 1 for newly broken rules of this severity or worse (default: error)",
    )
    waivers(diff)
    policy(diff)
    options = diff.parse_args(arguments)
    options.recipes = [options.old, options.new]
    if all(map(_piped, options.recipes)) and options.old == options.new:
        raise AdviseError("stdin can be only one of the two recipes", hint="git show REV:FILE | advise diff - FILE")
    return options


def _piped(name: str) -> bool:
    return name == "-" or name.startswith(("/dev/", "/proc/self/fd/"))


def _reviewed(rules: Policy, names: Sequence[str], waiving: Waiving) -> list[Reviewed]:
    """Both recipes, judged. A piped one stands for another version of the other, so it is judged in that one's place.

    Raises:
        AdviseError: a recipe cannot be read or is invalid; the faults of both.
    """
    files = [name for name in names if not _piped(name)] or ["stdin"]
    found: list[Reviewed] = []
    faults: list[Fault] = []
    for name in names:
        try:
            found.append(_review(rules, name, name if name in files else files[0], waiving))
        except AdviseError as error:
            faults += error.faults
    if faults:
        raise AdviseError(*faults)
    return found


def _review(rules: Policy, name: str, place: str, waiving: Waiving) -> Reviewed:
    from advisor.recipe.reader import load, loads
    from advisor.review.review import review_document
    from advisor.review.waivers.apply import waive

    recipe, document = loads(sys.stdin.buffer.read(), "stdin") if name == "-" else load(Path(name))
    reviewed = review_document(rules, recipe, replace(document, name=place), Path(place).parent)
    waived = waive(reviewed.findings, [reviewed.document], rules, waiving)
    return replace(reviewed, findings=waived.findings)
