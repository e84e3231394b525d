"""`advise check RECIPE…`: review recipes by the rules."""

from __future__ import annotations

import sys
import textwrap
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError, NothingChecked
from advisor.cli import project, targets
from advisor.cli.options import colour, give, parser, policy, waivers, width
from advisor.review.findings import FORMATS, SEVERITIES
from advisor.review.outcome import gravest

if TYPE_CHECKING:
    from advisor.api.review import Findings
    from advisor.recipe.recipe import PolicyStamp
    from advisor.review.outcome import Checked
    from advisor.review.recipe_files import Source

MOST_NAMED = 5  # files that are passed over, by name


def run(arguments: Sequence[str]) -> int:
    """Check files, folders, patterns or `-`. The exit codes are in docs/reference/exit-codes.md; the gravest counts."""
    options = _options(arguments)
    from advisor.cli import fixing
    from advisor.review.recipe_files import sources

    configured = project.of(options)
    if options.show_config:
        sys.stdout.write(configured.settings.as_toml(configured.file))
        return 0
    judge = configured.judge(cache=not options.no_cache)
    found, faults = sources(configured.names(options.recipes), configured.leaves_out)
    read_too = filter(None, (options.baseline, options.waivers, options.config))
    targets.refuse_inputs(options.output, (*(one.name for one in found), *read_too))
    read = [_read(one, options.stdin_filename) for one in found]
    checked, out = judge(read), sys.stdout
    if options.fix or options.unsafe_fixes or options.diff:
        made = fixing.repairs(checked, read, judge, options.unsafe_fixes)
        sys.stderr.write("".join(fixing.report(made, would=options.diff)))
        if options.diff:
            sys.stdout.write(fixing.shown(made))
            sys.stderr.write("".join(fixing.unread(checked)))
            return 1 if made else gravest(2 if checked.unread else 0, NothingChecked.exit_code if faults else 0)
        checked = judge(fixing.written(made, read))
        out = sys.stderr if any(one.text is not None for one in read) else out  # stdout is the fixed recipe's
    if options.write_baseline:
        checked = _as_known(checked, options.write_baseline, configured.settings.fail_on)
    shown = partial(checked.to, options.format, width(), colour(out) and not options.output)
    give(project.statistics(checked) if options.statistics else shown(), options.output, out)
    if not options.quiet:
        _talk(checked)
    if not checked.files and not faults:
        raise NothingChecked("no recipe among these files", hint="a recipe has steps, model and device at its top")
    if faults:
        sys.stderr.write(f"advise: {NothingChecked(*faults)}\n")
    code = 0 if options.exit_zero and checked.exit_code == 1 else checked.exit_code
    return gravest(code, NothingChecked.exit_code if faults else 0)


def _options(arguments: Sequence[str]) -> Namespace:
    check = parser("advise check", "Review recipes by the rules.")
    check.add_argument(
        "recipes",
        nargs="*",
        metavar="RECIPE",
        help="files, folders, patterns ('recipes/**/*.yaml'), or - for stdin; else the configured paths",
    )
    check.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="output format (default: text)")
    check.add_argument("-o", "--output", type=Path, metavar="FILE", help="write findings here, not to stdout")
    check.add_argument("--stdin-filename", metavar="NAME", help="the file name to report for stdin")
    for name, verb in (("select", "check only these rules"), ("ignore", "skip these rules")):
        help_ = f"{verb}; ids or origins, separated by commas"
        check.add_argument(f"--{name}", action="append", default=[], metavar="RULE", help=help_)
    check.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        help="exit with 1 for findings of this severity or worse (default: error)",
    )
    check.add_argument("--baseline", type=Path, metavar="FILE", help="findings in this file do not count")
    check.add_argument(
        "--write-baseline", type=Path, metavar="FILE", help="write what is found to this file, and count it as known"
    )
    check.add_argument("--fix", action="store_true", help="apply the fixes that keep what a recipe does")
    check.add_argument("--unsafe-fixes", action="store_true", help="also apply fixes that change what a recipe does")
    check.add_argument("--no-cache", action="store_true", help="review every recipe, also those that did not change")
    check.add_argument("--diff", action="store_true", help="show what the fixes would change; write nothing")
    waivers(check)
    policy(check)
    project.options(check)
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
    """The summary, and what else there is to say beside the findings."""
    from advisor.report.findings import summary

    for file, stamp in checked.made_under.items():
        sys.stderr.write(_other_policy(file, stamp, checked.policy))
    if checked.passed_over:
        more = len(checked.passed_over) - MOST_NAMED
        named = ", ".join(checked.passed_over[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
        sys.stderr.write(f"passed over as no recipe (none of steps, model, device at the top): {named}\n")
    sys.stderr.write(textwrap.fill(summary(checked), max(40, width()), break_on_hyphens=False) + "\n")


def _as_known(checked: Findings, path: Path, fail_on: str) -> Findings:
    """Write a baseline of what was found, and judge by it. Recipes that cannot be judged keep it from being written."""
    from advisor.report.style import plural
    from advisor.review import baseline
    from advisor.review.outcome import exit_code

    if checked.unread:
        sys.stderr.write(f"{path} is not written: {', '.join(checked.unread)} cannot be judged\n")
        return checked
    old = baseline.read(path) if path.exists() else baseline.Baseline(path)
    made = baseline.save(checked.findings, old, checked.reviewed)
    found = [one for one in checked.findings if one.rule != baseline.GONE]
    marked = tuple(baseline.mark(found, made, checked.reviewed))
    sys.stderr.write(f"{path}: {plural(len(made.entries), 'known finding')}\n")
    return replace(checked, findings=marked, exit_code=exit_code(marked, fail_on))


def _other_policy(path: str, made: PolicyStamp, judging: PolicyStamp) -> str:
    """A line where a recipe was made under another policy than the one that judges it."""
    if made == judging:
        return ""
    was, now = (f"{one.name} {one.version} ({one.sha256[:12]})" for one in (made, judging))
    return f"{path}: made under {was}, judged under {now}\n"
