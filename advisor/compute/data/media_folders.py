"""Folders of images or sounds: in folders by class, or beside a table that names them; zip archives of such folders."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from os.path import normpath
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.file_checks import MOST_BYTES, MOST_ROWS, SAMPLE

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".avif", ".tif", ".tiff", ".ppm", ".pgm")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".aiff", ".aif", ".au")
SUFFIXES = dict.fromkeys(IMAGES, "image") | dict.fromkeys(SOUNDS, "audio")
# Formats that are not read, with the kind of what they hold and the format to convert them to.
UNREAD = dict.fromkeys((".heic", ".heif", ".svg"), ("image", ".png"))
UNREAD |= dict.fromkeys((".m4a", ".aac", ".wma", ".amr"), ("audio", ".wav"))
TABLE = "metadata"  # the name of a table beside files, as `datasets` has it
HIDDEN = (".", "__MACOSX")
REFUSED = "refused"  # the key of why a file is not read
BROKEN = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, lzma.LZMAError)  # archives
ARCHIVES = (".zip",)


def holds_media(folder: Path) -> bool:
    """Whether there are images or sounds anywhere in a folder, but hidden ones."""
    return any(_kind(path) and not _hidden(path, folder) for path in folder.rglob("*"))


def unpacked(archive: Path, folder: Path) -> None:
    """Unpack a zip archive.

    Raises:
        AdviseError: it is none, it holds too much, or it has a password.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = packed.infolist()
            if len(members) > MOST_ROWS:
                what = f"holds {len(members):,} files, more than the {MOST_ROWS:,} that are read"
                raise AdviseError(Fault(what, str(archive), hint=SAMPLE))
            if sum(one.file_size for one in members) > MOST_BYTES:
                raise AdviseError(Fault(f"unfolds to more than {MOST_BYTES:,} bytes", str(archive), hint=SAMPLE))
            packed.extractall(folder)  # it never writes outside the folder
    except BROKEN as error:
        hint = "pack the folder again, without a password"
        raise AdviseError(Fault(f"cannot be unpacked: {error}", str(archive), hint=hint)) from None
    except OSError as error:  # a name that is too long, a file and a folder of one name, a full disk
        reason = f"cannot be unpacked: {error.strerror}"
        raise AdviseError(Fault(reason, str(archive), hint="unpack it, and give the folder")) from None


def inner(folder: Path, suffixes: Sequence[str]) -> Path:
    """The folder in which the files are: an archive often holds one folder with all others.

    Args:
        suffixes: of tables.
    """
    while True:
        entries = [path for path in sorted(folder.iterdir()) if not path.name.startswith(HIDDEN)]
        if len(entries) != 1 or not (subfolders(entries[0]) or table(entries[0], suffixes)):
            return folder
        folder = entries[0]


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, but hidden ones; none in what is no folder."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in entries if path.is_dir() and not path.name.startswith(HIDDEN)]


def table(folder: Path, suffixes: Sequence[str]) -> Path | None:
    """The table that names the files of a folder."""
    return next((path for suffix in suffixes if (path := folder / f"{TABLE}{suffix}").is_file()), None)


def to_convert(folder: Path, kind: str = "") -> str:
    """What to do with images and sounds in a folder that are not read; empty where there are none. kind: of them."""
    found = {path.suffix.lower() for path in folder.rglob("*") if not _hidden(path, folder)}
    some = [one for one in sorted(found & UNREAD.keys()) if kind in ("", UNREAD[one][0])]
    return " and ".join(f"convert {suffix} files to {UNREAD[suffix][1]}" for suffix in some)


def by_class(folder: Path, root: Path, place: str) -> tuple[dict[str, list[Any]], Counter[str]]:
    """Columns of the files in a folder, labelled by the folders in it, and how many others of each suffix there are.

    Files beside the folders have no label.

    Args:
        root: where the names of files begin. place: the folder as messages name it.

    Raises:
        AdviseError: there are images and sounds, or more of them than are read.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path, folder)]
    media = [path for path in files if _kind(path)]
    kinds = Counter(_kind(path) for path in media)
    if len(kinds) > 1:
        some = " and ".join(f"{count:,} files of {kind}" for kind, count in kinds.items())
        raise AdviseError(Fault(f"it holds {some}", place, hint="give a folder of one of them"))
    refuse_too_many_bytes(media, place)
    cells = [_cell(path, root, place) for path in media]
    labels = [_label(path.relative_to(folder)) for path in media]
    others = Counter(path.suffix.lower() or path.name for path in files if not _kind(path))
    return {next(iter(kinds), "image"): cells, "label": labels}, others


def _label(path: Path) -> str | None:
    return path.parts[0] if len(path.parts) > 1 else None


def _kind(path: Path) -> str:
    return SUFFIXES.get(path.suffix.lower(), "")


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(HIDDEN) for part in path.relative_to(folder).parts)


def with_bytes(column: Sequence[Any], folder: Path, root: Path, place: str) -> list[Any]:
    """The cells of a column of file names with the bytes of those that are there, or why a file is not read.

    Args and errors: see `by_class`.
    """
    paths = [folder / cell if isinstance(cell, str) and _kind(Path(cell)) else None for cell in column]
    inside = [path if path and Path(normpath(path)).is_relative_to(root) else None for path in paths]
    refuse_too_many_bytes((path for path in inside if path and path.is_file()), place)
    return [_read(*one, root, place) for one in zip(column, paths, inside, strict=True)]


def _read(cell: Any, path: Path | None, inside: Path | None, root: Path, place: str) -> Any:
    if path and not inside:
        return {"path": cell, REFUSED: "it leads out of the folder of its table"}
    return _cell(inside, root, place) if inside and inside.is_file() else cell


def refuse_too_many_bytes(paths: Iterable[Path], place: str) -> None:
    """Raise an AdviseError where files have more bytes together than are read. place: what names them."""
    if (size := sum(path.stat().st_size for path in paths)) > MOST_BYTES:
        what = f"the files have {size:,} bytes together, more than the {MOST_BYTES:,} that are read"
        raise AdviseError(Fault(what, place, hint=SAMPLE))


def _cell(path: Path, root: Path, place: str) -> dict[str, Any]:
    """A file as `datasets` has it."""
    name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    try:
        return {"bytes": path.read_bytes(), "path": name}
    except OSError as error:
        raise AdviseError(Fault(f"{name} cannot be read: {error.strerror}", place)) from None
