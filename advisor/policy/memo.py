"""Remember packs that were found valid, because validating one takes longer than advice may.

One file for each pack in the user's cache folder, good for as long as no file of the pack and none of the code
that validates has another size or time of change. Deleting the folder is always safe.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CODE = ("policy/rule.py", "policy/rulefile.py", "policy/conditions.py", "yamlfile.py")
Trace = list[list[Any]]


def trace(folder: Path, names: Iterable[str]) -> Trace:
    """Name, time of change and size of every file that a pack's validity depends on."""
    sources = Path(__file__).parent.parent
    files = [folder / name for name in names] + [sources / name for name in CODE]
    return [[str(file), (found := file.stat()).st_mtime_ns, found.st_size] for file in files]


def _file(folder: Path) -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(root) / "advise" / "packs" / f"{zlib.crc32(str(folder.absolute()).encode()):08x}.json"


def recall(folder: Path, seen: Trace) -> dict[str, Any] | None:
    """What was stored for this pack, if nothing has changed since."""
    try:
        stored = json.loads(_file(folder).read_bytes())
    except (OSError, ValueError):
        return None
    fits = isinstance(stored, dict) and stored.get("trace") == seen
    return stored["pack"] if fits else None


def store(folder: Path, seen: Trace, pack: dict[str, Any]) -> None:
    """Write the file whole; where that cannot be done, every start validates again."""
    file = _file(folder)
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({"trace": seen, "pack": pack}))
        draft.replace(file)
    except OSError:
        return
