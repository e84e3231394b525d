"""Where the cursor is, in text that is still being written."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.editor.completion import suggestions
from advisor.editor.cursor import Cursor, cursor
from advisor.editor.hover import hover
from advisor.editor.kinds import Kind
from advisor.policy.pack import core

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Cursor((), None, "")),
        ("na", Cursor((), None, "na")),
        ("name: ab", Cursor((), "name", "ab")),
        ("data:\n  sam", Cursor(("data",), None, "sam")),
        ("data:\n  samples: 1\n  ", Cursor(("data",), None, "")),
        ("data:\n  samples: 1\n", Cursor((), None, "")),
        ("steps:\n- finetune:\n    epochs: 3\n    ", Cursor(("steps", "[]", "finetune"), None, "")),
        ("steps:\n- finetune: {}\n- lay", Cursor(("steps", "[]"), None, "lay")),
        ("steps:\n  - finetune: {}\ntraining:\n  se", Cursor(("training",), None, "se")),
        ("a: {b: [1, {c: {d: 1}, e", Cursor(("a", "b", "[]"), None, "e")),
        ("a: {b: 'x, y', c: z", Cursor(("a",), "c", "z")),
        ("a: {b: 1,\n  c: [x, ", Cursor(("a", "c", "[]"), None, "")),
        ("a: {b: 1}\nc", Cursor((), None, "c")),
        ("because: |\n  not: a key\n  more\nwhen:\n  ", Cursor(("when",), None, "")),
        ("a: 1  # b: {c\nd", Cursor((), None, "d")),
        ('"a b": x', Cursor((), "a b", "x")),
    ],
)
def test_the_cursor_is_found_by_indentation_and_brackets(text: str, expected: Cursor) -> None:
    assert cursor(text) == expected


@pytest.mark.parametrize(
    ("kind", "file"),
    [("recipe", "recipes/bert-two-thirds.yaml"), ("rule", "rules/core/device/quantize-cpu-only.yaml")],
)
def test_nothing_that_is_half_written_ends_in_an_error(kind: Kind, file: str) -> None:
    text, policy = (CHECKOUT / file).read_text(), core()
    for end in range(0, len(text), 7):
        for before in (text[:end], text[:end] + "{", text[:end] + "]: - '"):
            suggestions(kind, before, policy.rules[:2])
            hover(kind, before, end, lambda start, end: (), None)
