"""`advise check RECIPE…`: review recipes by the rules."""

from __future__ import annotations

import sys
import textwrap
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError, NothingChecked
from advisor.cli.options import colour, give, parser, policy, waivers, width
from advisor.review.findings import FORMATS, SEVERITIES
from advisor.review.outcome import gravest

if TYPE_CHECKING:
    from advisor.recipe.recipe import PolicyStamp
    from advisor.review.outcome import Checked
    from advisor.review.recipe_files import Source

MOST_NAMED = 5  # files that are passed over, by name


def run(arguments: Sequence[str]) -> int:
    """Check files, folders, patterns or `-`; exit codes 0 to 5 as in README.md, the gravest where several apply."""
    options = _options(arguments)
    from advisor.cli import fixing
    from advisor.policy.pack import find
    from advisor.report.formats import written
    from advisor.review import baseline
    from advisor.review.batch import check
    from advisor.review.recipe_files import sources
    from advisor.review.selection import selected
    from advisor.review.waivers.apply import Waiving

    rules = find(options.policy)
    only = selected(rules, options.select, options.ignore)
    found, faults = sources(options.recipes)
    waiving = Waiving(date.today(), not options.no_inline, options.waivers, options.waiver_days)
    known = baseline.read(options.baseline) if options.baseline else None
    read = [_read(one, options.stdin_filename) for one in found]
    judge = partial(check, rules, waiving=waiving, fail_on=options.fail_on, known=known, only=only)
    checked, out = judge(read), sys.stdout
    if options.fix or options.unsafe_fixes or options.diff:
        made = fixing.repairs(checked, read, judge, options.unsafe_fixes)
        sys.stderr.write("".join(fixing.told(made, would=options.diff)))
        if options.diff:
            sys.stdout.write(fixing.shown(made))
            sys.stderr.write("".join(fixing.unread(checked)))
            return 1 if made else gravest(2 if checked.unread else 0, NothingChecked.exit_code if faults else 0)
        checked = judge(fixing.written(made, read))
        out = sys.stderr if any(one.text is not None for one in read) else out  # stdout is the mended recipe's
    if options.write_baseline:
        checked = _as_known(checked, options.write_baseline, options.fail_on)
    product = written(checked, options.format, width(), colour(out) and not options.output)
    give(product, options.output, out)
    _talk(checked)
    if not checked.files and not faults:
        raise NothingChecked("no recipe among these files", hint="a recipe has steps, model and device at its top")
    if faults:
        sys.stderr.write(f"advise: {NothingChecked(*faults)}\n")
    return gravest(checked.exit_code, NothingChecked.exit_code if faults else 0)


def _options(arguments: Sequence[str]) -> Namespace:
    check = parser("advise check", "Review recipes by the rules.")
    check.add_argument(
        "recipes", nargs="+", metavar="RECIPE", help="files, folders, patterns ('recipes/**/*.yaml'), or - for stdin"
    )
    check.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="how findings are written (default: text)")
    check.add_argument("-o", "--output", type=Path, metavar="FILE", help="write them there, not to stdout")
    check.add_argument("--stdin-filename", metavar="NAME", help="the name of what comes in by stdin")
    for name, verb in (("select", "check by these rules only"), ("ignore", "leave these rules out")):
        help_ = f"{verb}; ids or origins, several by commas"
        check.add_argument(f"--{name}", action="append", default=[], metavar="RULE", help=help_)
    check.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="error",
        help="exit with 1 for findings of this severity or worse (default: error)",
    )
    check.add_argument("--baseline", type=Path, metavar="FILE", help="findings in this file do not count")
    check.add_argument(
        "--write-baseline", type=Path, metavar="FILE", help="write what is found to this file, and count it as known"
    )
    check.add_argument("--fix", action="store_true", help="mend the files where the recipe can mean nothing else")
    check.add_argument("--unsafe-fixes", action="store_true", help="mend them also where that changes what they do")
    check.add_argument("--diff", action="store_true", help="show what the fixes would change, and write nothing")
    waivers(check)
    policy(check)
    options = check.parse_args(arguments)
    if options.stdin_filename and "-" not in options.recipes:
        raise AdviseError(
            "--stdin-filename is given, but no - to read stdin", hint="advise check --stdin-filename NAME -"
        )
    return options


def _read(source: Source, name: str | None) -> Source:
    """Stdin in the place of `-`."""
    return source._replace(name=name or "stdin", text=sys.stdin.buffer.read()) if source.name == "-" else source


def _talk(checked: Checked) -> None:
    """What there is to say beside the findings, and the summary."""
    from advisor.report.findings import summary

    for file, one in checked.reviewed.items():
        sys.stderr.write(_other_policy(file, one.recipe.policy, checked.policy))
    if checked.passed_over:
        more = len(checked.passed_over) - MOST_NAMED
        named = ", ".join(checked.passed_over[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
        sys.stderr.write(f"passed over as no recipe (none of steps, model, device at the top): {named}\n")
    sys.stderr.write(textwrap.fill(summary(checked), max(40, width())) + "\n")


def _as_known(checked: Checked, path: Path, fail_on: str) -> Checked:
    """Write a baseline of what was found, and judge by it. Recipes that cannot be judged keep it from being written."""
    from advisor.review import baseline
    from advisor.review.outcome import exit_code

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
