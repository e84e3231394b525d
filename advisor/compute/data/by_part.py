"""Parts of a source: the rows of its files, gathered by the part that each file is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.files import File
from advisor.compute.data.sources import PARTS

Own = TypeVar("Own")  # what is known of a file's rows
Made = TypeVar("Made")


def by_part(
    source: str, used: Sequence[tuple[File, Own]], rows: Callable[[Sequence[tuple[File, Own]]], Made]
) -> tuple[dict[str, Made], dict[str, str]]:
    """The rows of each part, and the files that they are from. The only part is all there is: it will be split.

    Args:
        used: files with labelled rows. rows: of files of one part.

    Raises:
        AdviseError: there are several parts, and none to train on.
    """
    parts: dict[str, Made] = {}
    places: dict[str, str] = {}
    ordered = sorted(used, key=lambda one: PARTS.index(one[0].part))
    for part, group in groupby(ordered, key=lambda one: one[0].part):
        shards = list(group)
        parts[part], places[part] = rows(shards), ", ".join(file.place for file, _ in shards)
    if len(parts) == 1:
        parts, places = {"train": next(iter(parts.values()))}, {"train": next(iter(places.values()))}
    if "train" not in parts:
        raise AdviseError(
            Fault("no labelled train split", source, hint="add train rows, or give a single file to split")
        )
    return parts, places
