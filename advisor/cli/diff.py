"""`advise diff OLD NEW`: what changed in a recipe's effect."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError
from advisor.cli import project
from advisor.cli.options import colour, parser, policy, waivers

if TYPE_CHECKING:
    from advisor.api.project import Project
    from advisor.base.errors import Fault
    from advisor.review.outcome import Reviewed

EPILOG = """OLD or NEW may be - or /dev/stdin, so that a file is compared with another version of itself:
  git show main:recipes/a.yaml | advise diff - recipes/a.yaml
Exit codes: 0 no rule is newly broken, 1 one is, of the severity --fail-on or worse, 2 a recipe cannot be read."""


def run(arguments: Sequence[str]) -> int:
    """0 where no rule is newly broken at or above --fail-on, else 1; 2 where a recipe cannot be read or is invalid."""
    options = _options(arguments)
    from advisor.report import diff as report
    from advisor.review.difference import difference

    its = project.of(options)
    old, new = _reviewed(its, options.recipes)
    found = difference(old, new)
    code = int(found.breaks(its.settings.fail_on))
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
        help="exit with 1 for newly broken rules of this severity or worse (default: error)",
    )
    waivers(diff)
    policy(diff)
    project.configured(diff)
    options = diff.parse_args(arguments)
    options.recipes = [options.old, options.new]
    if all(map(_piped, options.recipes)) and options.old == options.new:
        raise AdviseError("stdin can be only one of the two recipes", hint="git show REV:FILE | advise diff - FILE")
    return options


def _piped(name: str) -> bool:
    return name == "-" or name.startswith(("/dev/", "/proc/self/fd/"))


def _reviewed(its: Project, names: Sequence[str]) -> list[Reviewed]:
    """Both recipes, judged. A piped one stands for another version of the other, so it is judged in that one's place.

    Raises:
        AdviseError: a recipe cannot be read or is invalid; the faults of both.
    """
    files = [name for name in names if not _piped(name)] or ["stdin"]
    found: list[Reviewed] = []
    faults: list[Fault] = []
    for name in names:
        try:
            found.append(_review(its, name, name if name in files else files[0]))
        except AdviseError as error:
            faults += error.faults
    if faults:
        raise AdviseError(*faults)
    return found


def _review(its: Project, name: str, place: str) -> Reviewed:
    from advisor.recipe.reader import load, loads
    from advisor.review.review import review_document
    from advisor.review.waivers.apply import waive

    recipe, document = loads(sys.stdin.buffer.read(), "stdin") if name == "-" else load(Path(name))
    rules = its.rules(place)
    reviewed = review_document(rules, recipe, replace(document, name=place), Path(place).parent)
    waived = waive(reviewed.findings, [reviewed.document], rules, its.waiving())
    return replace(reviewed, findings=waived.findings)
