"""Patterns with stars, matched in time that grows with pattern times text, whatever somebody writes.

An expression of `re` tries one place of a star after the other, which takes for ever for `*a*a*a*a*a*a*b`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

ONE, ANY, SOME_FOLDERS, FOLDERS = "any sign", "any signs", "perhaps folders", "folders"  # beside single signs


@lru_cache(maxsize=256)
def of_text(pattern: str) -> tuple[str, ...]:
    """The parts of a pattern in which `*` stands for any signs, and `?` for one."""
    return tuple({"*": ANY, "?": ONE}.get(sign, sign) for sign in pattern)


@lru_cache(maxsize=256)
def of_paths(glob: str) -> tuple[str, ...]:
    """The parts of a glob of files, in which only `**` goes beyond a folder, and a folder means all in it."""
    glob = (glob + "**" if glob.endswith("/") else glob).removeprefix("./")
    names = {"**/": (SOME_FOLDERS, FOLDERS), "**": (ANY,)}
    parts = re.findall(r"\*\*/|\*\*|.", glob, re.DOTALL)
    return tuple(one for part in parts for one in names.get(part, (part,)))


@lru_cache(maxsize=4096)
def fits(parts: Sequence[str], text: str) -> bool:
    """Is a text as a pattern says? All places that the pattern may have come to are followed at once."""
    places = _reached(parts, {0})
    for sign in text:
        places = _reached(parts, {after for place in places for after in _after(parts, place, sign)})
    return len(parts) in places


def _reached(parts: Sequence[str], places: set[int]) -> set[int]:
    """Places with those that follow where a star, or folders, stand for nothing."""
    for place, part in enumerate(parts):
        if place in places and part in (SOME_FOLDERS, ANY, "*"):
            places |= {place + 1, place + 2} if part == SOME_FOLDERS else {place + 1}
    return places


def _after(parts: Sequence[str], place: int, sign: str) -> Iterator[int]:
    """Places after one more sign. `*` and `?` stay within a folder."""
    part = parts[place] if place < len(parts) else ""
    inside = sign != "/"
    if part in (ANY, FOLDERS) or (part == "*" and inside):
        yield place
    if part in (sign, ONE) or (part == "?" and inside) or (part == FOLDERS and not inside):
        yield place + 1
