"""Remember packs that were found valid, because validating one takes longer than advice may.

One file for each pack in the user's cache folder. It is used only while every file of the pack holds the same bytes,
and the code that validates packs has the same sizes and times of change. Deleting the folder is always safe.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from advisor.base import user_folders
from advisor.base.digest import digest
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
Trace = dict[str, Any]


def trace(files: Iterable[Path]) -> Trace:
    """What a pack's validity depends on: names and bytes of its files, and the code that validates them."""
    names = list(map(str, files))
    sources = Path(__file__).parent.parent
    code = [[(found := (sources / name).stat()).st_mtime_ns, found.st_size] for name in CODE]
    return {"files": names, "bytes": digest(map(_bytes, names)), "code": code}


def _bytes(name: str) -> bytes:
    if not os.path.isfile(name):  # noqa: PTH113 - a pipe would wait for a writer
        raise OSError(f"{name} is no plain file")
    with open(name, "rb") as file:  # noqa: PTH123 - fifty of them, and pathlib is slow
        return file.read()


def _file(folder: Path) -> Path:
    return Path(user_folders.cache()) / "advise" / "packs" / f"{zlib.crc32(os.fsencode(folder.absolute())):08x}.json"


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
    try:
        file = _file(folder)
        draft = file.with_suffix(f".{os.getpid()}")
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({"folders": folders, "trace": seen, "pack": pack}))
        draft.replace(file)
    except OSError:
        return
