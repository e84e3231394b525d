"""The recipe files that names, folders and patterns on the command line stand for.

A file that is named is always checked. In a folder, or behind a pattern, a YAML file without any of a recipe's main
keys at its top is not a recipe: it is skipped, and the summary lists it.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.base.yamlfile import keys_at_top

ENDINGS = (".yaml", ".yml")
WAIVERS = "waivers.yaml"  # stands among recipes and is none
STDIN = "-"
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


def sources(names: Sequence[str]) -> tuple[list[Source], list[Fault]]:
    """The files that names stand for, each once, and what is wrong with names that stand for none."""
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
    """Does one of a recipe's main keys stand at the top of this YAML, however it is laid out?

    A file that is not text may be anything, so it is checked too.
    """
    if b"\0" in text or _TOP.search(text):
        return True
    try:
        return not MAIN_KEYS.isdisjoint(keys_at_top(text))
    except AdviseError:  # not UTF-8: the check says so
        return True
