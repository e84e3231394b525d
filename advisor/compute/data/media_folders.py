"""Folders of images or sounds: in folders by class, or beside a table that names them; zip archives of such folders."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.file_checks import MOST_BYTES, MOST_ROWS, SAMPLE

SUFFIXES = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"), "image"),
    **dict.fromkeys((".wav", ".flac", ".ogg", ".mp3", ".opus", ".aiff", ".aif", ".au"), "audio"),
}
TABLE = "metadata"  # the name of a table beside files, as `datasets` has it
HIDDEN = (".", "__MACOSX")
ARCHIVES = (".zip",)


def holds_media(folder: Path) -> bool:
    """Whether there are images or sounds anywhere in a folder."""
    return any(_kind(path) for path in folder.rglob("*"))


def unpacked(archive: Path, folder: Path) -> None:
    """Unpack a zip archive.

    Raises:
        AdviseError: it is none, it holds too much, or it has a password.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = packed.infolist()
            if sum(one.file_size for one in members) > MOST_BYTES or len(members) > MOST_ROWS:
                raise AdviseError(Fault(f"unfolds to more than {MOST_BYTES:,} bytes", str(archive), hint=SAMPLE))
            packed.extractall(folder)  # it never writes outside the folder
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, lzma.LZMAError) as error:
        hint = "pack the folder again, without a password"
        raise AdviseError(Fault(f"cannot be unpacked: {error}", str(archive), hint=hint)) from None


def inner(folder: Path) -> Path:
    """The folder in which the files are: an archive often holds one folder with all others."""
    while True:
        entries = [path for path in sorted(folder.iterdir()) if not path.name.startswith(HIDDEN)]
        if len(entries) != 1 or not entries[0].is_dir() or not any(one.is_dir() for one in entries[0].iterdir()):
            return folder
        folder = entries[0]


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, but hidden ones."""
    return [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(HIDDEN)]


def table(folder: Path, suffixes: Sequence[str]) -> Path | None:
    """The table that names the files of a folder."""
    return next((path for suffix in suffixes if (path := folder / f"{TABLE}{suffix}").is_file()), None)


def by_class(folder: Path) -> tuple[dict[str, list[Any]], int]:
    """Columns of the files in a folder, labelled by the folders in it, and how many others there are.

    Files beside the folders have no label.

    Raises:
        AdviseError: there are images and sounds, or more of them than are read.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path, folder)]
    media = [path for path in files if _kind(path)]
    kinds = Counter(_kind(path) for path in media)
    if len(kinds) > 1:
        some = " and ".join(f"{count:,} files of {kind}" for kind, count in kinds.items())
        raise AdviseError(Fault(f"it holds {some}", str(folder), hint="give a folder of one of them"))
    if (size := sum(path.stat().st_size for path in media)) > MOST_BYTES:
        what = f"its files have {size:,} bytes, more than the {MOST_BYTES:,} that are read"
        raise AdviseError(Fault(what, str(folder), hint=SAMPLE))
    cells = [{"bytes": path.read_bytes(), "path": str(path.relative_to(folder))} for path in media]
    labels = [_label(path.relative_to(folder)) for path in media]
    return {next(iter(kinds), "image"): cells, "label": labels}, len(files) - len(media)


def _label(path: Path) -> str | None:
    return path.parts[0] if len(path.parts) > 1 else None


def _kind(path: Path) -> str:
    return SUFFIXES.get(path.suffix.lower(), "")


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(HIDDEN) for part in path.relative_to(folder).parts)


def with_bytes(column: Sequence[Any], folder: Path) -> Iterator[Any]:
    """The cells of a column of file names with the bytes of those that are there."""
    for cell in column:
        there = isinstance(cell, str) and bool(cell.strip()) and _kind(Path(cell)) and (folder / cell).is_file()
        yield {"bytes": (folder / cell).read_bytes(), "path": cell} if there else cell
