"""The reference of the commands, generated from their own parsers."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

from advisor.cli import COMMANDS
from advisor.cli.advise import run as advise
from advisor.cli.command_line import ASKED, Asked

FOLDER = "reference/commands"


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command and verb, by its whole name, `advise` itself first."""
    found = {"advise": _parser(advise)}
    for name in sorted(COMMANDS):
        module = import_module(f"advisor.cli.{name}")
        verbs = getattr(module, "VERBS", {})
        for verb, call in verbs.items():
            found[f"advise {name} {verb}"] = _parser(call)
        if own := _parser_or_none(module.run):
            found[f"advise {name}"] = own
    return dict(sorted(found.items()))


def _parser(command: Callable[[Sequence[str]], int]) -> argparse.ArgumentParser:
    found = _parser_or_none(command)
    if found is None:
        raise TypeError(f"{command.__module__} gave no parser")
    return found


def _parser_or_none(command: Callable[[Sequence[str]], int]) -> argparse.ArgumentParser | None:
    """A command builds its parser when it runs; this argument makes it give the parser and do nothing."""
    try:
        command([ASKED])
    except Asked as asked:
        return asked.parser
    except Exception:
        return None  # it has verbs only
    return None


def pages() -> dict[str, str]:
    """A page for each command, and an index, by path."""
    found = parsers()
    groups: dict[str, list[str]] = {}
    for name in found:
        groups.setdefault(" ".join(name.split()[:2]), []).append(name)
    made = {
        f"{FOLDER}/{group.replace(' ', '-')}.md": "\n".join(_page(group, [(name, found[name]) for name in names]))
        for group, names in groups.items()
    }
    return {f"{FOLDER}/index.md": "\n".join(_index(found)), **made}


def _index(found: dict[str, argparse.ArgumentParser]) -> Iterator[str]:
    yield "# Commands\n"
    yield "Generated from the parsers of the commands. `advise COMMAND --help` shows the same.\n"
    yield "| Command | What it does |"
    yield "| --- | --- |"
    for name, parser in found.items():
        page = " ".join(name.split()[:2]).replace(" ", "-")
        yield f"| [`{name}`]({page}.md) | {_cell(parser.description or '')} |"
    yield ""


def _page(group: str, members: Sequence[tuple[str, argparse.ArgumentParser]]) -> Iterator[str]:
    yield f"# `{group}`\n"
    for name, parser in members:
        if len(members) > 1:
            yield f"## `{name}`\n"
        yield f"{parser.description or ''}\n"
        yield f"```text\n{parser.format_usage().strip()}\n```\n"
        yield from _table("Argument", [one for one in _actions(parser) if not one.option_strings])
        yield from _table("Option", [one for one in _actions(parser) if one.option_strings])
        if parser.epilog:
            yield f"```text\n{parser.epilog.strip()}\n```\n"


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [one for one in parser._actions if one.help != argparse.SUPPRESS and one.dest != "help"]


def _table(kind: str, actions: Sequence[argparse.Action]) -> Iterator[str]:
    if not actions:
        return
    yield f"| {kind} | What it means | Default |"
    yield "| --- | --- | --- |"
    for one in actions:
        yield f"| {_name(one)} | {_cell(_about(one))} | {_default(one)} |"
    yield ""


def _name(action: argparse.Action) -> str:
    takes = action.metavar if isinstance(action.metavar, str) else "" if action.nargs == 0 else action.dest.upper()
    takes = takes or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else "")
    words = [f"{option} {takes}".strip() for option in action.option_strings] or [takes or action.dest]
    return ", ".join(f"`{_cell(word)}`" for word in words)


def _about(action: argparse.Action) -> str:
    about = (action.help or "") % {"default": action.default} if "%(" in (action.help or "") else action.help or ""
    choices = ", ".join(f"`{one}`" for one in action.choices or ())
    return about + (f"{'; ' if about else ''}one of {choices}" if choices else "")


def _default(action: argparse.Action) -> str:
    if action.required or (not action.option_strings and action.nargs not in ("?", "*")):
        return "required"
    plain = action.default not in (None, False, [], argparse.SUPPRESS) and action.nargs != 0
    return (
        f"`{_cell(str(action.default if not isinstance(action.default, list) else action.default[0]))}`"
        if plain
        else ""
    )


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")
