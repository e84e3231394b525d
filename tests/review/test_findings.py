"""Findings: what identifies them, what counts, and the exit code that stands for all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.review.findings import INVALID, Finding, Place, Waiver, at
from advisor.review.outcome import EXIT_WORDS, exit_code, gravest

ONE = Finding(
    "gradual", "error", "m", "b", Place("a.yaml", 3, 5, 3, 9), ("steps", 1, "matrix_pruning", "increments"), "2"
)
WAIVER = Waiver("gradual", "", "measured", "anna", "2027-01-31")


def test_a_fingerprint_is_rule_place_in_the_tree_and_value() -> None:
    moved = replace(ONE, place=Place("a.yaml", 30, 5, 30, 9), message="other words")
    assert moved.fingerprint == ONE.fingerprint
    for other in (replace(ONE, rule="x"), replace(ONE, value="3"), replace(ONE, path=("steps",))):
        assert other.fingerprint != ONE.fingerprint


def test_a_pointer_escapes_what_a_key_may_hold() -> None:
    assert ONE.pointer == "/steps/1/matrix_pruning/increments"
    assert replace(ONE, path=("a/b", "c~d")).pointer == "/a~1b/c~0d"


@pytest.mark.parametrize(
    ("findings", "fail_on", "code"),
    [
        ([], "note", 0),
        ([ONE], "error", 1),
        ([replace(ONE, severity="warning")], "error", 0),
        ([replace(ONE, severity="warning")], "warning", 1),
        ([replace(ONE, severity="note")], "note", 1),
        ([replace(ONE, waiver=WAIVER)], "note", 0),
        ([replace(ONE, known=True)], "note", 0),
        ([ONE, replace(ONE, rule=INVALID)], "error", 2),
    ],
)
def test_the_exit_code_of_findings(findings: list[Finding], fail_on: str, code: int) -> None:
    assert exit_code(findings, fail_on) == code


@given(st.lists(st.sampled_from(sorted(EXIT_WORDS)), min_size=1))
def test_of_several_exit_codes_the_gravest_stands_for_all(codes: list[int]) -> None:
    found = gravest(*codes)
    assert found in codes
    assert (found == 0) == (set(codes) == {0})
    assert (found == 2) == (2 in codes)
    assert found != 5 or not {1, 2, 3, 4} & set(codes)


def test_what_stands_at_a_path() -> None:
    value = {"steps": [{"finetune": {"b": 1, "a": None}}]}
    assert at(value, ("steps", 0, "finetune")) == '{"a": null, "b": 1}'
    assert at(value, ("steps", 1)) == at(value, ("steps", "x")) == at(None, ("a",)) == ""
