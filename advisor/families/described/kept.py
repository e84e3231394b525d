"""Kept descriptions: those that the user made, and in the user's cache those of types when they were first met.

One in the cache that other versions have made is not taken: what it says of tensors or cuts may have changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from advisor.base import user_cache, user_folders
from advisor.base.digest import digest

FOLDER = "families"
PACKAGE = Path(__file__).parents[2]
CODE = ("compute/structure/inference", "families/described")  # what makes descriptions and reads them


def own_folder() -> Path:
    """Where the user's own descriptions are kept: below XDG_DATA_HOME or ~/.local/share. Raises NoFolder."""
    return Path(user_folders.data()) / "advise" / "families"


def folders(shipped: Path) -> Sequence[Path]:
    """Where descriptions lie: the shipped ones, and then the user's own, if there is a place for them."""
    try:
        return shipped, own_folder()
    except user_folders.NoFolder:
        return (shipped,)


def keep(data: Mapping[str, Any]) -> None:
    """Keep the data of a description; it names the version of transformers that it was made with."""
    user_cache.write(FOLDER, data["model_type"], json.dumps({"code": _code(), "description": data}))


def recall(model_type: str) -> Any:
    """The data of the description that was kept of a type; None where there is none that would be made again so."""
    try:
        kept = json.loads(Path(user_cache.path(FOLDER, model_type)).read_bytes())
        description = kept["description"]
        current = kept["code"] == _code() and _transformers() in (None, description["transformers"])
        return description if current else None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


@cache
def _code() -> str:
    """A digest of the code that makes descriptions and reads them."""
    files = [file for folder in CODE for file in sorted((PACKAGE / folder).glob("*.py"))]
    return digest(part for file in files for part in (file.name.encode(), file.read_bytes()))


def _transformers() -> str | None:
    """The version of transformers that is installed; without one nothing could be made again."""
    from importlib.metadata import PackageNotFoundError, version  # not at start-up, which is to be short

    try:
        return version("transformers")
    except PackageNotFoundError:
        return None
