"""One file of data: read into plain columns, whatever its format."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unicodedata import category

import datasets

from advisor.base.errors import AdviseError, Fault, OutOfMemory, memory_is_out
from advisor.compute.data.conll import looks_like_conll, sentences
from advisor.compute.data.delimited import layout
from advisor.compute.data.encoding import in_utf8
from advisor.compute.data.file_checks import (
    JSON_LINES,
    MOST_ROWS,
    refuse_odd_json,
    refuse_too_large,
    refuse_unfolding,
    refuse_wide_or_long,
    unpack,
)
from advisor.compute.data.plain_texts import plain_texts
from advisor.compute.data.squad import squad_columns

BUILDERS = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv"} | dict.fromkeys((*JSON_LINES, ".json"), "json")
CONLL, TEXT = (".conll", ".bio", ".iob"), ".txt"  # a .txt is CoNLL's where it looks like it, else texts alone
BUILDERS |= dict.fromkeys(CONLL, "conll")
GZIP = ".gz"  # after the suffix of a text
FORMATS = ", ".join((*BUILDERS, TEXT))
UNSEEN = ("Cc", "Cf")  # Unicode's control characters, and those of format, such as the zero-width space
NAMELESS = re.compile(r"Unnamed: [1-9]\d*")  # the first column without a name is a saved index
CLASS_OF_ERROR = re.compile(r" \(\w+Error\)$")  # what the library adds for its developers
NO_ROWS, GIVE_ROWS = "there are no rows", "give data with rows"
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


def suffix_of(path: Path) -> str:
    """The suffix that says the format; that of gzip is none."""
    plain = path.with_suffix("") if path.suffix.lower() == GZIP else path
    return plain.suffix.lower()


def read_file(part: str, path: Path, header: bool | None) -> File:
    suffix = suffix_of(path)
    if suffix not in (*BUILDERS, TEXT) or (path.suffix.lower() == GZIP and suffix == ".parquet"):
        message = f"cannot read {suffix or 'such'} files{' in gzip' if suffix in BUILDERS else ''}"
        raise AdviseError(Fault(message, str(path), hint=f"convert it to one of {FORMATS}"))
    builder = BUILDERS.get(suffix, "")
    refuse_too_large(path)
    hint = f"check that it is a whole {suffix} file"
    if builder == "csv":
        hint = "put values that hold the delimiter or a quote in quotes, and double the quotes inside them"
    with reading(str(path), hint), tempfile.TemporaryDirectory() as folder:
        # Its name has no *, [ or :: in it, which the library would take for patterns and other files.
        plain = Path(folder, "data" + suffix)
        if path.suffix.lower() == GZIP:
            with reading(str(path), "it is damaged or cut off: copy it again"):
                unpack(path, plain)
        else:
            plain.symlink_to(path.resolve())
        said = in_utf8(plain, str(path)) if builder == "json" else ()
        if builder == "json" and (questions := squad_columns(plain, str(path))):
            return File(part, str(path), questions, {}, said)
        if builder == "conll" or (suffix == TEXT and looks_like_conll(plain)):
            return _tagged(part, str(path), plain)
        if suffix == TEXT:
            return _plain(part, str(path), plain)
        options, notes = OPTIONS[builder](plain, str(path), header)
        options |= {"data_files": str(plain), "cache_dir": folder, "keep_in_memory": True, "split": "train"}
        found = file_of_table(part, str(path), datasets.load_dataset(builder, **options), (*said, *notes))
        _refuse_nameless(found)
        return found


def _refuse_nameless(file: File) -> None:
    """Raise an AdviseError where several columns without a name hold something: a text that ran over, perhaps."""
    filled = {name: sum(map(has_text, cells)) for name, cells in file.columns.items() if NAMELESS.fullmatch(name)}
    if len(filled) > 1 and (rows := max(filled.values())):
        message = f"{len(filled)} columns have no name, and {rows:,} rows have something there"
        hint = "name them, or take them out; a text that holds the delimiter needs quotes"
        raise AdviseError(Fault(message, file.place, hint=hint))


def _tagged(part: str, place: str, plain: Path) -> File:
    """Sentences of words and tags."""
    found, notes = sentences(plain, place)
    refuse_wide_or_long(place, len(found), len(next(iter(found.values()))))
    return File(part, place, found, {}, notes)


def _plain(part: str, place: str, plain: Path) -> File:
    """Texts alone."""
    texts, notes = plain_texts(plain, place)
    refuse_wide_or_long(place, 1, len(texts))
    return File(part, place, {"text": texts}, {}, notes)


def holds_texts_alone(file: File) -> bool:
    """Whether a file is plain text, whose one column has no name of its own."""
    return suffix_of(Path(file.place)) == TEXT and [*file.columns] == ["text"]


def refuse_texts_alone(files: Sequence[File]) -> None:
    """Raise an AdviseError where a file holds texts alone, for a task that learns from more."""
    table = f"give a table with their answers ({', '.join(BUILDERS)})"
    hint = f"{table}; a language model learns from texts alone: data: {{task: text-generation}}"
    alone = [file.place for file in files if file.part != "unlabelled" and holds_texts_alone(file)]
    if alone:
        raise AdviseError(*(Fault("holds texts alone, without a label or an answer", one, hint=hint) for one in alone))


def _csv_options(plain: Path, place: str, header: bool | None) -> Options:
    """All columns as strings, "NA" and "null" too: types guessed by chunk differ, and lose 007 and 1.50."""
    found = layout(plain, place, header)
    features = datasets.Features({name: datasets.Value("string") for name in found.names})
    names = {"names": list(found.names), "header": found.header}
    form = {"sep": found.delimiter, "quoting": found.quoting, "encoding": found.encoding, "skip_blank_lines": False}
    kept = {"features": features, "keep_default_na": False, "na_values": [""], "index_col": False}
    kept["skiprows"] = found.skipped
    kept["nrows"] = MOST_ROWS + 1  # one more shows that there are too many, of a small archive, too
    return {**names, **form, **kept}, found.notes


def _json_options(plain: Path, place: str, header: bool | None) -> Options:
    refuse_odd_json(plain, place)
    return {}, ()


def _parquet_options(plain: Path, place: str, header: bool | None) -> Options:
    refuse_unfolding(Path(place))
    return {}, ()


OPTIONS = {"csv": _csv_options, "json": _json_options, "parquet": _parquet_options}


def file_of_table(part: str, place: str, table: Any, notes: tuple[str, ...] = ()) -> File:
    refuse_wide_or_long(place, len(table.features), len(table))
    if not len(table):
        raise AdviseError(Fault(NO_ROWS, place, hint=GIVE_ROWS))
    kinds = {name: getattr(kind, "feature", kind) for name, kind in table.features.items()}  # of a list, its items'
    undecoded = datasets.Features({name: _undecoded(kind) for name, kind in table.features.items()})
    table = table.with_format(None).cast(undecoded) if undecoded != table.features else table.with_format(None)
    columns, blank = _without_blank_rows(table[:])  # a saved format could give tensors
    if not len(next(iter(columns.values()))):
        raise AdviseError(Fault(NO_ROWS, place, hint=GIVE_ROWS))
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


def has_text(value: Any) -> bool:
    """Whether something is a text with anything to read: more than blanks and characters without width."""
    return isinstance(value, str) and any(not one.isspace() and category(one) not in UNSEEN for one in value)


@contextmanager
def reading(place: str, hint: str, failed: str = "cannot be read") -> Iterator[None]:
    """Silence the library and turn its errors into one that names the file, and says what failed."""
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
        if "corresponds to no data" in cause:
            raise AdviseError(Fault(NO_ROWS, place, hint=GIVE_ROWS)) from error
        raise AdviseError(Fault(f"{failed}: {CLASS_OF_ERROR.sub('', cause)}", place, hint=hint)) from error
    finally:
        datasets.logging.set_verbosity(level)
        if bars:
            datasets.enable_progress_bars()
