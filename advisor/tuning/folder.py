"""The folder of a search: search.json, replaced whole after everything that ends, and the way back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile

from advisor.base.errors import AdviseError, Fault
from advisor.base.files import new_folder, write_json
from advisor.base.install import upgrade_command
from advisor.records.output_folder import DRAFT, LOCK
from advisor.records.run_folder import read_json
from advisor.records.search import SEARCH, SEARCH_VERSION, SearchResult

STORE = "store"
RESUME = "to go on with the search there, add --resume"


def write(out: Path, found: SearchResult) -> None:
    """Replace search.json. Raises: see `files.write`."""
    write_json(out / SEARCH, asdict(found))


def refuse_store(store: Path) -> None:
    """Raise an AdviseError where finished steps cannot be kept in a folder; it is made where it is not there."""
    try:
        store.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=store):
            pass
    except OSError as error:
        hint = "give --store a folder you can write to"
        raise AdviseError(Fault(f"cannot be written to: {error.strerror}", str(store), hint=hint)) from None


def read(out: Path) -> SearchResult:
    """The search in a folder, as far as it has come.

    Raises:
        AdviseError: there is none, or it cannot be understood or is of a newer version.
    """
    from pydantic import TypeAdapter, ValidationError

    file = out / SEARCH
    value = read_json(file)
    version = value.get("version") if isinstance(value, dict) else None
    if isinstance(version, int) and version > SEARCH_VERSION:
        message = f"is of version {version}, this advise reads searches up to version {SEARCH_VERSION}"
        raise AdviseError(Fault(message, str(file), hint=f"upgrade advise: {upgrade_command()}"))
    try:
        return TypeAdapter(SearchResult).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"cannot be read as a search: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise AdviseError(
            Fault(what, str(file), hint="give --out a new folder; --store keeps the finished steps")
        ) from None


def opened(out: Path, resume: bool, space_sha256: str) -> SearchResult | None:
    """Make the folder of a search, or find the one there; None where it is new or was killed at its very start.

    Raises:
        AdviseError: it is taken and `resume` is not wanted, it holds something else, or a search of another space.
    """
    there = (out / SEARCH).exists()
    if not resume or not out.exists():
        new_folder(out, f"give --out a new folder{f'; {RESUME}' if there else ''}")
        return None
    if not there:
        strange = [one.name for one in out.iterdir() if one.name not in (LOCK, STORE) and not DRAFT.fullmatch(one.name)]
        if strange:
            raise AdviseError(Fault("there is no search to resume here", str(out), hint="give the --out of the search"))
        return None
    found = read(out)
    if found.space_sha256 != space_sha256:
        what = f"holds a search of another space: model {found.model}, data {found.data}, device {found.device}"
        hint = f"give --out a new folder, and --store {out / STORE} to reuse finished steps"
        raise AdviseError(Fault(what, str(out), hint=hint))
    return found
