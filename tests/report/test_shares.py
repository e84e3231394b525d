"""Emissions that nobody measured are called time-derived wherever they stand, and have no decimal of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import small_runs
import small_searches

from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import Measured, RunResult
from advisor.report import compare, history, html, seeds
from advisor.report.search import page, screen
from advisor.report.shares import emissions_head_of
from advisor.runs.finished import read
from advisor.runs.seed_statistics import gathered

DERIVED = f"{TIME_DERIVED}: this process's processor time at 4 W a thread"
METERED, GUESSED = Measured(0.5, source="energy counters"), Measured(0.31, source=DERIVED)


def derived() -> RunResult:
    """A run none of whose emissions were measured."""
    made = small_runs.result()
    steps = tuple(
        replace(one, served=replace(one.served, emissions=replace(one.served.emissions, source=DERIVED)))
        for one in made.steps
    )
    return replace(made, steps=steps)


def test_the_head_of_a_column_tells_whole_percents_from_metered_ones() -> None:
    assert emissions_head_of([METERED, METERED]) == "% Emissions"
    assert emissions_head_of([GUESSED, Measured(why_not="no device")]) == f"% Emissions, {TIME_DERIVED}"
    assert emissions_head_of([GUESSED, METERED]) == f"% Emissions, whole ones {TIME_DERIVED}"


def test_past_runs_show_them_without_a_decimal(tmp_path: Path) -> None:
    told = history.table([small_runs.record(tmp_path / "run", derived())])
    assert " 33% " in told and "33.0%" not in told and "31.0%!" in told
    assert told.endswith(f"emissions without a decimal are {TIME_DERIVED}\n")
    assert TIME_DERIVED not in history.table([small_runs.record(tmp_path / "metered")])


def test_several_seeds_show_them_without_a_decimal() -> None:
    shown = seeds.table(gathered([derived()] * 2, range(2), ["seed-0", "seed-1"]))
    assert list(shown.columns[-1].cells)[-1] == "33%" and list(shown.columns[-2].cells)[-1] == "31.0%"
    assert TIME_DERIVED in str(shown.columns[-1].header)


def test_no_mean_is_made_of_metered_and_time_derived_ones(tmp_path: Path) -> None:
    one, other = (read(small_runs.write(tmp_path / name, made)) for name, made in (("a", derived()), ("b", None)))
    (both,) = compare.means([one, other])
    assert both.shares["emissions"].why_not == "some are time-derived, others metered"
    (alike,) = compare.means([one, one])
    assert alike.shares["emissions"].source.startswith(TIME_DERIVED) and alike.shares["time"].value is not None


def test_a_drawing_names_them(tmp_path: Path) -> None:
    made = html.render([read(small_runs.write(tmp_path / "run", derived()))])
    assert f"Accuracy against emissions, {TIME_DERIVED}" in made
    assert "at emissions 33%" in made and "at emissions 33.0%" not in made
    assert f"emissions, {TIME_DERIVED}" not in html.render([read(small_runs.write(tmp_path / "metered"))])


def test_a_search_names_them() -> None:
    ended = small_searches.ended()
    trial = replace(ended.trials[0], emissions=GUESSED)
    assert "emissions 0.31 (time-derived)" in screen.line(trial)
    made = page.render(replace(ended, trials=(trial, *ended.trials[1:])))
    assert f"Accuracy against emissions, {TIME_DERIVED}" in made and "at emissions 31%" in made
