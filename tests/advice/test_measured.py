"""Measured runs: they are those of bench/results, the ledger reads them, and ranges hold what was measured."""

from __future__ import annotations

import re
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from advisor.advice import measured as shipped
from advisor.advice.measured import Point, Seen, asked, comparable, coverage
from advisor.advice.ranges import SMALL, Range
from advisor.runs import import_export

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "bench"))
import measured  # noqa: E402  # bench/measured.py, which writes both files
import result_runs  # noqa: E402


def point(data: str, accuracy: float, time: float | None = None) -> Point:
    return Point("m", data, "bert-like", 3_000, False, 8 / 12, accuracy, None, time)


def test_the_shipped_runs_are_those_of_bench_results() -> None:
    runs = list(measured.shipped())
    assert import_export.read(measured.FILE) == [run.made for run in runs]
    assert list(shipped.shipped()) == list(measured.counted(runs))
    lines = sum(len(file.read_text().splitlines()) for file in result_runs.RESULTS.glob("*.jsonl"))
    assert len(runs) >= 90 and lines >= len(runs)


def test_no_run_names_a_folder_of_the_machine_that_made_it() -> None:
    places = re.compile(r'\\?"(/[^/"\\ ]+){2,}')  # models and data are called by their names
    files = (measured.FILE, *result_runs.RESULTS.glob("*.jsonl"))
    assert {file.name: found.group() for file in files if (found := places.search(file.read_text()))} == {}


def test_only_models_made_as_advice_makes_them_calibrate() -> None:
    names = {run.made.name for run in measured.shipped() if run.counts and list(measured.points(run))}
    wrong = ("top", "importance", "labels", "scores", "before layers", "one cut", "dropout", "first look")
    assert names and not [name for name in names for one in wrong if one in name]


def test_a_range_widens_by_data_sets_and_never_narrows() -> None:
    said = Range(0.9, 1.0)
    assert Seen((point("a", 0.95),)).widened("accuracy", said) == said
    assert Seen((point("a", 1.02), point("a", 0.95))).widened("accuracy", said) == pytest.approx((0.9, 1.02))
    both = Seen((point("a", 0.85), point("b", 1.03)))
    assert both.widened("accuracy", said) == pytest.approx((0.85, 1.03)) and both.data_sets == 2
    assert both.widened("time", said) == said  # not measured


def test_models_and_parts_of_one_data_set_are_no_further_witnesses() -> None:
    one = point("mrpc", 0.95)
    seen = Seen((one, one._replace(model="other"), one._replace(data="mrpc-1000", accuracy=0.85)))
    assert seen.data_sets == 1 and coverage(seen.data_sets) == 0.5
    assert Seen((*seen.points, point("cola", 0.95))).data_sets == 2


def test_coverage_is_what_conformal_prediction_gives_for_so_many_data_sets() -> None:
    assert [coverage(count) for count in (1, 2, 4, 9)] == pytest.approx([1 / 2, 2 / 3, 4 / 5, 9 / 10])
    # With 19 data sets the worst one may lie outside: 18 of 20 is 90 %.
    seen = Seen(tuple(point(str(number), 1 + number / 100) for number in range(19)))
    assert seen.widened("accuracy", Range(0.9, 1.0)) == pytest.approx((0.9, 1.17)) and coverage(19) == 0.9


@pytest.mark.parametrize("count", [2, 4, 9])
def test_an_end_holds_on_one_more_data_set_as_often_as_it_claims(count: int) -> None:
    """Every one of so many exchangeable data sets, and one more, is left out in turn."""
    every = [point(str(number), 0.9 + number / 100) for number in range(count + 1)]
    held = 0
    for one in every:
        end = Seen(tuple(other for other in every if other != one)).widened("accuracy", Range(0.5, 0.6)).high
        held += one.accuracy <= end + 1e-9
    assert Fraction(held, count + 1) >= Fraction(coverage(count)).limit_denominator(100)


def test_ranges_hold_on_data_held_out_as_often_as_they_claim() -> None:
    every = shipped.shipped()
    found = [one for quantity in ("accuracy", "time") for one in measured.held_out(quantity, every, every)]
    held, claimed = sum(one.lower + one.upper for one in found), 2 * sum(one.claimed for one in found)
    assert len(found) >= 6 and held >= claimed  # data sets at a depth, of which all runs have to hold


def test_an_end_that_does_not_hold_on_data_held_out_is_counted() -> None:
    """Each of three data sets beside two others: the highest lies above what these make of the range, no lowest one."""
    said = measured.expected(point("a", 0.95), "accuracy")
    assert said
    every = [point(name, said.high + above) for name, above in (("a", 0.01), ("b", 0.02), ("c", 0.03))]
    found = measured.held_out("accuracy", every, every)
    assert [(one.lower, one.upper) for one in found] == [(True, True), (True, True), (True, False)]
    assert [one.claimed for one in found] == pytest.approx([2 / 3] * 3)


@pytest.mark.parametrize("quantity", ["accuracy", "time"])
@pytest.mark.parametrize("small", [True, False])
def test_what_was_measured_lies_inside_what_is_predicted(quantity: str, small: bool) -> None:
    points = [one for one in shipped.shipped() if (one.samples < SMALL) == small and getattr(one, quantity) is not None]
    for one in points:
        seen = comparable(one.group, one.samples, one.compute, one.int8, task=one.task)
        said = measured.expected(one, quantity)
        if said is None:
            continue  # nothing is predicted, so nothing can be wrong
        range_ = seen.widened(quantity, said)
        outside = not range_.low - 1e-4 <= getattr(one, quantity) <= range_.high + 1e-4
        assert not outside or coverage(seen.data_sets) >= 0.9, one  # with nine data sets some may lie outside


def test_comparable_runs_are_alike_in_family_regime_depth_and_int8() -> None:
    one = point("a", 0.95)
    assert comparable("bert-like", 9_999, 7.5 / 12, False, [one]).points
    for other in (("opt", 9_999, 8 / 12, False), ("bert-like", 10_000, 8 / 12, False), ("bert-like", 1, 0.5, False)):
        assert not comparable(*other, [one]).points
    assert not comparable("bert-like", 9_999, 8 / 12, True, [one]).points
    assert not comparable("bert-like", 9_999, 8 / 12, False, [one], "token-classification").points


def test_runs_speak_for_what_their_model_was_asked_for() -> None:
    assert asked(None) == asked("text-classification", "single_label_classification") == "text-classification"
    assert asked(None, "regression") == "regression" and asked("token-classification") == "token-classification"
    tagged = [one for one in shipped.shipped() if one.task == "token-classification"]
    third = {one.model: one.accuracy for one in tagged if round(one.compute, 2) == 0.33}
    assert third == pytest.approx({"e5-small-en-12l": 0.787, "mpnet-base": 0.858}, abs=1e-3)


def test_a_model_that_two_runs_share_counts_once_and_each_time_of_it() -> None:
    line = {
        "arm": "a", "task": "mrpc", "seed": 0, "metric": "accuracy", "recipe": ["finetune: {epochs: 1}",
        "layer_removal: {keep: 8}", "distillation: {epochs: 1}"], "joined_texts": 0, "baseline": 0.8,
    }  # fmt: skip

    def made(file: str, **more: object) -> measured.Shipped:
        steps = {"distillation": {"score": 0.78, "relative": 0.975, "size": 0.75, **more}}
        return measured.Shipped(measured.record(result_runs.Run(file, {**line, "steps": steps})), "mrpc")

    assert [one.time for one in measured.counted([made("targets"), made("ablation")])] == [None]
    assert [one.time for one in measured.counted([made("targets"), made("ablation", time=0.7)])] == [0.7]
    again = [made("targets", time=0.6), made("ablation"), made("served", time=0.7)]
    assert [one.time for one in measured.counted(again)] == [0.6, 0.7]


def test_a_wide_interval_does_not_make_a_time_useless() -> None:
    wide = "the time after quantization is 15.5% to 18.3% of the baseline's, an interval wider than ±5%"
    noisy = "the machine was noisy while time was measured: other programs used 50% of its cores"
    assert not result_runs.disturbed({"time_notes": [wide]}) and not result_runs.disturbed({})
    assert result_runs.disturbed({"time_notes": [wide, noisy]})
    timed = [one.time for one in shipped.shipped() if one.model == "roberta-e5-12l" and one.time is not None]
    assert timed == pytest.approx([0.66, 0.18], abs=0.01)
