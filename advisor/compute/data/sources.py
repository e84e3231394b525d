"""Where labelled text comes from: files, folders and the Hub, read into plain columns."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets

from advisor.base.errors import AdviseError, Fault, OutOfMemory, memory_is_out, suggest
from advisor.compute.data import media_folders
from advisor.compute.data.conll import looks_like_conll, sentences
from advisor.compute.data.delimited import layout
from advisor.compute.data.file_checks import (
    MOST_ROWS,
    refuse_odd_json,
    refuse_outside,
    refuse_too_large,
    refuse_unfolding,
    refuse_wide_or_long,
    unpack,
)
from advisor.compute.data.hub import cache_only_if_out_of_reach
from advisor.compute.data.squad import squad_columns

BUILDERS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".json": "json"}
CONLL, TEXT = (".conll", ".bio", ".iob"), ".txt"  # a .txt is read where it looks like CoNLL's
BUILDERS |= dict.fromkeys(CONLL, "conll")
GZIP = ".gz"  # after the suffix of a text
FORMATS = ", ".join(BUILDERS)
PARTS = ("train", "validation", "test", "unlabelled")
PART = re.compile(
    r"(?P<train>train)|(?P<validation>valid|val(?![a-z])|dev)|(?P<test>test)|(?P<unlabelled>unsup|unlabell?ed)",
    re.IGNORECASE,
)
HUB_ID = re.compile(r"\w[\w.-]*(/[\w.-]+)?")
Options = tuple[dict[str, Any], tuple[str, ...]]  # for the library's reader, and what was assumed
# The library counts each load of a file, too, with a request to the Hub: nothing that is local contacts a network.
datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False


@dataclass(frozen=True, slots=True)
class File:
    """A file or saved split as read: its part (of PARTS), columns, names of those of ClassLabel or of lists of it.

    notes: what was assumed about its layout, and what was left out. row_names: by which people know its rows, where a
    row is a file of its own. blank: places of the rows without anything that were left out, from 0.
    """

    part: str
    place: str
    columns: Mapping[str, list[Any]]
    class_names: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()
    row_names: tuple[str, ...] = ()
    blank: frozenset[int] = frozenset()

    @property
    def numbers(self) -> Sequence[int]:
        """The number of each row in the file, from 1; those that were left out count."""
        count = len(next(iter(self.columns.values()))) + len(self.blank)
        return [place + 1 for place in range(count) if place not in self.blank]


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
    if path.is_file() and _suffix(path) in media_folders.ARCHIVES:
        with tempfile.TemporaryDirectory() as folder:
            media_folders.unpacked(path, Path(folder))
            return _read_media(Path(folder), source, header)
    if path.is_file():
        return [_read_file("train", path, header)]
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        with _reading(source, "it is not a complete folder of Dataset.save_to_disk; save it again"):
            refuse_outside(path)
            return _saved(source, datasets.load_from_disk(str(path)))
    if path.is_dir():
        return _read_folder(path, header)
    near = _nearest(path)
    beside = path.parent.name and path.parent.is_dir()
    if beside or _suffix(path) in (*BUILDERS, TEXT) or not HUB_ID.fullmatch(source):
        raise AdviseError(Fault("no such file or folder", source, hint=near))
    meant = f"; {near}" if near.startswith("did") else ""
    cache_only_if_out_of_reach()
    with _reading(source, f"download the files where there is a network and give their path{meant}"):
        return _saved(source, datasets.load_dataset(source))


def _suffix(path: Path) -> str:
    """The suffix that says the format; that of gzip is none."""
    plain = path.with_suffix("") if path.suffix.lower() == GZIP else path
    return plain.suffix.lower()


def _read_folder(folder: Path, header: bool | None) -> list[File]:
    files = [path for path in sorted(folder.iterdir()) if not path.name.startswith("dataset_info")]
    paths = {path.name: path for path in files if _suffix(path) in BUILDERS}
    others = paths.keys() - {f"{media_folders.TABLE}{suffix}" for suffix in BUILDERS}
    if not others and media_folders.holds_media(folder):
        return _read_media(folder, str(folder), header)
    paths = paths or {path.name: path for path in files if _suffix(path) == TEXT and looks_like_conll(path)}
    if not paths:
        inside = sorted({path.parent.name for path in folder.glob("*/*") if _suffix(path) in BUILDERS})
        hint = f"give {'one of its folders: ' + ', '.join(inside) if inside else f'{FORMATS} files'}"
        raise AdviseError(Fault("no data files in this folder", str(folder), hint=hint))
    parts = _name_parts(str(folder), list(paths))
    for part in PARTS:
        if len(formats := sorted({_suffix(paths[name]) for name in parts if parts[name] == part})) > 1:
            message = f"the {part} split is there as {' and as '.join(formats)}, so rows would count twice"
            raise AdviseError(Fault(message, str(folder), hint="keep one of them, or give a single file"))
    return [_read_file(part, paths[name], header) for name, part in parts.items()]


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
        found = _read_file(part, table, header)
        place = f"{place}/{table.name}"
        columns = {name: media_folders.with_bytes(cells, folder, root, place) for name, cells in found.columns.items()}
        return replace(found, place=place, columns=columns)
    columns, others = media_folders.by_class(folder, root, place)
    if not columns["label"]:
        hint = "give a folder for each class; other data is read unpacked"
        raise AdviseError(Fault("there are no images or sounds", place, hint=hint))
    notes = (f"{place}: {others:,} other files are left out",) if others else ()
    return File(part, place, columns, {}, notes)


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


def _read_file(part: str, path: Path, header: bool | None) -> File:
    suffix = _suffix(path)
    if suffix == TEXT and path.suffix.lower() == TEXT and looks_like_conll(path):
        suffix = CONLL[0]
    if suffix not in BUILDERS or (path.suffix.lower() == GZIP and suffix == ".parquet"):
        message = f"cannot read {suffix or 'such'} files{' in gzip' if suffix in BUILDERS else ''}"
        raise AdviseError(Fault(message, str(path), hint=f"convert it to one of {FORMATS}"))
    refuse_too_large(path)
    hint = f"check that it is a whole {path.suffix.lower()} file{' in UTF-8' if BUILDERS[suffix] == 'json' else ''}"
    if BUILDERS[suffix] == "csv":
        hint = "put values that hold the delimiter or a quote in quotes, and double the quotes inside them"
    with _reading(str(path), hint), tempfile.TemporaryDirectory() as folder:
        if BUILDERS[suffix] == "json" and path.suffix.lower() != GZIP and (questions := squad_columns(path)):
            return File(part, str(path), questions, {})
        # Its name has no *, [ or :: in it, which the library would take for patterns and other files.
        plain = Path(folder, "data" + suffix)
        unpack(path, plain) if path.suffix.lower() == GZIP else plain.symlink_to(path.resolve())
        if BUILDERS[suffix] == "json" and (questions := squad_columns(plain)):
            return File(part, str(path), questions, {})
        if BUILDERS[suffix] == "conll":
            return _tagged(part, str(path), plain)
        options, notes = OPTIONS[BUILDERS[suffix]](plain, str(path), header)
        options |= {"data_files": str(plain), "cache_dir": folder, "keep_in_memory": True, "split": "train"}
        return _file(part, str(path), datasets.load_dataset(BUILDERS[suffix], **options), notes)


def _tagged(part: str, place: str, plain: Path) -> File:
    """Sentences of words and tags."""
    found, note = sentences(plain, place)
    refuse_wide_or_long(place, len(found), len(next(iter(found.values()))))
    return File(part, place, found, {}, (note,) if note else ())


def _csv_options(plain: Path, place: str, header: bool | None) -> Options:
    """All columns as strings, "NA" and "null" too: types guessed by chunk differ, and lose 007 and 1.50."""
    found = layout(plain, place, header)
    features = datasets.Features({name: datasets.Value("string") for name in found.names})
    names = {"names": list(found.names), "header": found.header}
    form = {"sep": found.delimiter, "encoding": found.encoding, "skip_blank_lines": False}
    kept = {"features": features, "keep_default_na": False, "na_values": [""], "index_col": False}
    kept["nrows"] = MOST_ROWS + 1  # one more shows that there are too many, of a small archive, too
    return {**names, **form, **kept}, found.notes


def _json_options(plain: Path, place: str, header: bool | None) -> Options:
    refuse_odd_json(plain, place)
    return {}, ()


def _parquet_options(plain: Path, place: str, header: bool | None) -> Options:
    refuse_unfolding(Path(place))
    return {}, ()


OPTIONS = {"csv": _csv_options, "json": _json_options, "parquet": _parquet_options}


def _saved(place: str, found: Any) -> list[File]:
    splits = found if isinstance(found, dict) else {"": found}
    parts = _name_parts(place, list(splits))
    return [_file(part, f"{place}/{name}".rstrip("/"), splits[name]) for name, part in parts.items()]


def _file(part: str, place: str, table: Any, notes: tuple[str, ...] = ()) -> File:
    refuse_wide_or_long(place, len(table.features), len(table))
    if not len(table):
        raise AdviseError(Fault("there are no rows", place, hint="give data with rows"))
    kinds = {name: getattr(kind, "feature", kind) for name, kind in table.features.items()}  # of a list, its items'
    undecoded = datasets.Features({name: _undecoded(kind) for name, kind in table.features.items()})
    table = table.with_format(None).cast(undecoded) if undecoded != table.features else table.with_format(None)
    columns, blank = _without_blank_rows(table[:])  # a saved format could give tensors
    if not len(next(iter(columns.values()))):
        raise AdviseError(Fault("there are no rows", place, hint="give data with rows"))
    many = len(blank)
    notes += (f"{place}: {many:,} blank row{'s are' if many > 1 else ' is'} left out",) if blank else ()
    names = {name: tuple(kind.names) for name, kind in kinds.items() if isinstance(kind, datasets.ClassLabel)}
    return File(part, place, columns, names, notes, blank=blank)


def _undecoded(kind: Any) -> Any:
    """Of images and sounds their files, which are decoded where a model reads them."""
    return replace(kind, decode=False) if isinstance(kind, datasets.Image | datasets.Audio) else kind


def _without_blank_rows(columns: Mapping[str, list[Any]]) -> tuple[Mapping[str, list[Any]], frozenset[int]]:
    """The rows that have anything in any column, and the places of those that have not."""
    first, *others = columns.values()
    found = (i for i, value in enumerate(first) if _is_blank(value) and all(_is_blank(one[i]) for one in others))
    blank = frozenset(found)
    if not blank:
        return columns, blank
    kept = {name: [value for i, value in enumerate(values) if i not in blank] for name, values in columns.items()}
    return kept, blank


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


@contextmanager
def _reading(place: str, hint: str) -> Iterator[None]:
    """Silence the library and turn its errors into one that names the file."""
    level, bars = datasets.logging.get_verbosity(), datasets.is_progress_bar_enabled()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            # pandas only warns where a row has more fields than the header and the rest would be lost.
            warnings.filterwarnings("error", message="Length of header")
            yield
    except AdviseError:
        raise
    except Exception as error:  # whatever its libraries raise for files that are cut off or of another kind
        if memory_is_out(error):
            hint_ = "give a part of it, or use a machine with more memory"
            raise OutOfMemory(Fault("not enough memory to read it", place, hint=hint_)) from None
        cause = str(error.__cause__ or error).strip()
        message = "there are no rows" if "corresponds to no data" in cause else f"cannot be read: {cause}"
        raise AdviseError(Fault(message, place, hint=hint)) from error
    finally:
        datasets.logging.set_verbosity(level)
        if bars:
            datasets.enable_progress_bars()


def _nearest(path: Path) -> str:
    missing = path.absolute()
    while not missing.parent.is_dir():
        missing = missing.parent
    known = sorted(entry.name for entry in missing.parent.iterdir())
    return f"{suggest(missing.name, known)} (in {missing.parent})" if known else f"{missing.parent} is empty"
