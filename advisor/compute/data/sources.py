"""Where labelled text comes from: files, folders and the Hub, read into plain columns."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets

from advisor.base.errors import AdviseError, Fault, nearest, suggest
from advisor.compute.data import media_folders
from advisor.compute.data.column_names import are_unusual
from advisor.compute.data.conll import looks_like_conll
from advisor.compute.data.delimited import numbered
from advisor.compute.data.file_checks import refuse_outside
from advisor.compute.data.files import BUILDERS, FORMATS, TEXT, File, file_of_table, read_file, reading, suffix_of
from advisor.compute.data.hub import cache_only_if_out_of_reach
from advisor.records.run_folder import sha256

PARTS = ("train", "validation", "test", "unlabelled")
PART = re.compile(
    r"(?P<train>train)|(?P<validation>valid|val(?![a-z])|dev)|(?P<test>test)|(?P<unlabelled>unsup|unlabell?ed)",
    re.IGNORECASE,
)
A_SPLIT = re.compile(r"(?<![a-z])(train|valid|val|dev|test|eval)", re.IGNORECASE)  # anywhere in a name
NO_BOOK = re.compile(r"(readme|licen[cs]e|copying|changelog|citation|notes?)\b", re.IGNORECASE)
HUB_ID = re.compile(r"\w[\w.-]*(/[\w.-]+)?")


def read(source: str, header: bool | None = None) -> list[File]:
    """All files or saved splits of a source.

    Args:
        header: whether the first line of delimited text names the columns; None: what it looks like.

    Raises:
        AdviseError: it is not there, cannot be read, or does not say which part each file is.
    """
    path = Path(source)
    with suppress(RuntimeError):  # ~name of nobody
        path = path.expanduser()
    if path.is_file() and suffix_of(path) in media_folders.ARCHIVES:
        with tempfile.TemporaryDirectory() as folder:
            media_folders.unpacked(path, Path(folder))
            return _read_media(Path(folder), source, header)
    if path.is_file():
        return [read_file("train", path, header)]
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        with reading(source, "it is not a complete folder of Dataset.save_to_disk; save it again"):
            refuse_outside(path)
            return _saved(source, datasets.load_from_disk(str(path)))
    if path.is_dir():
        return _read_folder(path, header)
    near = _nearest(path)
    beside = path.parent.name and path.parent.is_dir()
    if beside or suffix_of(path) in (*BUILDERS, TEXT) or not HUB_ID.fullmatch(source):
        raise AdviseError(Fault("no such file or folder", source, hint=near))
    meant = f"; {near}" if near.startswith("did") else ""
    cache_only_if_out_of_reach()
    hint = f"download the files where there is a network and give their path{meant}"
    with reading(source, hint, "no such file or folder; as a name on the Hub"):
        return _saved(source, datasets.load_dataset(source))


def _read_folder(folder: Path, header: bool | None) -> list[File]:
    files = [path for path in sorted(folder.iterdir()) if not path.name.startswith("dataset_info")]
    paths = {path.name: path for path in files if suffix_of(path) in BUILDERS}
    others = paths.keys() - {f"{media_folders.TABLE}{suffix}" for suffix in BUILDERS}
    if not others and media_folders.holds_media(folder):
        return _read_media(folder, str(folder), header)
    paths = _with_texts(folder, files, paths)
    if books := _books(paths):
        left = sorted({*paths} - {path.name for path in books})
        return _as_one(folder, [read_file("train", path, header) for path in books], left)
    parts = _name_parts(str(folder), list(paths))
    for part in PARTS:
        if len(formats := sorted({suffix_of(paths[name]) for name in parts if parts[name] == part})) > 1:
            message = f"the {part} split is there as {' and as '.join(formats)}, so rows would count twice"
            raise AdviseError(Fault(message, str(folder), hint="keep one of them, or give a single file"))
    found = [(paths[name], read_file(part, paths[name], header)) for name, part in parts.items()]
    for part in PARTS:
        _refuse_copies([path for path, file in found if file.part == part])
    alike = [_read_alike(path, file, found) if header is None else file for path, file in found]
    return _noting(alike, str(folder), sorted({*paths} - {*parts}))


def _with_texts(folder: Path, files: Sequence[Path], tables: dict[str, Path]) -> dict[str, Path]:
    """The files of a folder that hold rows, by name: tables, and plain texts where these are data."""
    texts = {path.name: path for path in files if suffix_of(path) == TEXT}
    found = tables | {name: path for name, path in texts.items() if _holds_rows(path, beside=bool(tables))}
    if found:
        return found
    inside = sorted({path.parent.name for path in folder.glob("*/*") if suffix_of(path) in BUILDERS})
    if inside or not texts:
        convert = "" if inside else media_folders.to_convert(folder)
        hint = convert or f"give {'one of its folders: ' + ', '.join(inside) if inside else f'{FORMATS} files'}"
        raise AdviseError(Fault("no data files in this folder", str(folder), hint=hint))
    return texts


def _books(paths: Mapping[str, Path]) -> list[Path]:
    """The files of a folder that are one set of plain texts: several, and no name tells of a split."""
    if any(suffix_of(path) != TEXT or A_SPLIT.search(name) or looks_like_conll(path) for name, path in paths.items()):
        return []
    books = [path for name, path in paths.items() if not NO_BOOK.match(name)]
    return books if len(books) > 1 else []


def _as_one(folder: Path, files: list[File], left: Sequence[str]) -> list[File]:
    """Books as one set of texts, with notes on which they are."""
    _refuse_copies([Path(file.place) for file in files])
    names = [Path(file.place).name for file in files]
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    which = f"{', '.join(names[:5])}{more}"
    note = f"{folder}: read as one set of texts, as no name tells of a split: {which}"
    notes = (note, f"{folder}: left out: {', '.join(left)}") if left else (note,)
    noted = [replace(file, notes=file.notes if number < 3 else ()) for number, file in enumerate(files)]
    return [replace(noted[0], notes=(*notes, *noted[0].notes)), *noted[1:]]


def _holds_rows(path: Path, beside: bool) -> bool:
    """Whether a .txt is data. Beside data there are notes and lists of labels, too: only texts without labels count."""
    part = PART.match(path.name)
    if beside:
        return part is not None and part.lastgroup == "unlabelled"
    return part is not None or looks_like_conll(path)


def _noting(files: list[File], place: str, left: Sequence[str]) -> list[File]:
    """The files, with a note on those that are left out."""
    if not left:
        return files
    their = "their names say" if len(left) > 1 else "its name says"
    more = f" and {len(left) - 5:,} more" if len(left) > 5 else ""
    note = f"{place}: {', '.join(left[:5])}{more}: left out, as {their} no split (train, validation, test, unlabelled)"
    return [replace(files[0], notes=(*files[0].notes, note)), *files[1:]]


def _refuse_copies(paths: Sequence[Path]) -> None:
    """Raise an AdviseError where a file is another one once more, as a browser saves `train (1).csv`."""
    sizes = Counter(path.stat().st_size for path in paths)
    first: dict[str, Path] = {}
    for path in paths:
        same = first.setdefault(sha256(path), path) if sizes[path.stat().st_size] > 1 else path
        if same != path:
            message = f"has the same content as {same.name}, so rows would count twice"
            raise AdviseError(Fault(message, str(path), hint="take one of them out of the folder"))


def _read_alike(path: Path, file: File, found: Sequence[tuple[Path, File]]) -> File:
    """The file, read without a header where a train file of as many columns has none: one first line can mislead."""
    none = numbered(len(file.columns))
    has_names = BUILDERS.get(suffix_of(path)) != "csv" or [*file.columns] == none or not are_unusual(file.columns)
    if has_names or not any(other.part == "train" and [*other.columns] == none for _, other in found):
        return file
    return read_file(file.part, path, header=False)


def _read_media(folder: Path, place: str, header: bool | None) -> list[File]:
    """Images or sounds in folders named after the splits, or in one that is all there is."""
    root, folder = folder, media_folders.inner(folder, list(BUILDERS))
    inside = [path for path in media_folders.subfolders(folder) if media_folders.holds_media(path)]
    named = [path for path in inside if PART.match(path.name)]
    split = len(named) == len(inside) and any(path.name.lower().startswith("train") for path in named)
    parts = {path: str(PART.match(path.name).lastgroup) for path in named} if split else {folder: "train"}  # type: ignore[union-attr]
    places = {path: f"{place}/{path.name}" if split else place for path in parts}
    return [_media(part, path, root, places[path], header) for path, part in parts.items()]


def _media(part: str, folder: Path, root: Path, place: str, header: bool | None) -> File:
    """A folder of images or sounds, labelled by its folders or by a table in it. root: where names of files begin."""
    if table := media_folders.table(folder, list(BUILDERS)):
        found = read_file(part, table, header)
        place = f"{place}/{table.name}"
        columns = {name: media_folders.with_bytes(cells, folder, root, place) for name, cells in found.columns.items()}
        return replace(found, place=place, columns=columns)
    columns, others = media_folders.by_class(folder, root, place)
    kind = next(iter(columns))
    if not columns["label"]:
        convert = "" if {*others} & {*BUILDERS} else media_folders.to_convert(folder)
        hint = convert or "give a folder for each class; other data is read unpacked"
        raise AdviseError(Fault("there are no images or sounds", place, hint=hint))
    if part == "train" and not any(columns["label"]):
        message = "nothing says what the files are: they lie in no folders by class, and no table names them"
        names = f"{media_folders.TABLE}.csv, in a column file_name, with their labels"
        spoken = " or with what is said, in a column transcription" if kind == "audio" else ""
        hint = f"put those of each class into a folder of its name, or name them in {names}{spoken}"
        raise AdviseError(Fault(message, place, hint=hint))
    convert = media_folders.to_convert(folder, kind)
    return File(part, place, columns, {}, (_left_out(place, others, convert),) if others else ())


def _left_out(place: str, others: Counter[str], convert: str) -> str:
    """A note on the files of a folder that are no images or sounds that are read."""
    kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in others.most_common(5))
    many = others.total()
    what = f"{many:,} other {'files are' if many > 1 else 'file is'} left out ({kinds})"
    return f"{place}: {what}{f': {convert}, and they are read' if convert else ''}"


def _name_parts(place: str, names: Sequence[str]) -> dict[str, str]:
    """The part that each file or split is, by its name; a single one is all there is, whatever its name."""
    if len(names) == 1:
        return {names[0]: "train"}
    parts = {name: str(match.lastgroup) for name in names if (match := PART.match(name))}
    if len(parts) < len(names) and "train" not in parts.values():
        others = ", ".join(sorted(set(names) - set(parts)))
        hint = "name files train*, validation* (or dev*) and test*, or give a single file"
        raise AdviseError(Fault(f"cannot tell which split these files are: {others}", place, hint=hint))
    return parts


def _saved(place: str, found: Any) -> list[File]:
    splits = found if isinstance(found, dict) else {"": found}
    parts = _name_parts(place, list(splits))
    files = [file_of_table(part, f"{place}/{name}".rstrip("/"), splits[name]) for name, part in parts.items()]
    return _noting(files, place, sorted({*splits} - {*parts}))


def _nearest(path: Path) -> str:
    """A name that was meant, or the data that lies beside the first part of a path that is not there."""
    missing = path.absolute()
    while not missing.parent.is_dir():
        missing = missing.parent
    known = sorted(entry.name for entry in missing.parent.iterdir() if _may_be_data(entry))
    if nearest(missing.name, known) or (known and missing == path.absolute()):
        return f"{suggest(missing.name, known)} (in {missing.parent})"
    return f"{missing.parent} has no data with a name like {missing.name}"


def _may_be_data(entry: Path) -> bool:
    """Whether a name could be given as a source: a folder that is not hidden, or a file of a known kind."""
    suffix = suffix_of(entry)
    kinds = (*BUILDERS, TEXT, *media_folders.ARCHIVES)
    return not entry.name.startswith(".") and (suffix in kinds or entry.is_dir())
