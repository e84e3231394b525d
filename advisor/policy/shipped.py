"""Where rule packs and recipes are kept, and which files belong to a pack."""

from __future__ import annotations

import os
from pathlib import Path

from advisor.base.errors import Fault, PolicyError

MANIFEST = "pack.yaml"
MOST_FILES = 1_000  # of one pack


def shipped(what: str) -> Path:
    """The folder of shipped `rules` or `recipes`: inside the installed package, else in the checkout."""
    package = Path(__file__).parents[1]
    return package / what if (package / what).is_dir() else package.parent / what


def files_of(folder: Path) -> list[Path]:
    """The YAML files of one pack, in alphabetical order.

    Raises:
        PolicyError: it is no pack, or has more files than any pack needs.
    """
    if not (folder / MANIFEST).is_file():
        hint = "give the folder that holds pack.yaml"
        raise PolicyError(Fault(f"no rule pack here: {MANIFEST} is missing", str(folder), hint=hint))
    found = sorted(
        os.path.join(place, name)  # noqa: PTH118 - os is faster at start-up
        for place, _, names in os.walk(folder)
        for name in names
        if name.endswith((".yaml", ".yml"))
    )
    if len(found) > MOST_FILES:
        raise PolicyError(Fault(f"{len(found):,} YAML files, more than the {MOST_FILES:,} that are read", str(folder)))
    return [Path(file) for file in found]
