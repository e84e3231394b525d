"""`advise doctor`: what this machine offers, and what follows for advice and measurement."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from advisor.cli.options import colour, parser, width


def run(arguments: Sequence[str]) -> int:
    """Print what was found; always 0: a machine is as it is."""
    made = parser(
        "advise doctor",
        "What this machine offers for advice, runs and measurement, and what follows.",
        "+ as it should be, ! something is missing or worse than it could be, -> what follows",
    )
    made.add_argument("--format", choices=("text", "json"), default="text")
    options = made.parse_args(arguments)
    from advisor.execution import doctor
    from advisor.report import doctor as report

    found = doctor.examine()
    shown = report.as_json(found) if options.format == "json" else report.text(found, width(), colour(sys.stdout))
    sys.stdout.write(shown)
    return 0
