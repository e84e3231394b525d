"""Entities: the chunks that tags name, by the rules of conlleval, which seqeval follows by default too.

A chunk may begin with an I where no chunk of its kind is open. Source: the script of CoNLL-2000's shared task
(Tjong Kim Sang and Buchholz 2000), start_of_chunk and end_of_chunk.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

OUTSIDE = "O"


class Chunk(NamedTuple):
    """An entity. first, end: its first word and the one behind its last."""

    kind: str
    first: int
    end: int


def chunks(tags: Iterable[str]) -> list[Chunk]:
    """The entities that tags name, in their order.

    Example: O I-per B-per I-loc names (per, 1, 2), (per, 2, 3) and (loc, 3, 4).
    """
    found: list[Chunk] = []
    before, kind, first = OUTSIDE, "", 0
    for place, tag in enumerate((*tags, OUTSIDE)):
        letter, own = tag[:1], tag[2:]
        if before != OUTSIDE and (before in "ES" or letter in "BSO" or own != kind):
            found.append(Chunk(kind, first, place))
        if letter != OUTSIDE and (letter in "BS" or before in "ESO" or own != kind):
            first = place
        before, kind = letter, own
    return found
