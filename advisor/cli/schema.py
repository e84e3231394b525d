"""`advise schema recipe|rule|pack|waivers|report|findings|search`: JSON Schemas for editors."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from advisor.cli.options import parser


def run(arguments: Sequence[str]) -> int:
    """Print the schema of one kind of file."""
    made = parser("advise schema", "The JSON Schema of a kind of file, for editors and other tools.")
    made.add_argument("what", choices=("recipe", "rule", "pack", "waivers", "report", "findings", "search"))
    options = made.parse_args(arguments)
    from advisor.report.schema import schema

    sys.stdout.write(schema(options.what))
    return 0
