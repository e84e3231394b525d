"""The command line as argparse reads it, with errors of our own."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from advisor.base.errors import AdviseError, Fault, nearest, short

GPU_MEANT = "use cuda for an NVIDIA GPU, mps for a Mac"
ASKED = "-\0"  # as an argument: give the parser, do nothing. Nobody can type a zero byte.


class Asked(Exception):
    """Carries the parser of a command that was run with ASKED, see advisor.cli.completion."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser
        super().__init__(parser.prog)


class Parser(argparse.ArgumentParser):
    """Argparse whose errors are the product's own: all faults at once, a remedy, exit code 2."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.faults: list[str] = []
        self.unknown: list[str] = []
        self.given: Sequence[str] = ()

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """As argparse does; raises Asked with this parser where that is what the arguments say."""
        if args and ASKED in args:
            raise Asked(self)
        self.faults, self.given = [], args or ()
        self.unknown = self._unknown_options(self.given)
        found = super().parse_args(args, namespace)
        if self.faults:
            self.error(self.faults.pop())
        return found

    def _unknown_options(self, args: Sequence[str]) -> list[str]:
        """The options that nobody has. Argparse tells of them last, and not at all where one is missing."""
        options = args[: args.index("--")] if "--" in args else args
        names = dict.fromkeys(one.partition("=")[0] for one in options if one.startswith("--"))
        return [name for name in names if name not in self._option_string_actions]

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        # Argparse stops at the first value that is wrong; here the others are read all the same.
        try:
            return super()._get_values(action, arg_strings)
        except argparse.ArgumentError as error:
            self.faults.append("; ".join([str(error), *_meant(action, arg_strings)]))
            return ...  # something that was given, so that it does not count as missing

    def error(self, message: str) -> NoReturn:
        help_ = f"{self.prog} --help"
        if message.startswith("the following arguments are required"):
            message += "".join(f"; and {one}" for one in self._one_of())
        told: list[str | Fault] = [self._not_an_option(name, help_) for name in self.unknown]
        follows = ("the following arguments are required", "one of the arguments", "unrecognized arguments")
        rest = [*self.faults, *([] if told and message.startswith(follows) else [message])]
        raise AdviseError(*told, *rest[:-1], *(Fault(last, hint=help_) for last in rest[-1:]))

    def _one_of(self) -> Iterator[str]:
        """The options of which one is needed and none was given. Argparse tells of them when no other is missing."""
        for group in self._mutually_exclusive_groups:
            names = [name for action in group._group_actions for name in action.option_strings]
            if group.required and not any(one.partition("=")[0] in names for one in self.given):
                yield " or ".join(names)

    def _not_an_option(self, name: str, help_: str) -> Fault:
        # The dashes are the same in all options, so they say nothing of what was meant.
        names = (one.removeprefix("--") for one in self._option_string_actions if one.startswith("--"))
        near = nearest(name.removeprefix("--"), names)
        return Fault(f"unknown option {short(name)}", hint=f"did you mean --{near}?" if near else help_)


def _meant(action: argparse.Action, given: Sequence[str]) -> Iterator[str]:
    """What the values that are none of an option's choices may stand for."""
    wrong = [one for one in given if action.choices and one not in action.choices]
    for one in wrong:
        if one == "gpu" and "cuda" in (action.choices or ()):
            yield GPU_MEANT
        elif near := nearest(one, action.choices or ()):
            yield f"did you mean {near}?"
