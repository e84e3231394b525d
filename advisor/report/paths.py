"""Root: the folder that machine-readable reports name files from, so that every machine writes the same path."""

from __future__ import annotations

import os
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import quote


@cache
def root(folder: Path) -> Path:
    """The repository that a folder lies in, else the folder itself."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def from_root(file: str) -> str:
    """A file's path from the root, with forward slashes; one that lies elsewhere keeps its full path."""
    return _from_root(file, os.getcwd())  # noqa: PTH109 - asked for every place of every finding


@lru_cache(maxsize=4096)
def _from_root(file: str, folder: str) -> str:
    here = Path(folder)
    full = here / file
    for base in (root(here), here):
        if full.is_relative_to(base) and ".." not in full.relative_to(base).parts:
            return full.relative_to(base).as_posix()
    return full.resolve().relative_to(base).as_posix() if full.resolve().is_relative_to(base) else full.as_posix()


def uri(file: str) -> str:
    """The same as a URI reference."""
    return quote(os.fsencode(from_root(file)))
