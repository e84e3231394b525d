"""Classes that may not be meant as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from tables import reviews, write

from advisor.compute.data.dataset import load
from advisor.compute.data.label_doubts import doubts


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Pos", "neg", "pos"], ["'Pos', 'pos' are 2 classes, which differ only in capitals or spaces"]),
        (["a b", "a  b", "c"], ["'a b', 'a  b' are 2 classes, which differ only in capitals or spaces"]),
        (["#REF!", "neg", "pos"], ["#REF! counts as a class: a spreadsheet writes that where a formula fails"]),
        (
            ["1,0", "3,5"],
            ["the classes are numbers with a decimal comma, as 1,0: to learn numbers, write them with a point"],
        ),
        (
            ["#N/A", "#REF!", "pos"],
            ["#N/A, #REF! count as classes: a spreadsheet writes that where a formula fails"],
        ),
        (["1,0", "none"], []),
        (["1,000", "2,000"], []),
        (["Maß", "Mass"], []),
        ([], []),
        (["neg", "pos"], []),
        (["0", "1"], []),
    ],
)
def test_what_looks_like_a_slip_is_told(names: list[str], told: list[str]) -> None:
    assert list(doubts(names)) == told


def test_it_is_a_note_of_the_data(tmp_path: Path) -> None:
    table = reviews(40)
    table["label"] = [("Fine" if i % 3 else "fine") if label else "dull" for i, label in enumerate(table["label"])]
    assert load(write(tmp_path / "a.csv", table)).notes == (
        "column 'label': 'Fine', 'fine' are 2 classes, which differ only in capitals or spaces",
    )
