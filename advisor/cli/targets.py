"""Where products go: never over what the same command reads, nor over what a finished run has measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from advisor.base.errors import AdviseError, Fault

LEVELS = 4  # folders between a run's file and the run's own
ELSEWHERE = "give another name"


def refuse_inputs(target: Path | None, inputs: Iterable[str | Path] = ()) -> None:
    """Raise an AdviseError where a product would replace a file that it is made of."""
    if target is None or not _stays(target):
        return
    if any(Path(one).is_file() and target.samefile(one) for one in inputs):
        raise AdviseError(Fault("is not written: this command reads it", str(target), hint=ELSEWHERE))
    for folder in target.resolve().parents[:LEVELS]:
        if (folder / "manifest.json").is_file() and _measured(target.resolve(), folder):
            what = f"is not written: it belongs to the finished run in {folder.name}, which would fail its gate"
            raise AdviseError(Fault(what, str(target), hint=ELSEWHERE))


def _measured(file: Path, run: Path) -> bool:
    """Is it the manifest of a run, or a file that the manifest names?"""
    from advisor.records.run_folder import CARD, MANIFEST, listed

    try:
        names = {MANIFEST, *listed(run)} - {CARD}  # the card is people's to complete
    except AdviseError:
        return False  # another tool's manifest
    return file.relative_to(run).as_posix() in names


def _stays(target: Path) -> bool:
    """Whether a file is there that would be replaced; what a stream of this process leads to is only written to."""
    if not target.is_file():
        return False
    from advisor.base.files import is_special  # takes its time to import

    return not is_special(target)


def refuse_other(target: Path | None, beginnings: tuple[str, ...], force: str) -> None:
    """Raise an AdviseError for a file that does not begin as this product does. force: the option that allows it."""
    if target is None or not _stays(target):
        return
    with target.open(encoding="utf-8", errors="replace") as file:
        begins = file.read(max(map(len, beginnings)))
    if begins and not begins.startswith(beginnings):
        what = "is not written: advise did not write what is there"
        raise AdviseError(Fault(what, str(target), hint=f"{ELSEWHERE}, or add {force} to replace it"))
