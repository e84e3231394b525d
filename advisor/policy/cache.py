"""Remember packs that were found valid, because validating one takes longer than advice may.

One file for each pack in the user's cache folder, good for as long as no file of the pack and none of the code
that validates has another size or time of change. Deleting the folder is always safe.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError

CODE = (
    "policy/pack.py",
    "policy/meta.py",
    "policy/packfile.py",
    "policy/rule.py",
    "policy/rulefile.py",
    "policy/conditions.py",
    "base/yamlfile.py",
    "base/validation.py",
    "base/interval.py",
)
Trace = list[list[Any]]


def trace(files: Iterable[Path]) -> Trace:
    """Name, time of change and size of every file that a pack's validity depends on."""
    sources = Path(__file__).parent.parent
    every = [*files, *(sources / name for name in CODE)]
    return [[str(file), (found := file.stat()).st_mtime_ns, found.st_size] for file in every]


def _file(folder: Path) -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(root) / "advise" / "packs" / f"{zlib.crc32(str(folder.absolute()).encode()):08x}.json"


def recall(folder: Path, files_of: Callable[[Path], list[Path]]) -> dict[str, Any] | None:
    """What was stored for this pack, if nothing has changed since in its folder and those that it extends."""
    try:
        stored = json.loads(_file(folder).read_bytes())
        files = [file for one in stored["folders"] for file in files_of(Path(one))]
        return stored["pack"] if stored["trace"] == trace(files) else None
    except (OSError, ValueError, LookupError, TypeError, AdviseError):
        return None


def store(folder: Path, folders: list[str], seen: Trace, pack: dict[str, Any]) -> None:
    """Write the file whole; where that cannot be done, every start validates again."""
    file = _file(folder)
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({"folders": folders, "trace": seen, "pack": pack}))
        draft.replace(file)
    except OSError:
        return
