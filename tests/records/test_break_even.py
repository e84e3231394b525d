"""Break-even: what compressing emits against what so many requests save."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.records.break_even import (
    break_even,
    break_even_of_search,
    break_even_of_seeds,
    making_all_g,
    making_g,
    net_saving,
    verdict,
    weighed,
    with_discarded,
)
from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import Cost, Measured, RunResult, Served, StepResult
from advisor.records.search import Spent


def step(name: str, made: float | None, per_1000: float, share: float = 1.0, spread: float = 0.0) -> StepResult:
    cost = Measured(why_not="codecarbon failed") if made is None else Measured(made, source="counted")
    emissions = Measured(share, source="counted", interval=(share - spread, share + spread))
    served = Served(emissions=emissions, g_per_1000=Measured(per_1000, source="counted"))
    return StepResult(name, name, "", 1, 1, 1, 0.9, Measured(1.0), 1.0, served, cost=Cost(g_co2=cost))


def result(steps: tuple[StepResult, ...]) -> RunResult:
    return RunResult("r", "m", "BERT", "cpu", "cpu", 872, steps, (), {}, 1.0)


STEPS = (step("finetune", 50, 0.1), step("distillation", 4, 0.05, 0.5), step("quantization", 1, 0.03, 0.3, 0.02))


def test_the_example() -> None:
    found = net_saving(STEPS, 100_000)
    assert found.value == pytest.approx(2) and found.interval == pytest.approx((1.8, 2.2))
    assert found.source.startswith("100,000 requests emit 10 g CO2e with the baseline and 3 g with this model")
    assert verdict(found) == "Compression pays: it saves 2 g CO2e (1.8 to 2.2)"


def test_making_the_baseline_is_no_cost_of_compression() -> None:
    assert making_g(STEPS).value == 5
    assert making_g(STEPS[:1]).why_not == "nothing was compressed"
    assert "no finetune step" in making_g(STEPS[1:]).why_not


@given(st.integers(1, 10**9))
def test_it_pays_from_the_break_even_on(requests: int) -> None:
    net, even = net_saving(STEPS, requests), break_even(STEPS)
    assert net.value is not None and even.value is not None
    if abs(requests - even.value) > 1:
        assert (net.value > 0) == (requests > even.value)


def test_few_requests_and_no_saving_do_not_pay() -> None:
    few = net_saving(STEPS, 1000)
    assert few.value == pytest.approx(-4.93) and verdict(few).startswith("Compression does not pay: it emits 4.93 g")
    worse = net_saving((STEPS[0], step("quantization", 1, 0.12, 1.2)), 10**9)
    assert worse.value is not None and worse.value < 0 and verdict(worse).endswith("serve the baseline")
    open_ = net_saving((STEPS[0], step("quantization", 5, 0.05, 0.5, 0.2)), 100_000)
    assert verdict(open_) == "Compression about breaks even: -2 to 2 g CO2e saved"


def test_what_was_not_measured_gives_no_number() -> None:
    assert net_saving(STEPS, None).why_not == "the number of requests is not stated (--requests)"
    failed = (*STEPS[:2], step("quantization", None, 0.03))
    assert net_saving(failed, 1000).why_not == break_even(failed).why_not == "codecarbon failed"
    unserved = (*STEPS[:2], replace(STEPS[2], served=Served(emissions=Measured(why_not="no cuda device"))))
    assert net_saving(unserved, 1000).why_not == "no cuda device"
    assert verdict(net_saving(STEPS, None)) == ""


def test_a_time_derived_making_is_not_weighed_against_metered_serving() -> None:
    derived = Cost(g_co2=Measured(4.0, source=f"{TIME_DERIVED}: 4 W a thread"))
    steps = tuple(replace(one, cost=derived) for one in STEPS)
    for found in (net_saving(steps, 1000), break_even(steps), break_even_of_seeds([result(steps)] * 2)):
        assert found.why_not == "making it is time-derived, serving was metered by counters: two scales of energy"
    partly = making_g((*STEPS[:2], replace(STEPS[2], cost=derived)))
    assert partly.why_not == "making some is time-derived, making others was metered by counters: two scales of energy"


@pytest.mark.parametrize("place", [0, -1])
def test_a_model_no_better_than_a_constant_answer_pays_nothing_back(place: int) -> None:
    steps = list(STEPS)
    steps[place] = replace(steps[place], above_constant=Measured(0.0, source="accuracy 0.684"))
    which = "the baseline" if place == 0 else "the last model"
    for found in (
        net_saving(steps, 1000),
        break_even(steps),
        break_even_of_seeds([result(STEPS), result(tuple(steps))]),
    ):
        assert found.why_not == f"{which} is no better than a constant answer, so nothing is shown to be saved"


def test_a_finished_run_is_weighed_for_another_number_of_requests() -> None:
    run = result(STEPS)
    assert weighed(run, None) is run
    assert weighed(run, 100_000).net_saving.value == pytest.approx(2)


def test_a_discarded_attempt_counts_in_what_is_to_be_paid_back() -> None:
    cost = with_discarded(STEPS[1].cost, Cost(g_co2=Measured(3.0, source="counted")))
    assert cost.g_co2.value == pytest.approx(7) and "3 g CO2e of it for a discarded attempt" in cost.g_co2.source
    assert with_discarded(STEPS[1].cost, None) == STEPS[1].cost
    unknown = with_discarded(STEPS[1].cost, Cost())
    assert unknown.g_co2.value == 4 and "nothing was counted" in unknown.g_co2.source


def test_all_seeds_count_in_what_one_model_has_to_pay_back() -> None:
    """Three seeds of 5 g and two further baselines of 50 g, for a saving of 0.07 g per 1,000 requests."""
    runs = [result(STEPS) for _ in range(3)]
    assert making_all_g(runs).value == pytest.approx(115)
    assert break_even_of_seeds(runs).value == pytest.approx(115 / 0.07 * 1000)
    assert break_even_of_seeds([result(STEPS)]).value == pytest.approx(break_even(STEPS).value)
    unknown = result((*STEPS[:2], step("quantization", None, 0.03)))
    assert break_even_of_seeds([*runs, unknown]).why_not == "codecarbon failed"


def test_all_that_a_search_tried_counts_in_what_its_model_has_to_pay_back() -> None:
    """9 g for a model that emits 0.03 g for 1,000 requests, 0.3 of the baseline's 0.1 g."""
    g_per_1000, share = Measured(0.03, source="counted"), Measured(0.3, source="counted")
    found = break_even_of_search(Spent(60.0, 1.0, 9.0), g_per_1000, share)
    assert found.value == pytest.approx(9 / 0.07 * 1000) and "making it emitted 9 g" in found.source
    partly = break_even_of_search(Spent(60.0, 1.0, 9.0, 2), g_per_1000, share)
    assert partly.why_not == "2 of its steps were not counted"
    worse = break_even_of_search(Spent(60.0, 1.0, 9.0), g_per_1000, Measured(1.1))
    assert worse.why_not.startswith("never")
    unknown = break_even_of_search(Spent(60.0, 1.0, 9.0), g_per_1000, Measured(why_not="a busy machine"))
    assert unknown.why_not == "a busy machine"
