"""Waivers: one function decides, dates fail closed, and what is wrong with a waiver is a finding of its own."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from advisor.review.findings import FITS, INVALID, Finding, Place, Waiver
from advisor.review.waivers.rules import MALFORMED, MOST_DAYS, TOO_LONG
from advisor.review.waivers.waivers import Terms, excuses, settle, standing

TODAY = date(2026, 11, 24)
RULE = "small-data-few-layers"


def finding(file: str = "recipes/bert.yaml", rule: str = RULE, line: int = 9) -> Finding:
    path = ("steps", 1, "layer_removal", "keep")
    return Finding(rule, "error", "keep is 4", "because", Place(file, line, 5, line, 9), path)


def waiver(until: str = "2026-12-31", where: str = "", rule: str = RULE, **fields: str) -> Waiver:
    place = Place(fields.pop("home", "waivers.yaml"), 2, 5, 2, 9)
    given = {"reason": "a trial", "owner": "anna", **fields}
    more = (given.get("approver", ""), given.get("ticket", ""))
    return Waiver(rule, where, given["reason"], given["owner"], until, "external", place, *more)


def told(*waivers: Waiver, findings: tuple[Finding, ...] = (finding(),), judged: bool = True) -> list[str]:
    """The rules of the findings that count, after waiving."""
    marked = settle(findings, waivers, {RULE, "gradual-width"}, TODAY, judged=lambda _: judged)
    return [one.rule for one in marked if one.counts]


@pytest.mark.parametrize(
    ("until", "holds"),
    [
        ("2026-11-24", True),  # its last day belongs to it
        ("2026-11-23", False),
        ("2027-05-23", True),  # 180 days
        ("2027-05-24", False),
        ("2026-02-30", False),
        ("20261231", False),
        ("2026-12-31T00:00", False),
        ("31.12.2026", False),
        ("soon", False),
        ("", False),
        ("٢٠٢٦-١٢-٣١", False),
    ],
)
def test_when_a_waiver_holds(until: str, holds: bool) -> None:
    assert excuses(waiver(until), finding(), TODAY) is holds


@given(st.dates(), st.dates(), st.integers(1, 1000))
@example(date.max, date.max, 365)  # no day comes after it
@example(date.min, date.max, 10**10)
def test_a_waiver_holds_from_some_days_before_its_last_day_to_that_day(today: date, last: date, most: int) -> None:
    holds = excuses(waiver(last.isoformat()), finding(), today, Terms(most))
    assert holds == (0 <= (last - today).days <= most)


@given(st.text())
def test_a_date_of_any_other_form_is_malformed(until: str) -> None:
    # Generated text is hardly ever a date; where it is one, the waiver is well-formed.
    try:
        date.fromisoformat(until)
    except ValueError:
        assert standing(waiver(until), TODAY) == "malformed"


@pytest.mark.parametrize("nothing", ["", " ", "\u200b"])
@pytest.mark.parametrize("missing", ["reason", "owner"])
def test_a_waiver_without_reason_or_owner_excuses_nothing(missing: str, nothing: str) -> None:
    assert not excuses(waiver(**{missing: nothing}), finding(), TODAY)
    assert told(waiver(**{missing: nothing})) == [RULE, MALFORMED]


@pytest.mark.parametrize(
    ("where", "home", "covered"),
    [
        ("", "waivers.yaml", True),
        ("recipes/*.yaml", "waivers.yaml", True),
        ("*.yaml", "waivers.yaml", True),  # a bare name fits in every folder
        ("bert.yaml", "waivers.yaml", True),
        ("recipes/", "waivers.yaml", True),
        ("**/bert.yaml", "waivers.yaml", True),
        ("./recipes/bert.yaml", "waivers.yaml", True),
        ("recipes/t5*.yaml", "waivers.yaml", False),
        ("recipes/b?rt.yaml", "waivers.yaml", True),
        ("recipes/bert.yaml", "recipes/waivers.yaml", False),  # globs count from the file's own folder
        ("./bert.yaml", "recipes/waivers.yaml", True),
        ("/steps/1", "waivers.yaml", True),
        ("/steps/1/layer_removal/keep", "waivers.yaml", True),
        ("/steps/*/layer_removal", "waivers.yaml", True),
        ("/steps/1/layer", "waivers.yaml", False),
        ("/steps/2", "waivers.yaml", False),
        ("/steps/1/layer_removal/keep/more", "waivers.yaml", False),
        ("recipes/bert.yaml#/steps/1", "waivers.yaml", True),
        ("recipes/t5.yaml#/steps/1", "waivers.yaml", False),
        ("recipes/bert.yaml#/steps/2", "waivers.yaml", False),
        ("recipes/[b]ert.yaml", "waivers.yaml", False),  # brackets mean themselves
    ],
)
def test_where_a_waiver_reaches(where: str, home: str, covered: bool) -> None:
    assert excuses(waiver(where=where, home=home), finding(), TODAY) is covered


def test_a_star_stays_in_its_folder() -> None:
    assert not excuses(waiver(where="recipes/*.yaml"), finding("recipes/old/bert.yaml"), TODAY)
    assert excuses(waiver(where="recipes/**.yaml"), finding("recipes/old/bert.yaml"), TODAY)


def test_a_waiver_in_a_recipe_is_about_that_recipe_only() -> None:
    mine = Waiver(RULE, "", "a trial", "anna", "2026-12-31", "inSource", Place("recipes/t5.yaml", 3, 1))
    assert excuses(mine, finding("recipes/t5.yaml"), TODAY)
    assert not excuses(mine, finding("recipes/bert.yaml"), TODAY)


def test_what_was_waived_stays_and_does_not_count() -> None:
    (marked,) = settle([finding()], [waiver()], {RULE}, TODAY)
    assert marked.waiver == waiver()
    assert not marked.counts


@pytest.mark.parametrize(
    ("one", "rules"),
    [
        (waiver("2026-11-23"), [RULE, "waiver-expired"]),
        (waiver("2026-12-07"), ["waiver-expires-soon"]),
        (waiver("2026-12-08"), []),
        (waiver("2027-05-24"), [RULE, "waiver-too-long"]),
        (waiver("tomorrow"), [RULE, "waiver-malformed"]),
        (waiver(where="t5.yaml"), [RULE, "waiver-unused"]),
        (waiver("2026-11-01", where="t5.yaml"), [RULE, "waiver-unused"]),
        (waiver(rule="small-data-few-layer"), [RULE, "waiver-unknown-rule"]),
        (waiver(rule=FITS), [RULE, "waiver-unknown-rule"]),
    ],
)
def test_what_is_said_about_a_waiver(one: Waiver, rules: list[str]) -> None:
    assert told(one) == rules


def test_a_misspelt_rule_is_told_with_the_nearest_name() -> None:
    found = settle([], [waiver(rule="small-data-few-layer")], {RULE}, TODAY)
    assert found[0].severity == "error"
    assert f"did you mean '{RULE}'?" in found[0].message
    assert found[0].place == waiver().place


def test_a_waiver_is_unused_only_where_all_was_judged_that_it_may_be_about() -> None:
    assert told(waiver(where="t5.yaml"), judged=False) == [RULE]


@pytest.mark.parametrize("rule", [FITS, INVALID, "waiver-expired", MALFORMED])
def test_nobody_can_permit_what_cannot_be_done_or_read(rule: str) -> None:
    assert not excuses(waiver(rule=rule), finding(rule=rule), TODAY)


def test_of_two_waivers_one_that_holds_is_enough() -> None:
    assert told(waiver("2026-11-01"), waiver()) == ["waiver-expired"]


@given(st.lists(st.integers(-400, 400), max_size=6), st.integers(0, 300))
def test_waiving_never_adds_an_excuse_that_no_waiver_gives(offsets: list[int], most: int) -> None:
    waivers = [waiver((TODAY + timedelta(days=days)).isoformat()) for days in offsets]
    marked = settle([finding()], waivers, {RULE}, TODAY, Terms(most))
    assert (marked[0].waiver is not None) == any(0 <= days <= most for days in offsets)
    assert len(marked) <= 1 + len(waivers)


def test_the_bound_of_the_shipped_options_is_the_same() -> None:
    from advisor.cli.options import parser, waivers

    made = parser("x", "y")
    waivers(made)
    assert made.parse_args([]).waiver_days == MOST_DAYS
    assert Path("a") == made.parse_args(["--waivers", "a"]).waivers


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "approver and ticket are missing"),
        ({"approver": "ben"}, "ticket is missing"),
        ({"approver": "ben", "ticket": "ML-7"}, ""),
    ],
)
def test_a_project_may_demand_an_approver_and_a_ticket(fields: dict[str, str], fault: str) -> None:
    terms = Terms(required=("approver", "ticket"))
    marked = settle([finding()], [waiver(**fields)], {RULE}, TODAY, terms)
    assert [one.rule for one in marked if one.counts] == ([RULE, MALFORMED] if fault else [])
    assert fault in " ".join(one.message for one in marked)


def test_a_rule_may_have_a_shorter_longest_term_than_others() -> None:
    terms = Terms(180, {RULE: 30})
    late, soon = ((TODAY + timedelta(days=days)).isoformat() for days in (31, 30))
    assert [one.rule for one in settle([finding()], [waiver(late)], {RULE}, TODAY, terms)] == [RULE, TOO_LONG]
    assert excuses(waiver(soon), finding(), TODAY, terms)
    assert excuses(waiver(late, rule="other"), finding(rule="other"), TODAY, terms)
    assert not excuses(waiver("2027-06-30"), finding(), TODAY, Terms(180, {RULE: 900}))  # never longer than the rest
