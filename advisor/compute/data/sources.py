"""Where labelled text comes from: files, folders and the Hub, read into plain columns."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets

from advisor.base.errors import AdviseError, Fault, OutOfMemory, memory_is_out, suggest
from advisor.compute.data.file_checks import (
    csv_header,
    refuse_odd_json,
    refuse_outside,
    refuse_too_large,
    refuse_unfolding,
    refuse_wide_or_long,
)
from advisor.compute.data.hub import cache_only_if_out_of_reach
from advisor.compute.data.squad import squad_columns

BUILDERS = {".parquet": "parquet", ".csv": "csv", ".jsonl": "json", ".json": "json"}
FORMATS = ", ".join(BUILDERS)
PARTS = ("train", "validation", "test", "unlabelled")
PART = re.compile(
    r"(?P<train>train)|(?P<validation>valid|val(?![a-z])|dev)|(?P<test>test)|(?P<unlabelled>unsup|unlabell?ed)",
    re.IGNORECASE,
)
HUB_ID = re.compile(r"\w[\w.-]*(/[\w.-]+)?")
# The library counts each load of a file, too, with a request to the Hub: nothing that is local contacts a network.
datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False


@dataclass(frozen=True, slots=True)
class File:
    """A file or saved split as read: its part (of PARTS), columns, names of those of ClassLabel or of lists of it."""

    part: str
    place: str
    columns: Mapping[str, list[Any]]
    class_names: Mapping[str, tuple[str, ...]]


def read(source: str) -> list[File]:
    """All files or saved splits of a source.

    Raises:
        AdviseError: it is not there, cannot be read, or does not say which part each file is.
    """
    path = Path(source)
    with suppress(RuntimeError):  # ~name of nobody
        path = path.expanduser()
    if path.is_file():
        return [_read_file("train", path)]
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        with _reading(source, "it is not a complete folder of Dataset.save_to_disk; save it again"):
            refuse_outside(path)
            return _saved(source, datasets.load_from_disk(str(path)))
    if path.is_dir():
        return _read_folder(path)
    near = _nearest(path)
    beside = path.parent.name and path.parent.is_dir()
    if beside or path.suffix.lower() in (*BUILDERS, ".tsv", ".txt") or not HUB_ID.fullmatch(source):
        raise AdviseError(Fault("no such file or folder", source, hint=near))
    meant = f"; {near}" if near.startswith("did") else ""
    cache_only_if_out_of_reach()
    with _reading(source, f"download the files where there is a network and give their path{meant}"):
        return _saved(source, datasets.load_dataset(source))


def _read_folder(folder: Path) -> list[File]:
    files = [path for path in sorted(folder.iterdir()) if not path.name.startswith("dataset_info")]
    paths = {path.name: path for path in files if path.suffix.lower() in BUILDERS}
    if not paths:
        inside = sorted({path.parent.name for path in folder.glob("*/*") if path.suffix.lower() in BUILDERS})
        hint = f"give {'one of its folders: ' + ', '.join(inside) if inside else f'{FORMATS} files'}"
        raise AdviseError(Fault("no data files in this folder", str(folder), hint=hint))
    parts = _name_parts(str(folder), list(paths))
    for part in PARTS:
        if len(formats := sorted({paths[name].suffix for name in parts if parts[name] == part})) > 1:
            message = f"the {part} split is there as {' and as '.join(formats)}, so rows would count twice"
            raise AdviseError(Fault(message, str(folder), hint="keep one of them, or give a single file"))
    return [_read_file(part, paths[name]) for name, part in parts.items()]


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


def _read_file(part: str, path: Path) -> File:
    suffix = path.suffix.lower()
    if suffix not in BUILDERS:
        message = f"cannot read {suffix or 'such'} files"
        raise AdviseError(Fault(message, str(path), hint=f"convert it to one of {FORMATS}"))
    refuse_too_large(path)
    hint = f"check that it is a whole {suffix} file{'' if suffix == '.parquet' else ' in UTF-8'}"
    with _reading(str(path), hint), tempfile.TemporaryDirectory() as folder:
        if BUILDERS[suffix] == "json" and (questions := squad_columns(path)):
            return File(part, str(path), questions, {})
        # The link has no *, [ or :: in its name, which the library would take for patterns and other files.
        link = Path(folder, "data" + suffix)
        link.symlink_to(path.resolve())
        options = {"csv": _csv_options, "json": _json_options, "parquet": _parquet_options}[BUILDERS[suffix]](path)
        options |= {"data_files": str(link), "cache_dir": folder, "keep_in_memory": True, "split": "train"}
        return _file(part, str(path), datasets.load_dataset(BUILDERS[suffix], **options))


def _csv_options(path: Path) -> dict[str, Any]:
    """All columns as strings, "NA" and "null" too: types guessed by chunk differ, and lose 007 and 1.50."""
    names = [name or f"Unnamed: {i}" for i, name in enumerate(csv_header(path))]  # as pandas calls a saved index
    features = datasets.Features({name: datasets.Value("string") for name in names})
    return {"features": features, "keep_default_na": False, "na_values": [""], "index_col": False}


def _json_options(path: Path) -> dict[str, Any]:
    refuse_odd_json(path)
    return {}


def _parquet_options(path: Path) -> dict[str, Any]:
    refuse_unfolding(path)
    return {}


def _saved(place: str, found: Any) -> list[File]:
    splits = found if isinstance(found, dict) else {"": found}
    parts = _name_parts(place, list(splits))
    return [_file(part, f"{place}/{name}".rstrip("/"), splits[name]) for name, part in parts.items()]


def _file(part: str, place: str, table: Any) -> File:
    refuse_wide_or_long(place, len(table.features), len(table))
    if not len(table):
        raise AdviseError(Fault("there are no rows", place, hint="give data with rows"))
    kinds = {name: getattr(kind, "feature", kind) for name, kind in table.features.items()}  # of a list, its items'
    columns = table.with_format(None)[:]  # a saved format could give tensors
    names = {name: tuple(kind.names) for name, kind in kinds.items() if isinstance(kind, datasets.ClassLabel)}
    return File(part, place, columns, names)


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
