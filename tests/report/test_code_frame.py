"""Frames: what is underlined is what is meant, whatever the width and the signs in the line."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.report.code_frame import frame
from advisor.report.style import breadth
from advisor.review.findings import Cause, Finding, Place


def finding(start: int, end: int, *causes: Cause) -> Finding:
    return Finding("r", "error", "m", "", Place("a.yaml", 1, start, 1, end), causes=causes)


def drawn(one: Finding, text: str, width: int) -> list[str]:
    return list(frame(one, text, width, colour=False))


@given(
    before=st.text(st.characters(codec="utf-8", categories=("L", "Nd", "Zs", "Po")), max_size=200),
    value=st.text(st.sampled_from("abc123日本"), min_size=1, max_size=20),
    after=st.text(st.sampled_from("xyz 日"), max_size=200),
    width=st.integers(40, 120),
)
def test_the_underline_stands_below_what_is_meant(before: str, value: str, after: str, width: int) -> None:
    line = before + value + after
    lines = drawn(finding(len(before) + 1, len(before) + len(value) + 1), line, width)
    shown, mark = lines[1], lines[2]
    assert all(breadth(one) <= width for one in lines)
    column = mark.index("^")
    seen, place = 0, 0
    while seen < column:
        seen += breadth(shown[place])
        place += 1
    assert shown[place:].startswith(value)
    assert mark.count("^") == breadth(value)


def test_a_long_line_of_wide_signs_takes_no_longer_than_its_length() -> None:
    line = "日" * 400_000
    start = time.perf_counter()
    lines = drawn(finding(200_000, 200_003), line, 80)
    assert time.perf_counter() - start < 5
    assert lines[2].count("^") == 6


def test_distant_lines_are_parted_and_all_are_numbered() -> None:
    causes = (Cause("a", "here", Place("a.yaml", 1, 1, 1, 2)), Cause("b", "there", Place("a.yaml", 99, 1, 99, 2)))
    one = Finding("r", "error", "m", "", Place("a.yaml", 100, 1, 100, 4), causes=causes)
    text = "\n".join(["x"] * 99 + ["abc"])
    assert drawn(one, text, 80) == [
        "    |",
        "  1 | x",
        "    | - because: here",
        "    :",
        " 99 | x",
        "    | - because: there",
        "100 | abc",
        "    | ^^^",
        "    |",
    ]


def test_a_stretch_over_several_lines_is_underlined_in_its_first() -> None:
    one = Finding("r", "error", "m", "", Place("a.yaml", 1, 4, 3, 1))
    assert drawn(one, "a: b\n   c\nd", 80)[1:3] == ["1 | a: b", "  |    ^"]


def test_words_that_do_not_fit_beside_their_underline_stand_below() -> None:
    cause = Cause("a", "a long story about a number", Place("a.yaml", 1, 30, 1, 34))
    lines = drawn(finding(1, 2, cause), "k" * 40, 50)
    assert [line.strip(" |") for line in lines[3:6]] == ["----", "because: a long story about a number", ""]
    assert all(len(line) <= 50 for line in lines)


@pytest.mark.parametrize("place", [Place("a.yaml", 7, 1, 7, 2), Place("a.yaml", 1, 400, 1, 401)])
def test_a_place_that_is_not_there_draws_nothing_wrong(place: Place) -> None:
    assert all(len(line) <= 60 for line in drawn(Finding("r", "error", "m", "", place), "abc\n", 60))


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    assert "\x1b" not in "".join(drawn(finding(1, 2), "a \x1b[31m red", 60))
