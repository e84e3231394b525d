"""`advise completion bash|zsh|tcsh`: a script that completes commands, options, files, rules and packs in a shell.

Commands build their parsers when they run, so that a start-up imports one of them only. Here each is run up to the
point where it would parse, and hands its parser over; nothing has to be declared twice.
"""

from __future__ import annotations

import sys
from argparse import Action, ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError
from advisor.cli.command_line import ASKED, Asked
from advisor.cli.options import parser

EPILOG = """To use it:
  bash   eval "$(advise completion bash)" in ~/.bashrc
  zsh    advise completion zsh > _advise in a folder of $fpath
  tcsh   eval "`advise completion tcsh`" in ~/.tcshrc"""
DIRECTORIES, FILES = ("DIR", "RUN_DIR"), ("FILE", "RECIPE", "OLD", "NEW", "SOURCE")
WORDS = {  # or a file
    "PACK": "packs",
    "A": "packs",
    "B": "packs",
    "RULE|RECIPE": "rules",
    "RULE": "rules",
    "M": "models",
}

Command = Callable[[Sequence[str]], int]


def run(arguments: Sequence[str]) -> int:
    """Print the script for one shell; always 0."""
    made = parser("advise completion", "Completion of commands, options, files, rules and packs.", EPILOG)
    made.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    shell = made.parse_args(arguments).shell
    import shtab

    script = shtab.complete(tree(), shell, preamble={name: _preamble(name) for name in ("bash", "zsh", "tcsh")})
    sys.stdout.write(script + "\n")
    return 0


def tree() -> ArgumentParser:
    """One parser of everything: `advise` itself with all commands and their verbs below it."""
    from advisor.cli.advise import run as advise
    from advisor.cli.commands import COMMANDS

    root = ArgumentParser("advise", parents=_own(advise), add_help=False)
    commands = root.add_subparsers()
    for name in COMMANDS:
        module = import_module(f"advisor.cli.{name}")
        own = _own(module.run)
        command = commands.add_parser(name, parents=own, add_help=not own, help=_about(own, module))
        verbs = getattr(module, "VERBS", {})
        if verbs:
            below = command.add_subparsers()
            for verb, call in verbs.items():
                below.add_parser(verb, parents=_own(call), add_help=False, help=_about(_own(call), module))
    for one in _all(root):
        _complete(one)
    return root


def _own(command: Command) -> list[ArgumentParser]:
    """The parser of a command; none where it has verbs only."""
    try:
        command([ASKED])
    except Asked as asked:
        return [asked.parser]
    except AdviseError:
        return []
    raise TypeError(f"{command.__module__} did not parse its arguments")


def _about(own: Sequence[ArgumentParser], module: Any) -> str:
    """What a command does, in a sentence."""
    words = own[0].description if own else (module.__doc__ or "").partition(": ")[2].splitlines()[0]
    return str(words).partition(";")[0].rstrip(".").replace("`", "")


def _all(root: ArgumentParser) -> Iterator[Action]:
    for action in root._actions:  # argparse has no other way to walk a tree
        yield action
        if isinstance(action.choices, dict):
            for inner in action.choices.values():
                yield from _all(inner)


def _complete(action: Any) -> None:
    """Say what stands for an argument: a file, a folder, a rule or a pack; choices are known already."""
    import shtab

    metavar = action.metavar or ""
    if metavar in WORDS:
        function = f"_advise_{WORDS[metavar]}"
        action.complete = {"bash": function, "zsh": function, "tcsh": "f"}
    elif metavar.rstrip("…") in DIRECTORIES:
        action.complete = shtab.DIRECTORY
    elif metavar.rstrip("…") in FILES or action.type is Path:
        action.complete = shtab.FILE


def _preamble(shell: str) -> str:
    """The functions that complete rules, packs and models, with the names of the shipped ones in them."""
    from advisor.families import registry
    from advisor.policy.pack import core
    from advisor.policy.shipped import MANIFEST, shipped

    words = {
        "models": registry.names(),
        "rules": [rule.id for rule in core().rules],
        "packs": sorted(file.parent.name for file in shipped("rules").glob(f"*/{MANIFEST}")),
    }
    forms = {
        "bash": '_advise_{0}() {{ compgen -W "{1}" -- "$1"; compgen -f -- "$1"; }}',
        "zsh": "_advise_{0}() {{ _alternative '{0}:{0}:({1})' 'files:file:_files'; }}",
    }
    return (
        "\n".join(forms[shell].format(name, " ".join(found)) for name, found in words.items()) if shell in forms else ""
    )
