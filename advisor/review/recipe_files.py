"""The recipe files behind the names, folders and patterns on the command line.

A file that is named is always checked. In a folder, or behind a pattern, a YAML file without any of a recipe's main
keys at its top is not a recipe: it is skipped, and the summary lists it.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.base.yamlfile import MAX_DEPTH, decode, events

ENDINGS = (".yaml", ".yml")
WAIVERS = "waivers.yaml"  # lies among recipes and is not one
STDIN = "-"
DEEPEST = 10 * MAX_DEPTH  # levels of YAML that is no recipe: those of Kubernetes may have more than a recipe
_PATTERN = re.compile(r"[*?\[]")
MAIN_KEYS = frozenset(("steps", "model", "device"))
# At the top, in a list, or one level too deep; deeper, as in the workflows of CI systems, steps are something else.
# This finds almost every recipe without reading it as YAML.
_TOP = re.compile(rb"""(?:^(?:- |\ {2})?|[{,]\s*)["']?(?:steps|model|device)["']?\s*:""", re.MULTILINE)


class Source(NamedTuple):
    """A recipe file, or text that came in under some name. found: in a folder or by a pattern, not named itself."""

    name: str
    text: bytes | None = None
    found: bool = False

    @property
    def base(self) -> Path:
        """The folder that a relative path to a model may start from."""
        return Path(self.name).parent


def sources(
    names: Sequence[str], left_out: Callable[[str], bool] = lambda name: False
) -> tuple[list[Source], list[Fault]]:
    """The files behind some names, each once, and the faults of names without any file.

    Args:
        left_out: is a file in a folder, or one that a pattern matches, excluded?
    """
    found: dict[str, Source] = {}
    faults: list[Fault] = []
    for name in names:
        if os.path.isdir(name):  # noqa: PTH112 - a thousand of them, and pathlib is slow
            some = [Source(file, found=True) for file in _inside(name)]
            faults += [] if some else [Fault("no recipe in this folder", name, hint="recipes end in .yaml or .yml")]
        elif _PATTERN.search(name) and not os.path.exists(name):  # noqa: PTH110
            some = [Source(file, found=True) for file in _matching(name)]
            faults += [] if some else [Fault(f"no file matches {name!r}", hint="recipes end in .yaml or .yml")]
        else:
            some = [Source(name)]
        for one in some:
            if not (one.found and left_out(one.name)):
                found.setdefault(os.path.normpath(one.name), one)
    return list(found.values()), faults


def _inside(folder: str) -> Iterator[str]:
    """The YAML files in a folder and below, in order; hidden folders are left out."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(place, name) for name in sorted(files) if _wanted(name))  # noqa: PTH118


def _matching(pattern: str) -> Iterator[str]:
    for name in sorted(glob.glob(os.path.expanduser(pattern), recursive=True)):  # noqa: PTH111, PTH207
        if _wanted(name) and os.path.isfile(name):  # noqa: PTH113
            yield name


def _wanted(name: str) -> bool:
    return name.endswith(ENDINGS) and not name.endswith(WAIVERS)


def may_be_recipe(text: bytes) -> bool:
    """Does this YAML have one of a recipe's main keys at its top, however it is laid out?

    A file that is not text may be anything, so it is checked too.
    """
    if b"\0" in text or _TOP.search(text):
        return True
    try:
        return not MAIN_KEYS.isdisjoint(keys_at_top(text))
    except AdviseError:  # not UTF-8, or nested too deeply: the check says so
        return True


def keys_at_top(data: bytes, levels: int = 2) -> Iterator[str]:
    """The keys in the outermost mappings of a YAML text, as far as it can be read.

    Args:
        levels: how many mappings deep to look; lists do not count.

    Raises:
        AdviseError: the text is not UTF-8, or is nested deeper than YAML that people write.
    """
    from ruamel.yaml.error import YAMLError

    open_: list[str] = []  # the collections around an event, "key" for a mapping that waits for a key
    try:
        for event in events(decode(data, "")):
            kind = type(event).__name__
            if kind in ("MappingEndEvent", "SequenceEndEvent"):
                open_.pop()
            elif kind in ("MappingStartEvent", "SequenceStartEvent", "ScalarEvent", "AliasEvent"):
                if kind == "ScalarEvent" and open_ and open_[-1] == "key":
                    yield str(event.value)
                if open_ and open_[-1] in ("key", "value"):
                    open_[-1] = "value" if open_[-1] == "key" else "key"
                if len(open_) > DEEPEST:  # each level takes the parser more time than the one before
                    raise AdviseError(f"nested deeper than {DEEPEST} levels")
                if kind.endswith("StartEvent"):
                    mappings = sum(one != "list" for one in open_)
                    open_.append("list" if kind[0] == "S" else "key" if mappings < levels else "deep")
    except YAMLError:
        return
