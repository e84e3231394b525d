"""`advise server`: findings, explanations, fixes and completion in an editor."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from advisor.base.errors import AdviseError
from advisor.base.install import pip_command
from advisor.cli.options import parser


def run(arguments: Sequence[str]) -> int:
    """Serve one editor over stdin and stdout; 0 when it says goodbye."""
    server = parser("advise server", "Serve an editor over the Language Server Protocol: recipes, rule packs, waivers.")
    server.add_argument("--stdio", action="store_true", help="talk over stdin and stdout, as it does in any case")
    server.add_argument("--config", type=Path, metavar="FILE", help="this configuration for all files")
    options = server.parse_args(arguments)
    if find_spec("pygls") is None:
        raise AdviseError("advise server needs pygls, not installed", hint=pip_command("editor"))
    from advisor.editor.server import serve

    serve(options.config and options.config.absolute())
    return 0
