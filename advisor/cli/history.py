"""`advise history`: recorded runs, with what was predicted beside what was measured."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError, suggest
from advisor.cli.command_line import Parser
from advisor.cli.options import parser
from advisor.facts.facts import DEVICES
from advisor.report.style import plural

if TYPE_CHECKING:
    from advisor.runs.record import Record

VERBS_HELP = """verbs:
  advise history show ID           all that is known of a run; the first characters of its id are enough
  advise history export FILE       write the runs that pass the filters to FILE (.jsonl or .parquet)
  advise history import FILE…      import runs that somebody exported; runs that are there already stay
  advise history add RUN_DIR…      record finished runs by their folders

The ledger is a SQLite file: ADVISE_LEDGER, else advise/ledger.sqlite3 in XDG_DATA_HOME or ~/.local/share."""


def run(arguments: Sequence[str]) -> int:
    """Exit codes: 0 done, 2 wrong use, an unreadable file, or a filter that no run passes."""
    verb = arguments[0] if arguments else ""
    if verb and not verb.startswith("-"):
        if verb not in VERBS:
            raise AdviseError(f"unknown: advise history {verb}", hint=suggest(verb, VERBS))
        return VERBS[verb](arguments[1:])
    return _list(arguments)


def _list(arguments: Sequence[str]) -> int:
    from advisor.report import history
    from advisor.runs import ledger

    made = _filters(parser("advise history", "The runs that are recorded, the latest first.", VERBS_HELP))
    made.add_argument("--format", choices=("table", "json"), default="table")
    options = made.parse_args(arguments)
    found = _found(_wanted(vars(options)))
    if options.format == "json":
        sys.stdout.write(history.as_json(found))
    elif found:
        sys.stdout.write(history.table(found))
    else:
        sys.stderr.write(f"no run is recorded yet in {ledger.where()}\n")
    return 0


def _show(arguments: Sequence[str]) -> int:
    from advisor.report import history
    from advisor.runs import ledger

    made = parser("advise history show", "All that is known of a run.")
    made.add_argument("id", metavar="ID", help="the first characters of its id")
    made.add_argument("--format", choices=("text", "json"), default="text")
    options = made.parse_args(arguments)
    found = ledger.get(options.id)
    sys.stdout.write(history.page(found) if options.format == "text" else history.as_json([found]))
    return 0


def _export(arguments: Sequence[str]) -> int:
    from advisor.runs import import_export

    made = _filters(parser("advise history export", "Write recorded runs to a file, to share them."))
    made.add_argument("file", type=Path, metavar="FILE", help="its name ends in .jsonl or .parquet")
    options = made.parse_args(arguments)
    found = _found(_wanted(vars(options)))
    if not found:
        raise AdviseError("no run is recorded yet, so there is nothing to export", hint="advise history add RUN_DIR")
    import_export.export(found, options.file)
    sys.stderr.write(f"{plural(len(found), 'run')} written to {options.file}\n")
    return 0


def _import(arguments: Sequence[str]) -> int:
    from advisor.runs import import_export, ledger

    made = parser("advise history import", "Import runs that somebody exported.")
    made.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files = made.parse_args(arguments).files
    found = [record for file in files for record in import_export.read(file)]
    new = ledger.add(found)
    sys.stderr.write(_added(new, len(found), ledger.where()))
    return 0


def _add(arguments: Sequence[str]) -> int:
    from advisor.runs import finished, ledger, record

    made = parser("advise history add", "Record finished runs by their folders.")
    made.add_argument("folders", nargs="+", type=Path, metavar="RUN_DIR")
    folders = finished.folders(made.parse_args(arguments).folders)
    new = ledger.add([record.of(finished.read(folder)) for folder in folders])
    sys.stderr.write(_added(new, len(folders), ledger.where()))
    return 0


def _added(new: int, given: int, where: Path) -> str:
    """How many runs are new in the ledger, and how many it had."""
    old = given - new
    return f"{plural(new, 'run')} added to {where}" + (f", {old:,} already there" if old else "") + "\n"


VERBS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "show": _show,
    "export": _export,
    "import": _import,
    "add": _add,
}


def _filters(made: Parser) -> Parser:
    made.add_argument("--family", metavar="NAME", help="runs of models of this family")
    made.add_argument("--data", metavar="TEXT", help="runs whose data source's name holds this text")
    made.add_argument("--device", choices=DEVICES, help="runs for this kind of device")
    made.add_argument("--since", type=_date, metavar="DATE", help="runs finished on this day or later, as 2026-11-24")
    return made


def _date(text: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ArgumentTypeError(f"expected a date such as 2026-11-24, got {text!r}") from None


def _wanted(options: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: options[name] for name in ("family", "data", "device", "since")}


def _found(wanted: Mapping[str, str | None]) -> Sequence[Record]:
    """The runs that pass; a filter that nothing passes is an error, as it may be misspelt."""
    from advisor.runs import ledger

    found = ledger.find(ledger.Filters(**wanted))
    given = {name: value for name, value in wanted.items() if value is not None}
    if found or not given:
        return found
    everything = ledger.find()
    words = " ".join(f"--{name} {value}" for name, value in given.items())
    known = "; ".join(
        f"recorded: --{name} {', '.join(sorted({getattr(one, name) for one in everything}))}"
        for name in given
        if name != "since" and everything
    )
    raise AdviseError(f"no run of {len(everything)} passes {words}", hint=known or "advise history")
