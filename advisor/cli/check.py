"""`advise check RECIPE…`: review recipes by the rules."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.cli.options import colour, parser, policy, waivers, width
from advisor.errors import AdviseError, Fault, NothingChecked

if TYPE_CHECKING:
    from advisor.findings import Checked
    from advisor.recipe import PolicyStamp

ENDINGS = (".yaml", ".yml")
WAIVERS = "waivers.yaml"  # stands among recipes and is none


def run(arguments: Sequence[str]) -> int:
    """Check files, folders or `-`; 1 where findings reach --fail-on, 2 where a file is no valid recipe."""
    options = _options(arguments)
    from advisor import baseline
    from advisor.check import Source, check
    from advisor.policy.pack import find
    from advisor.report import findings as report
    from advisor.waiving import Waiving

    rules = find(options.policy)
    sources = [
        Source("stdin", sys.stdin.buffer.read()) if str(path) == "-" else Source(str(path))
        for path in recipe_files(options.recipes)
    ]
    waiving = Waiving(date.today(), not options.no_inline, options.waivers, options.waiver_days)
    known = baseline.read(options.baseline) if options.baseline else None
    checked = check(rules, sources, waiving, options.fail_on, known)
    if options.write_baseline:
        checked = _as_known(checked, options.write_baseline, options.fail_on)
    for file, one in checked.reviewed.items():
        sys.stderr.write(_other_policy(file, one.recipe.policy, rules.stamp))
    if options.format == "json":
        sys.stdout.write(report.as_json(checked) + "\n")
    else:
        sys.stdout.write("".join(report.text(one, width(), colour(sys.stdout)) + "\n\n" for one in checked.findings))
    sys.stderr.write(report.summary(checked) + "\n")
    return checked.exit_code


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
    check.add_argument("--baseline", type=Path, metavar="FILE", help="findings in this file do not count")
    check.add_argument(
        "--write-baseline", type=Path, metavar="FILE", help="write what is found to this file, and count it as known"
    )
    waivers(check)
    policy(check)
    return check.parse_args(arguments)


def _as_known(checked: Checked, path: Path, fail_on: str) -> Checked:
    """Write a baseline of what was found, and judge by it. Recipes that cannot be judged keep it from being written."""
    from advisor import baseline
    from advisor.findings import exit_code

    if checked.unread:
        sys.stderr.write(f"{path} is not written: {', '.join(checked.unread)} cannot be judged\n")
        return checked
    old = baseline.read(path) if path.exists() else baseline.Baseline(path)
    made = baseline.save(checked.findings, old, checked.reviewed)
    found = [one for one in checked.findings if one.rule != baseline.GONE]
    marked = tuple(baseline.mark(found, made, checked.reviewed))
    sys.stderr.write(f"{path}: {len(made.entries)} known findings\n")
    return replace(checked, findings=marked, exit_code=exit_code(marked, fail_on))


def _other_policy(path: str, made: PolicyStamp | None, judging: PolicyStamp) -> str:
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
            inside = sorted(
                one for one in path.rglob("*") if one.suffix in ENDINGS and one.name != WAIVERS and one.is_file()
            )
            if not inside:
                raise NothingChecked(Fault("no recipe in this folder", name, hint="recipes end in .yaml or .yml"))
            files |= dict.fromkeys(inside)
        elif name == "-" or path.exists():
            files[path] = None
        else:
            raise AdviseError(Fault("no such file", name))
    return list(files)
