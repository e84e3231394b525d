"""`advise report RUN_DIR…`: finished runs, or a search, as a page to look at, or as tables."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError
from advisor.base.install import pip_command
from advisor.cli import targets
from advisor.cli.options import parser, requests

if TYPE_CHECKING:
    from advisor.runs.finished import Finished


def run(arguments: Sequence[str]) -> int:
    """Exit codes: 0 done, 2 a folder that is no finished run, or the page's libraries are missing."""
    options = _options(arguments)
    from advisor.records.break_even import weighed
    from advisor.records.search import SEARCH
    from advisor.runs.finished import folders, read

    for file in (options.html, options.chart, options.manifest):
        targets.refuse_inputs(file, [folder / SEARCH for folder in options.runs])
    if options.html or options.chart:
        _needs_drawing("--html" if options.html else "--chart")
    if any((folder / SEARCH).is_file() for folder in options.runs):
        _search(options)
        return 0
    runs = [read(folder) for folder in folders(options.runs)]
    runs = [run._replace(result=weighed(run.result, options.requests)) for run in runs]
    if options.html:
        from advisor.base.files import deliver
        from advisor.report import html

        deliver(options.html, html.render(runs))
        sys.stderr.write(f"wrote {options.html}: open it in a browser\n")
    if options.chart:
        from advisor.base.files import deliver
        from advisor.report.figure import accuracy_against_time

        deliver(options.chart, accuracy_against_time(runs))
        sys.stderr.write(f"wrote {options.chart}\n")
    if options.manifest:
        from advisor.base.files import deliver
        from advisor.report import impact_framework

        deliver(options.manifest, impact_framework.manifest(runs))
        sys.stderr.write(f"wrote {options.manifest}: `if-run --manifest {options.manifest}` computes it\n")
    if options.format or not (options.html or options.chart or options.manifest):
        _print(runs, options.format or "text")
    return 0


def _search(options: Namespace) -> None:
    """The page or the tables of a search, also of one that has not ended."""
    from advisor.report.search import tables
    from advisor.tuning import folder

    of_runs = options.chart or options.manifest or options.requests or options.format not in (None, "text")
    if len(options.runs) > 1 or of_runs:
        raise AdviseError(
            "a search is shown alone, as text or with --html",
            hint="for the other options, give the folders of runs below it; search.json has all that is shown",
        )
    found = folder.read(options.runs[0])
    if options.html:
        from advisor.base.files import deliver
        from advisor.report.search import page

        deliver(options.html, page.render(found))
        sys.stderr.write(f"wrote {options.html}: open it in a browser\n")
    if options.format or not options.html:
        tables.show(found)


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser("advise report", "Finished runs, one or several, as a page to look at or as tables.")
    made.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN_DIR",
        help="the --out folder of an `advise run`, or of one `advise search`",
    )
    made.add_argument("--html", type=Path, metavar="FILE", help="write one page that needs nothing else")
    made.add_argument("--chart", type=Path, metavar="FILE", help="draw accuracy against time as one SVG file")
    made.add_argument(
        "--if", dest="manifest", type=Path, metavar="FILE", help="write a manifest for the Impact Framework (YAML)"
    )
    made.add_argument("--format", choices=("text", "json", "markdown"), help="print the runs' tables (default: text)")
    requests(made)
    return made.parse_args(arguments)


def _needs_drawing(option: str) -> None:
    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise AdviseError(f"{option} needs {', '.join(missing)}, not installed", hint=pip_command("report"))


def _print(runs: Sequence[Finished], form: str) -> None:
    from advisor.report import card, diagnostics_tables
    from advisor.report import run_tables as tables

    if form == "json":
        found = [{"folder": str(run.folder), **asdict(run.result)} for run in runs]
        sys.stdout.write(json.dumps(found, indent=2, allow_nan=False) + "\n")
    elif form == "markdown":
        sys.stdout.write("\n".join(card.section(run.result) for run in runs))
    else:
        for run in runs:
            tables.show(run.result)
            diagnostics_tables.show(run.result)
