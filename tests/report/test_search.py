"""A search on a page and on the screen: every trial is told of, and nothing hostile leaves its place."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import browser
import pytest
import small_searches
from rich.console import Console

from advisor.cli import main
from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import Measured
from advisor.records.search import SearchResult
from advisor.report.search import charts, page, tables, view
from advisor.report.search.screen import Screen
from advisor.tuning import folder

needs_browser = pytest.mark.skipif(browser.path() is None, reason="no Chromium is installed")
EMPTY = replace(small_searches.going(), trials=(), frontier=(), excluded=(), agreement=(), forecast=None)


def test_states_and_sentences() -> None:
    going, ended = small_searches.going(), small_searches.ended()
    states = [view.state(trial, going) for trial in going.trials]
    assert states == ["front", "front", "dominated", "front", "stopped", "failed"]
    assert view.counts(going) == "6 recipes tried: 3 on the front, 1 dominated, 1 stopped, 1 failed"
    assert view.verdict(going) == "The search has not ended"
    assert view.verdict(ended) == "8 of 12 layers, int8 meets all goals"
    lost = replace(ended, front=ended.front[1:], nearest="4 of 12 layers comes nearest")
    assert view.verdict(lost) == "4 of 12 layers comes nearest"
    assert view.verdict(replace(EMPTY, stopped="the budget is spent")) == "No recipe was measured"


def test_the_front_is_of_selection_rows_until_the_search_ends() -> None:
    assert [(row.trial, row.seeds) for row in view.front(small_searches.going())] == [(3, 0), (1, 0), (0, 0)]
    second, first = view.front(small_searches.ended())  # the cheapest first
    assert (first.seeds, first.kept.value) == (3, pytest.approx(0.984))
    assert first.kept.interval == (pytest.approx(0.972), pytest.approx(0.996)), "the widest ends of three seeds"
    assert (second.recipe, second.meets["relative_accuracy"]) == ("recipes/1.yaml", False)
    assert [(goal.points, goal.of) for goal in view.goals(small_searches.ended())] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("what", ["warning", "refused"])
def test_a_point_with_a_warning_meets_no_goal(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    ended = small_searches.ended()
    why: Any = {what: "the baseline is no better than one constant answer"}
    first = ended.front[0]
    worthless = replace(first, meets=dict.fromkeys(first.meets, False), **why)
    warned = replace(ended, front=(worthless, *ended.front[1:]), nearest="8 of 12 layers comes nearest")
    assert view.verdict(warned) == "8 of 12 layers comes nearest"
    assert [(goal.points, goal.of) for goal in view.goals(warned)] == [(0, 2), (1, 2)]
    tables.show(warned)
    shown = capsys.readouterr()
    assert "see the note" in shown.out and "no better than one constant" in shown.err
    assert shown.out.count("misses") == 1, "what a note spoils misses nothing by its numbers"
    assert "no better than one constant" in page.render(warned) and page.render(warned).count("see below") == 1


def test_a_mean_needs_every_seed() -> None:
    one, gone = Measured(0.9, interval=(0.8, 1.0)), Measured(why_not="the machine was busy")
    assert view.over([one, gone]) is gone
    assert view.over([one, Measured(0.7)]) == Measured(pytest.approx(0.8))
    assert view.over([]).value is None


def test_what_was_left_out_stands_by_rule_and_costs_beside_their_forecast() -> None:
    going = small_searches.going()
    assert [(group.rule, len(group.recipes), len(group.reasons)) for group in view.excluded(going)] == [
        ("layers/at-least-two", 2, 1), (view.SIZES, 1, 1),
    ]  # fmt: skip
    assert [tuple(row) for row in view.costs(going)] == [
        ("time by the clock", "20 min", "1 h 30 min"), ("time of work", "30 min", ""),
        ("energy", "40 Wh, 1 step not counted", "120 Wh"),
        ("CO2e", "2.25 g, 1 step not counted", ""),
    ]  # fmt: skip
    uncounted = replace(going, spent=replace(going.spent, wh=0.0, g_co2=0.0))
    assert [row.spent for row in view.costs(uncounted)][2:] == ["not counted"] * 2


def test_the_whole_search_has_to_be_paid_back_by_one_model(capsys: pytest.CaptureFixture[str]) -> None:
    """2.25 g, and 0.31 of the baseline's 0.1 g for 1,000 requests: 2.25 / 0.069 thousand."""
    ended = small_searches.ended()
    trials = (replace(ended.trials[0], g_per_1000=Measured(0.031, source="counted")), *ended.trials[1:])
    counted = replace(ended, trials=trials, spent=replace(ended.spent, uncounted=0))
    said = (
        "8 of 12 layers, int8 pays the whole search back after 33,000 requests (32,000 to 34,000): it emitted 2.25 g "
    )
    said += "CO2e, failed and stopped recipes included"
    assert view.paid_back(counted) == f"{said}; 100,000 are expected"
    assert view.paid_back(replace(counted, requests=None)) == said
    derived = Measured(0.31, source=f"{TIME_DERIVED}: this process's processor time")
    told = replace(counted, trials=(replace(trials[0], emissions=derived), *trials[1:]))
    assert f"2.25 g CO2e, {TIME_DERIVED}, failed" in view.paid_back(told)
    assert [row.quantity for row in view.costs(told)][2:] == [f"energy, {TIME_DERIVED}", f"CO2e, {TIME_DERIVED}"]
    assert "not known" in view.paid_back(ended) and "1 of its steps" in view.paid_back(ended)
    assert view.paid_back(EMPTY) == ""
    tables.show(counted)
    assert said in " ".join(capsys.readouterr().out.split()) and said in page.render(counted)


def test_time_stands_for_emissions_that_nobody_measured() -> None:
    going = small_searches.going()
    gone = tuple(replace(one, emissions=Measured(why_not="no counters")) for one in going.trials)
    assert view.cost(going)[0] == "emissions"
    assert view.cost(replace(going, trials=gone))[0] == "time"
    assert view.cost(replace(going, goals={"latency_ms": "<= 9"}))[0] == "time"
    assert "Accuracy kept against time" in charts.accuracy_against_cost(replace(going, trials=gone))


def test_drawings_tell_every_trial_in_words() -> None:
    ended = small_searches.ended()
    front, rungs, choices = charts.accuracy_against_cost(ended), charts.rungs(ended), charts.choices(ended)
    assert "8 of 12 layers, dominated: accuracy 98.4% at emissions 66.0%" in front
    assert "3 of 12 layers: 80.0% at 0, 88.0% at 1/9" in rungs
    assert "2 of 12 layers: the disk is full" in rungs
    assert "layers 3, choose spread, int8 no, accuracy 88.0%" in choices
    assert len({len(set(re.findall(r'id="(\w+)-', one))) for one in (front, rungs, choices)}) == 1
    assert all(not re.search("#0[12]0[23]", one) for one in (front, rungs, choices)), "a colour that is no variable"


@pytest.mark.parametrize("draw", [charts.accuracy_against_cost, charts.rungs, charts.choices])
def test_nothing_measured_is_no_drawing(draw: Callable[[SearchResult], str]) -> None:
    assert draw(EMPTY) == ""


def test_the_page_of_a_search_without_trials_says_so() -> None:
    text = page.render(EMPTY)
    assert "No recipe has been tried" in text
    assert ">–<" in text  # no forecast
    assert "<svg" not in text


def test_nothing_hostile_leaves_its_place() -> None:
    bad = "</desc><script>alert(1)</script>\x1b[2J"
    going = small_searches.going()
    trials = (replace(going.trials[0], name=bad, why=bad, choices={bad: bad}), *going.trials[1:])
    excluded = (replace(going.excluded[0], name=bad, rule=bad, reason=bad),)
    hostile = replace(
        going, model=bad, data=bad, budget=bad, trials=trials, excluded=excluded, nearest=bad, notes=(bad,),
        axes={bad: (bad, 1), **going.axes}, goals={bad: bad}, provenance={bad: {bad: bad}},
    )  # fmt: skip
    assert "<script" not in page.render(hostile)
    shown = io.StringIO()
    console = Console(file=shown, width=120)
    for part in (tables.front(hostile), tables.excluded(hostile)):
        console.print(part)
    assert "\x1b" not in shown.getvalue()


def test_the_screen_shows_the_front_and_why_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(small_searches.ended())
    text = " ".join(capsys.readouterr().out.split())
    for words in (
        "The front on the report rows", "misses accuracy", "layers/at-least-two", "0 and 1/9 │ 2 │ -",
        "It ended: the goals are met with certainty.", "8 of 12 layers, int8 meets all goals",
    ):  # fmt: skip
        assert words in text


def test_lines_say_when_the_front_changes(capsys: pytest.CaptureFixture[str]) -> None:
    going = small_searches.going()
    first = replace(going, frontier=(0,))
    events = [first, going.trials[4], going.trials[5], going, going, small_searches.ended()]
    assert Screen(True).show(events) is events[-1]
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "  trial 4: 3 of 12 layers: 1/9 of the training: keeps 0.88 (0.87-0.89)",
        "  trial 5: 2 of 12 layers: failed: the disk is full: 12 MB are free",
        "  the front so far: 4 of 12 layers, int8 keeps 0.93 (0.92-0.94), emissions 0.16 (0.14-0.18); "
        "6 of 12 layers, int8 keeps 0.97 (0.96-0.98), emissions 0.24 (0.22-0.26); "
        "8 of 12 layers, int8 keeps 0.98 (0.97-0.99), emissions 0.31 (0.29-0.33)",
    ]


def test_a_search_that_has_not_ended_is_shown_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.write(tmp_path, small_searches.going())
    assert main(["report", str(tmp_path)]) == 0
    assert "6 recipes tried: 3 on the front, 1 dominated" in capsys.readouterr().out
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "page.html")]) == 0
    assert "The front so far" in (tmp_path / "page.html").read_text()
    assert main(["report", str(tmp_path), "--format", "json"]) == 2
    assert main(["report", str(tmp_path), "--requests", "1000"]) == 2
    assert capsys.readouterr().err.count("is shown alone") == 2


@needs_browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.slow
def test_a_browser_shows_a_search(width: int, tmp_path: Path) -> None:
    file = tmp_path / "search.html"
    file.write_text(page.render(small_searches.ended()))
    seen = browser.look(file, width)
    assert seen["width"] == width, "the page is wider than the screen"
    for words in (
        "8 of 12 layers, int8 meets all goals", "✓ the goals are met", "Never tried: 3", "1 h 30 min", "+0.67",
        "the disk is full: 12 MB are free", "fewer than 3 trials", "relative_accuracy 0.958",
    ):  # fmt: skip
        assert words in seen["text"]
    assert len(seen["titles"]) == 3
    assert (seen["scripts"], seen["links"]) == (0, [])


@needs_browser
@pytest.mark.slow
def test_light_and_dark_reach_the_drawings(tmp_path: Path) -> None:
    file = tmp_path / "search.html"
    file.write_text(page.render(small_searches.going()))
    light, dark = browser.look(file, 1280), browser.look(file, 1280, dark=True)
    assert all(light[name] != dark[name] for name in ("background", "ink", "drawing"))
