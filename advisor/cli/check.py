"""`advise check RECIPE…`: review recipes by the rules."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.cli.options import colour, parser, policy, width
from advisor.errors import AdviseError, Fault, NothingChecked

if TYPE_CHECKING:
    from advisor.recipe import PolicyStamp
    from advisor.review import Finding

ENDINGS = (".yaml", ".yml")


def run(arguments: Sequence[str]) -> int:
    """Check files, folders or `-`; 1 where findings reach --fail-on, 2 where a file is no valid recipe."""
    options = _options(arguments)
    from advisor.policy.pack import find
    from advisor.report import findings as report
    from advisor.review import SEVERITIES, review_file

    rules = find(options.policy)
    found: list[Finding] = []
    faults: list[Fault] = []
    unreadable = 0
    paths = recipe_files(options.recipes)
    for path in paths:
        try:
            reviewed = review_file(rules, path)
            found += reviewed.findings
            sys.stderr.write(_other_policy(path, reviewed.recipe.policy, rules.stamp))
        except AdviseError as error:
            faults += error.faults
            unreadable += 1
    if options.format == "json":
        sys.stdout.write(report.as_json(found) + "\n")
    else:
        sys.stdout.write("".join(report.text(one, width(), colour(sys.stdout)) + "\n\n" for one in found))
    sys.stderr.write(report.summary(len(paths) - unreadable, unreadable, found, len(rules.rules)) + "\n")
    if faults:
        raise AdviseError(*faults)
    worst = SEVERITIES.index(options.fail_on)
    return int(any(SEVERITIES.index(one.severity) <= worst for one in found))


def _options(arguments: Sequence[str]) -> Namespace:
    check = parser("advise check", "Review recipes by the rules.")
    check.add_argument("recipes", nargs="+", metavar="RECIPE", help="files, folders, or - for stdin")
    check.add_argument("--format", choices=("text", "json"), default="text")
    check.add_argument(
        "--fail-on",
        choices=("error", "warning", "note"),
        default="error",
        help="exit with 1 for findings of this severity or worse (default: error)",
    )
    policy(check)
    return check.parse_args(arguments)


def _other_policy(path: Path, made: PolicyStamp | None, judging: PolicyStamp) -> str:
    """A line where a recipe was made under another policy than the one that judges it."""
    if made in (None, judging):
        return ""
    was, now = (f"{one.name} {one.version} ({one.sha256[:12]})" for one in (made or judging, judging))
    return f"{path}: made under {was}, judged under {now}\n"


def recipe_files(names: Sequence[str]) -> list[Path]:
    """The files that names and folders stand for, each once.

    Raises:
        AdviseError: a name stands for no file.
        NothingChecked: folders hold no YAML file.
    """
    files: dict[Path, None] = {}
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.suffix in ENDINGS and one.is_file())
            if not inside:
                raise NothingChecked(Fault("no recipe in this folder", name, hint="recipes end in .yaml or .yml"))
            files |= dict.fromkeys(inside)
        elif name == "-" or path.exists():
            files[path] = None
        else:
            raise AdviseError(Fault("no such file", name))
    return list(files)
