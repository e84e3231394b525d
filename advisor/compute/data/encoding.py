"""The encoding of a text: UTF-8, what a byte order mark says, or else what Windows wrote."""

from __future__ import annotations

import codecs
from itertools import islice
from pathlib import Path

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.file_checks import PIECE

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
OLD = "cp1252"  # of Windows in the West; ISO-8859-1 has the same letters
UNKNOWN = "\ufffd"  # in place of bytes without a meaning
MOST_BEYOND = 0.3  # of the letters of a text of the West; Cyrillic and Chinese ones read so are nearly all beyond
AS_UTF8 = "save it as UTF-8"


def encoding_of(path: Path, place: str) -> str:
    """UTF-8, what a byte order mark says, or else what Windows wrote.

    Raises:
        AdviseError: it is none of them, or UTF-8 with wrong bytes in it.
    """
    begins = _beginning(path)
    marked = _marked(begins)
    if not marked and b"\0" in begins:
        raise AdviseError(Fault("has zero bytes, as UTF-16 without a mark has", place, hint=AS_UTF8))
    if marked and (line := _undecodable(path, marked)) is not None:
        raise AdviseError(Fault(f"is not {marked}, as its first bytes say", place, line, 1, AS_UTF8))
    if marked or (wrong := _undecodable(path, "utf-8")) is None:
        return marked or "utf-8"
    if _is_nearly_utf8(path):
        hint = "write this line again, or leave it out"
        raise AdviseError(Fault("is UTF-8 but for some bytes", place, wrong, 1, hint))
    if (line := _undecodable(path, OLD)) is not None:
        raise AdviseError(Fault(f"is neither UTF-8 nor {OLD}", place, line, 1, AS_UTF8))
    if _share_beyond_ascii(path, OLD) > MOST_BEYOND:
        what = f"is not UTF-8, and as {OLD} most letters would be accented ones, so it is neither"
        raise AdviseError(Fault(what, place, wrong, 1, AS_UTF8))
    return OLD


def in_utf8(path: Path, place: str) -> tuple[str, ...]:
    """Write a text as UTF-8 where it stands, if it is none; says so. What the path links to stays as it is.

    Raises:
        AdviseError: see `encoding_of`.
    """
    encoding = encoding_of(path, place)
    if encoding.startswith("utf-8"):
        return ()
    whole = path.read_bytes().decode(encoding)
    path.unlink()
    path.write_bytes(whole.encode())
    return (f"{place}: {note_on(encoding)}",)


def first_lines(path: Path, count: int) -> list[str]:
    """The first lines of a text, at most so many, to see what kind of file it is; what has no meaning is replaced."""
    with path.open(encoding=_marked(_beginning(path)) or "utf-8", errors="replace") as file:
        return [line.rstrip("\n") for line in islice(file, count)]


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _marked(begins: bytes) -> str:
    """What a byte order mark says; empty where there is none."""
    return next((name for mark, name in MARKS if begins.startswith(mark)), "")


def note_on(encoding: str) -> str:
    """What is to be said of an encoding; nothing of UTF-8."""
    return "" if encoding.startswith("utf-8") else f"read as {encoding}{': it is not UTF-8' if encoding == OLD else ''}"


def _is_nearly_utf8(path: Path) -> bool:
    """Whether as many characters beyond ASCII are there in UTF-8 as bytes that have no meaning in it, or more.

    Letters of another encoding are characters of UTF-8 by chance alone, and a file that is damaged is not one of it.
    """
    decoder, there, wrong = codecs.getincrementaldecoder("utf-8")("replace"), 0, 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            text = decoder.decode(piece)
            unknown = text.count(UNKNOWN)
            there, wrong = there + sum(map("\x7f".__lt__, text)) - unknown, wrong + unknown
    return there >= wrong


def _share_beyond_ascii(path: Path, encoding: str) -> float:
    """The share of the letters that are none of A to Z, in the beginning of a file."""
    with path.open(encoding=encoding) as file:
        letters = [one for one in file.read(PIECE) if one.isalpha() or one > "\x7f"]
    return sum(one > "\x7f" for one in letters) / max(1, len(letters))


def _undecodable(path: Path, encoding: str) -> int | None:
    """The number of the first line that has no meaning in an encoding."""
    decoder, lines = codecs.getincrementaldecoder(encoding)(), 1
    with path.open("rb") as file:
        try:
            while piece := file.read(PIECE):
                decoder.decode(piece)
                lines += piece.count(b"\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            return lines + piece[: error.start].count(b"\n")
    return None
