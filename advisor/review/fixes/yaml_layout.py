"""Layout: the position of every part of a YAML text, in flow style and in block style."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from advisor.base.yamlfile import BREAK, Document, Mark
from advisor.review.findings import Path_


def lines_of(text: str) -> list[str]:
    """A text's lines as YAML counts them, each with its line break."""
    ends = [one.end() for one in BREAK.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


class NoRoom(ValueError):
    """The layout of the text leaves no place to change one part alone."""


class Layout:
    """The text of a document with the offset of every part."""

    def __init__(self, document: Document) -> None:
        self.document, self.text = document, document.text
        breaks = list(BREAK.finditer(self.text))
        self.starts = [0, *(one.end() for one in breaks)]
        self.newline = breaks[0][0] if breaks else "\n"
        self.below: dict[Path_, list[Path_]] = {}
        for path in sorted(document.marks, key=lambda path: self._at(document.marks[path])):
            if path:
                self.below.setdefault(path[:-1], []).append(path)

    def _at(self, mark: Mark) -> int:
        return self.starts[mark.line - 1] + mark.column - 1

    def children(self, path: Path_) -> list[Path_]:
        """The parts of a mapping or list, in the order of the text."""
        return self.below.get(path, [])

    def span(self, path: Path_) -> tuple[int, int]:
        """Start and end of a value. A block ends with its last part, not with the comments behind it."""
        mark = self.document.marks[path]
        start = self._at(mark)
        if self.children(path) and not self.is_flow(path):
            return start, max(self.span(child)[1] for child in self.children(path))
        end = self.starts[mark.end_line - 1] + mark.end_column - 1
        return start, start + len(self.text[start:end].rstrip())

    def key_span(self, path: Path_) -> tuple[int, int]:
        """Start and end of a key."""
        mark = self.document.keys[path]
        return self._at(mark), self.starts[mark.end_line - 1] + mark.end_column - 1

    def is_flow(self, path: Path_) -> bool:
        """Is it written in brackets or braces?"""
        mark = self.document.marks[path]
        value = self.text[self._at(mark) : self._at(mark) + 1]
        return value in ("{", "[") and (mark.line, mark.column) != (mark.end_line, mark.end_column)

    def whole(self, path: Path_) -> tuple[int, int]:
        """Start and end of a part with its key, or with the dash of a list in block style."""
        start, end = self.span(path)
        if path in self.document.keys:
            key, key_end = self.key_span(path)
            return key, max(end, key_end + len(self._colon(key_end)))
        if self.is_flow(path[:-1]):
            return start, end
        before = self.text[:start].rstrip()
        if not before.endswith("-"):
            raise NoRoom("there is something between the dash and its value")
        return len(before) - 1, max(end, len(before))

    def _colon(self, key_end: int) -> str:
        found = re.compile(r"\s*:").match(self.text, key_end)
        return found[0] if found else ""

    def line_start(self, at: int) -> int:
        return max(start for start in self.starts if start <= at)

    def line_end(self, at: int) -> int:
        """The offset behind the line that a place is in, its line break included."""
        return next((start for start in self.starts if start > at), len(self.text))

    def leads_its_line(self, at: int) -> bool:
        return not self.text[self.line_start(at) : at].strip()

    def replaced(self, start: int, end: int, new: str) -> str:
        return self.text[:start] + new + self.text[end:]

    def without(self, path: Path_) -> str:
        """The text without one part."""
        siblings = self.children(path[:-1])
        place = siblings.index(path)
        start, end = self.whole(path)
        if self.is_flow(path[:-1]):
            return self._without_in_flow(siblings, place)
        if len(siblings) == 1:
            raise NoRoom("it is the only one, and nothing would be left")
        if self.leads_its_line(start):
            return self.replaced(self.line_start(start), self.line_end(end), self._left_of(path, start, end))
        following = self.whole(siblings[place + 1])[0]
        if self.text[end:following].strip():
            raise NoRoom("a comment follows it")
        return self.replaced(start, following, "")

    def _left_of(self, path: Path_, start: int, end: int) -> str:
        """What stays of the lines of a part: the comment behind a key. One behind an item is about the item."""
        behind = self.text[end : self.line_end(end)]
        if isinstance(path[-1], int) or not behind.strip():
            return ""
        return self.text[self.line_start(start) : start] + behind.lstrip()

    def _without_in_flow(self, siblings: Sequence[Path_], place: int) -> str:
        start, end = self.whole(siblings[place])
        if place + 1 < len(siblings):
            gap, to = self.text[end : self.whole(siblings[place + 1])[0]], self.whole(siblings[place + 1])[0]
            return self.replaced(start, to if not _says_more(gap) else end + gap.index(",") + 1, "")
        from_ = self.whole(siblings[place - 1])[1] if place else start
        comma = re.compile(r"\s*,").match(self.text, end)
        if _says_more(self.text[from_:start]):
            return self.replaced(start, comma.end() if comma else end, "")
        return self.replaced(from_, end, "") if place else self.replaced(start, comma.end() if comma else end, "")

    def with_key(self, path: Path_, entry: str) -> str:
        """The text with another entry at the end of a mapping; a step without settings gets its first one."""
        holder = path[:-1]
        children = self.children(holder)
        start, end = self.span(holder)
        if self.is_flow(holder):
            at = self.whole(children[-1])[1] if children else start + 1
            return self.replaced(at, at, f", {entry}" if children else entry)
        if children:
            indent = self.whole(children[0])[0] - self.line_start(self.whole(children[0])[0])
            return self._with_line(end, " " * indent + entry)
        old = self.text[start:end]
        if not old:
            return self.replaced(start, end, f" {{{entry}}}")
        raise NoRoom(f"{old} takes no settings")

    def _with_line(self, after: int, line: str) -> str:
        """The text with another line behind the one that holds a place."""
        at = self.line_end(max(after - 1, 0))
        ends = at == 0 or BREAK.search(self.text[at - 2 if self.text[at - 2 : at] == "\r\n" else at - 1 : at])
        return self.replaced(at, at, line + self.newline if ends else self.newline + line)

    def with_item(self, path: Path_, item: str) -> str:
        """The text with another item in a list, at a path."""
        holder, place = path[:-1], int(path[-1])
        items = self.children(holder)
        if self.is_flow(holder):
            at = self.whole(items[place])[0] if place < len(items) else self.whole(items[-1])[1]
            return self.replaced(at, at, f"{item}, " if place < len(items) else f", {item}")
        dash = self.whole(items[0])[0]
        if not self.leads_its_line(dash):
            raise NoRoom("the list begins behind something else")
        line = self.text[self.line_start(dash) : dash] + f"- {item}"
        if place:
            return self._with_line(self.whole(items[place - 1])[1], line)
        at = self._body(holder, dash)
        return self.replaced(at, at, line + self.newline)

    def _body(self, holder: Path_, dash: int) -> int:
        """Where the lines of a list in block style begin; comments above its first item belong to that item."""
        return self.line_end(self.key_span(holder)[0]) if holder in self.document.keys else self.line_start(dash)

    def moved(self, path: Path_, to: int) -> str:
        """The text with an item of a list at another index; in block style the lines above it move along."""
        items = self.children(path[:-1])
        order = list(range(len(items)))
        order.insert(to, order.pop(int(path[-1])))
        spans = [self.whole(item) for item in items]
        if not self.is_flow(path[:-1]):
            spans = self._chunks(path[:-1], spans)
        pieces = [self.text[start:end] for start, end in spans]
        gaps = [self.text[one[1] : other[0]] for one, other in pairwise(spans)]
        if not self.is_flow(path[:-1]):
            pieces = [piece if BREAK.search(piece[-1:]) else piece + self.newline for piece in pieces]
        body = "".join(pieces[place] + gap for place, gap in zip(order, [*gaps, ""], strict=True))
        if not self.is_flow(path[:-1]) and not BREAK.search(self.text[spans[-1][1] - 1 : spans[-1][1]]):
            body = body.removesuffix(self.newline)
        return self.replaced(spans[0][0], spans[-1][1], body)

    def _chunks(self, holder: Path_, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Whole lines for each item of a block: from the end of the one before to its own end."""
        if not all(self.leads_its_line(start) for start, _ in spans):
            raise NoRoom("an item does not begin its line")
        ends = [self.line_end(max(end - 1, start)) for start, end in spans]
        return list(zip([self._body(holder, spans[0][0]), *ends], ends, strict=False))


def _says_more(gap: str) -> bool:
    """Is there a comment between two parts?"""
    return "#" in gap
