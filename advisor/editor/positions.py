"""Positions: lines and columns of our findings, offsets into the text, and the editor's own units.

YAML ends lines at signs that editors do not, and editors count in UTF-16 unless they agree on something else, so
everything goes by offsets.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol import types
from pygls.workspace import PositionCodec

from advisor.base.yamlfile import BREAK
from advisor.review.findings import Place

_LINE_END = re.compile(r"\r\n|\r|\n")


class Positions:
    """The lines of one text, in YAML's sense and in the editor's."""

    def __init__(self, text: str, codec: PositionCodec) -> None:
        self.text, self.codec = text, codec
        self.yaml = [0, *(one.end() for one in BREAK.finditer(text))]
        self.editor = [0, *(one.end() for one in _LINE_END.finditer(text))]

    def of(self, offset: int) -> types.Position:
        """The editor's position of an offset."""
        line = bisect_right(self.editor, offset) - 1
        return types.Position(line, self.codec.client_num_units(self.text[self.editor[line] : offset]))

    def range(self, start: int, end: int) -> types.Range:
        """The editor's range of two offsets."""
        return types.Range(self.of(start), self.of(end))

    def of_place(self, place: Place) -> types.Range:
        """The editor's range of a finding's place; the first line where it has none."""
        if not place.line:
            return self.range(0, len(_LINE_END.split(self.text, maxsplit=1)[0]))
        start = self._offset(place.line, place.column)
        return self.range(start, max(start, self._offset(place.end_line, place.end_column)))

    def _offset(self, line: int, column: int) -> int:
        if line > len(self.yaml):
            return len(self.text)
        return min(len(self.text), self.yaml[max(line, 1) - 1] + max(column - 1, 0))

    def offset(self, position: types.Position) -> int:
        """The offset of an editor's position; the end of the text behind its last line."""
        line = int(position.line)
        if line >= len(self.editor):
            return len(self.text)
        start, units = self.editor[line], 0
        ends = [*self.editor[1:], len(self.text)]
        for at in range(start, ends[line]):
            if units >= position.character:
                return at
            units += int(self.codec.client_num_units(self.text[at]))
        return ends[line]
