"""Where in a YAML file the cursor stands, also while the text around it is not valid YAML yet."""

from __future__ import annotations

import re
from typing import NamedTuple

ITEM = "[]"  # stands for an item of a list in a path
_KEY = re.compile(r"""(?P<quote>["']?)(?P<key>[^\s"'{}\[\],:#][^"'{}\[\],:#]*)(?P=quote)\s*:(?=\s|$)""")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_BLOCK = re.compile(r"[|>][-+\d]*\s*$")
_SIGNS = re.compile(r"""\s+|[{}\[\],:]|"[^"]*"?|'[^']*'?|[^\s{}\[\],:"']+""")


class Cursor(NamedTuple):
    """The mapping or list around the cursor (`path`), the key whose value is written (None for a key), and its word."""

    path: tuple[str, ...]
    key: str | None
    word: str

    @property
    def field(self) -> tuple[str, ...]:
        """The path of what the word belongs to: of the value's key, or of the key that the word is."""
        return (*self.path, self.word if self.key is None else self.key)


class _Blocks:
    """The block mappings and lists that are open, by their indentation."""

    def __init__(self) -> None:
        self.open: list[tuple[int, str]] = []

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(name for _, name in self.open)

    def leave(self, indent: int, dash: bool = False) -> None:
        """Close what does not contain a line of this indentation; a list may stand as deep as its key."""
        while self.open and (self.open[-1][0] > indent or (self.open[-1][0] == indent and not self._holds(dash))):
            self.open.pop()

    def _holds(self, dash: bool) -> bool:
        return dash and self.open[-1][1] != ITEM

    def enter(self, indent: int, name: str) -> None:
        self.open.append((indent, name))


def cursor(text: str) -> Cursor:
    """Where the end of a text is. text: the file up to the cursor."""
    blocks, lines, at = _Blocks(), text.split("\n"), 0
    found = Cursor((), None, "")
    while at < len(lines):
        line, indent = lines[at], len(lines[at]) - len(lines[at].lstrip(" "))
        last = at == len(lines) - 1
        if not line.strip() and not last:
            at += 1
            continue
        indent, body = _items(blocks, indent, line[indent:])
        blocks.leave(indent)
        key = _KEY.match(body)
        found = Cursor(blocks.path, None, body.strip())
        if key:
            blocks.enter(indent, key["key"])
            body = body[key.end() :].lstrip(" ")
            found = Cursor(blocks.path[:-1], key["key"], body)
        if body[:1] in "{[" and body:
            rest = "\n".join([body, *lines[at + 1 :]])
            inner, used = _flow(rest)
            if inner is not None:
                return Cursor((*blocks.path, *inner.path), inner.key, inner.word)
            at += rest[:used].count("\n")
        elif key and _BLOCK.match(body):
            at += _block_text(lines[at + 1 :], indent)
        at += 1
    return found


def _items(blocks: _Blocks, indent: int, body: str) -> tuple[int, str]:
    """Enter the list items that a line starts; what is left of the line, and how deep it stands."""
    while body.startswith("- ") or body == "-":
        blocks.leave(indent, dash=True)
        blocks.enter(indent, ITEM)
        rest = body[1:].lstrip(" ")
        indent += len(body) - len(rest)
        body = rest
    return indent, _COMMENT.sub("", body)


def _block_text(lines: list[str], indent: int) -> int:
    """How many lines a literal or folded text takes."""
    inside = [not line.strip() or len(line) - len(line.lstrip(" ")) > indent for line in lines]
    return inside.index(False) if False in inside else max(0, len(lines) - 1)


def _flow(text: str) -> tuple[Cursor | None, int]:
    """Where the end of a text is in a flow collection that it starts with; None and its length where that ends."""
    open_: list[tuple[str, str | None]] = []  # for each collection: its sign, and the key whose value comes
    word = ""
    for found in _SIGNS.finditer(text):
        sign = found[0]
        if sign in "{[":
            open_.append((sign, None))
        elif sign in "}]":
            open_.pop()
            if not open_:
                return None, found.end()
        elif sign == ":":
            open_[-1] = (open_[-1][0], word)
        elif sign == ",":
            open_[-1] = (open_[-1][0], None)
        elif sign.strip():
            word = sign.strip("\"'")
            continue
        word = word if sign[0].isspace() and found.end() < len(text) else ""
    path = tuple(ITEM if kind == "[" else key or "" for kind, key in open_[:-1])
    kind, key = open_[-1]
    if kind == "[":
        return Cursor((*path, ITEM), None, word), len(text)
    return Cursor(path, key, word), len(text)
