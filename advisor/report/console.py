"""Consoles that Rich draws on: text of others is shown as it is, brackets and colons included."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console

from advisor.report.style import terminal

COLUMNS = 110  # where there is no terminal: Rich would take 80, or what COLUMNS says


def stdout() -> Console:
    """What tables are printed on."""
    return plain(sys.stdout, None if sys.stdout.isatty() else COLUMNS)


def stderr() -> Console:
    """What the talk is printed on."""
    return plain(sys.stderr)


def plain(file: TextIO, width: int | None = None) -> Console:
    """A console that reads neither markup nor names of emoji. width: in columns; None: the terminal's."""
    return Console(file=terminal(file), width=width, highlight=False, markup=False, emoji=False)
