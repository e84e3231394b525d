"""Several seeds on the screen: names are text, and what is told of all seeds is a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import small_runs

from advisor.records.results import Measured
from advisor.report import seeds
from advisor.runs.seed_statistics import SeedsResult, gathered


def of(count: int, name: str = "bert-sst2") -> SeedsResult:
    runs = [small_runs.result(name=name)] * count
    return gathered(runs, range(count), [f"seed-{seed}" for seed in range(count)])


@pytest.mark.parametrize("name", ["[red]x[/]", "a [/b]", "a :100: b"])
def test_names_are_text_and_no_markup(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    seeds.show(replace(of(2, name), summary="may be worthless"))
    shown = capsys.readouterr().out
    assert f"{name}: may be worthless\n" in shown
    assert f"{name}, 2 seeds: mean ± standard deviation" in shown


@pytest.mark.parametrize(("count", "words"), [(1, "Making 1 model,"), (3, "Making 3 models,")])
def test_the_payback_is_that_of_all_models(count: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    seeds.show(replace(of(count), payback=Measured(62_000.0, interval=(60_000.0, 65_000.0))))
    told = f"{words} of which one is served, pays back after 62,000 requests (60,000 to 65,000)."
    assert told in capsys.readouterr().out


def test_without_gates_there_is_no_table_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    seeds.show(replace(of(2), gates=()))
    assert "Gates" not in capsys.readouterr().out
