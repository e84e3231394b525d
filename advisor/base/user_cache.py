"""Files that are kept between commands in the user's cache folder. Deleting them is always safe."""

from __future__ import annotations

import os

from advisor.base import user_folders

MOST_FILES = 64  # of one kind; the oldest go first


def path(kind: str, name: str) -> str:
    """Where a kept file of some kind lies. Raises OSError where the user has no folder for it."""
    return f"{user_folders.cache()}/advise/{kind}/{name}.json"


def write(kind: str, name: str, text: str) -> None:
    """Keep a text, whole or not at all; where that cannot be done, nothing is kept."""
    try:
        file = path(kind, name)
        draft = f"{file}.{os.getpid()}"
        os.makedirs(os.path.dirname(file), exist_ok=True)  # noqa: PTH103, PTH120
        with open(draft, "w", encoding="utf-8") as out:  # noqa: PTH123
            out.write(text)
        os.replace(draft, file)  # noqa: PTH105
        _prune(os.path.dirname(file))  # noqa: PTH120
    except OSError:
        return


def _prune(folder: str) -> None:
    """Remove the files that were written longest ago, beyond the number that is kept."""
    found = sorted(os.scandir(folder), key=lambda one: one.stat().st_mtime_ns)
    for one in found[:-MOST_FILES]:
        os.unlink(one.path)  # noqa: PTH108
