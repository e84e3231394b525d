"""The command line: reads arguments, calls one function for each command, prints, and returns an exit code.

The product goes to stdout, the talk to stderr. Exit codes: 0 done, 1 findings, 2 wrong use or unreadable input,
3 the policy is at fault, 4 a measured gate missed, 5 nothing was checked, 70 internal error, 130 interrupted, 141 the
reader of stdout left, 143 ended by SIGTERM.
"""

from __future__ import annotations

import errno
import gc
import io
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from advisor.base.collection import paused_collection
from advisor.base.errors import AdviseError, Fault, short, suggest
from advisor.cli.commands import COMMANDS
from advisor.cli.screen import exit_code, screen

ISSUES = "please report it with the command and the lines above"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `advise`; returns its exit code."""
    _show_every_character()
    with screen() as out:
        try:
            code = _code(list(sys.argv[1:] if arguments is None else arguments))
        except SystemExit as stop:  # --help, --version, SIGTERM
            out.flush()
            raise SystemExit(exit_code(stop.code if isinstance(stop.code, int) else 0, out)) from None
    if arguments is None:
        gc.freeze()  # the process ends here, so Python need not look for cycles a last time
    return exit_code(code, out)


def _code(arguments: list[str]) -> int:
    """Run a command; errors end up on stderr, as an exit code."""
    try:
        with _reported_long_names():
            return _main(arguments)
    except AdviseError as error:
        sys.stderr.write(f"advise: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("advise: interrupted\n")
        return 130
    except Exception as error:
        import traceback

        traceback.print_exc()
        sys.stderr.write(f"advise: internal error ({type(error).__name__}): {ISSUES}\n")
        return 70


def _show_every_character() -> None:
    """What the terminal's encoding lacks, and bytes in names that are no text, are written as escapes.

    In JSON and YAML these escapes mean the same character.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def _reported_long_names() -> Iterator[None]:
    """Whatever option gives a name that no file can have, and wherever it is first met."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise AdviseError(Fault("its name is too long", str(error.filename), hint="give a shorter one")) from None


def _main(arguments: list[str]) -> int:
    if wrong := [one for one in arguments if "\0" in one]:
        raise AdviseError(f"{wrong[0]!r} holds a NUL character, which no name has", hint="write it without")
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    if arguments and not arguments[0].startswith("-"):
        if arguments[0] not in COMMANDS:
            raise AdviseError(f"unknown command {short(arguments[0])!r}", hint=_meant(arguments[0]))
        command = import_module(f"advisor.cli.{arguments[0]}")
        return int(command.run(arguments[1:]))
    with paused_collection():
        from advisor.cli.advise import run

        return run(arguments)


def _meant(word: str) -> str:
    """What to type instead of a word that is no command, but may be a file or a model."""
    from advisor.families import registry

    if os.path.isfile(os.path.join(word, "manifest.json")):  # noqa: PTH113, PTH118 - a name that no file can have
        return f"advise report {shlex.quote(word)}"
    if os.path.isfile(word):  # noqa: PTH113 - is no error here
        asks = "check" if word.endswith((".yaml", ".yml")) else "--model" if word.endswith("config.json") else "--data"
        return f"advise {asks} {shlex.quote(word)}"
    if os.path.isdir(word) or registry.find(word.lower()):  # noqa: PTH112
        return f"advise --model {shlex.quote(word)}"
    return suggest(word, COMMANDS)
