"""Energy of making a model: units, sources, and no number where nothing was measured."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from codecarbon.external.hardware import CPU
from codecarbon.external.ram import RAM
from codecarbon.input import DataSource

from advisor.base.errors import AdviseError
from advisor.compute.measure.energy import ExternalMeter
from advisor.compute.measure.grid import grid, grid_factor, grid_year
from advisor.compute.measure.making import Made, Meter, by_log, cost, counts_cpu
from advisor.compute.measure.processor_time import assumed_power
from advisor.records.carbon import Assumptions
from advisor.records.measuring import TIME_DERIVED, is_time_derived
from advisor.records.results import Cost, Measured, StepResult

WORDS = f"{TIME_DERIVED}: this process's processor time at 4 W a thread (some CPU)"


def busy() -> None:
    for _ in range(20):
        sum(range(200_000))


def test_a_meter_counts_work_once_and_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the user's codecarbon is set up to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODECARBON_SAVE_TO_FILE", "true")
    meter = Meter("FRA")
    busy()
    first = meter.stop()
    assert isinstance(first, Made) and 0 < first.kwh < 1e-3
    assert meter.stop() == first
    assert list(tmp_path.iterdir()) == []
    if first.words.startswith(TIME_DERIVED):
        watts = first.kwh * 3.6e6 / first.seconds
        assert watts < 1.2 * assumed_power().watts * 2  # of one thread that computes, and codecarbon's own


def test_a_gpu_that_did_the_work_and_counts_nothing_is_an_error() -> None:
    meter = Meter("FRA", gpu=True)
    busy()
    found = meter.stop()
    if meter.tracker.final_emissions_data.gpu_energy == 0:  # as on every machine without one
        assert isinstance(found, str) and "a GPU did the work and 0 kWh were counted for it" in found
    else:
        assert isinstance(found, Made)


def test_a_tracker_that_fails_gives_the_reason_not_zero(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODECARBON_OUTPUT_DIR", str(tmp_path / "missing"))  # codecarbon refuses to start
    assert Meter("FRA").stop() == "codecarbon failed to measure on this machine"


def test_only_counters_count_as_counters() -> None:
    memory, constant, load = RAM(), CPU("", "constant", "some", 85), CPU("", "cpu_load", "some", 85)
    assert not counts_cpu([memory, load]) and not counts_cpu([memory, constant]) and not counts_cpu([memory])


def test_what_making_a_model_cost_has_units_and_sources() -> None:
    """1 kWh on a grid of 56 g/kWh, in a data centre that takes half as much again: 1,000 Wh, 84 g."""
    factor = grid_factor("FRA")
    found = cost(Made(1.0, 60, WORDS), Assumptions("FRA", True, pue=1.5))
    assert found.wh.value == pytest.approx(1000)
    assert found.g_co2.value == pytest.approx(1.5 * factor)
    assert found.wh.source == f"{WORDS}, this process for 60 s" and is_time_derived(found.g_co2)
    table = f"{grid_year('FRA')}, codecarbon's table"
    assert found.g_co2.source.endswith(f"grid of FRA {factor:.3g} g/kWh ({table}), PUE 1.5")
    resumed = cost(Made(1.0, 60, WORDS), Assumptions(), earlier=30)
    assert resumed.wh.value == pytest.approx(1500)
    assert "for 60 s and, at the same power, 30 s before it was interrupted" in resumed.wh.source
    failed = cost("codecarbon failed to measure on this machine", Assumptions())
    assert failed.wh.value is failed.g_co2.value is None
    assert failed.g_co2.why_not == "codecarbon failed to measure on this machine"


def made_by(span: tuple[float, float] | None) -> StepResult:
    wh = Measured(3.0, source=WORDS)
    return StepResult("distillation", "", "", 1, 1, 1, 0.9, Measured(1.0), 1.0, cost=Cost(wh, wh, span))


def test_a_meter_says_when_it_counted() -> None:
    before = time.time()
    meter = Meter("FRA")
    busy()
    found = cost(meter.stop(), Assumptions(), span=meter.span)
    assert found.span is not None and before <= found.span[0] < found.span[1] <= time.time()
    assert cost(meter.stop(), Assumptions(), earlier=30, span=meter.span).span is None  # a part of it lies elsewhere


def test_a_clock_that_was_set_leaves_no_span(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter("FRA")
    busy()
    meter.wall_clock -= 3600
    meter.stop()
    assert meter.span is None


def test_making_is_read_from_the_log_of_an_external_meter(tmp_path: Path) -> None:
    """360 s at 50 W are 5 Wh, whatever processor time says."""
    file = tmp_path / "power.csv"
    file.write_text("time,watts\n" + "".join(f"{second},50\n" for second in range(1000)))
    meter = ExternalMeter(file)
    found = by_log(made_by((100.0, 460.0)), meter, Assumptions("FRA", True, pue=2))
    assert found.cost.wh.value == pytest.approx(5) and found.notes == ()
    assert found.cost.g_co2.value == pytest.approx(5 / 1000 * 2 * grid_factor("FRA"))
    assert found.cost.wh.source == "external power meter (power.csv), the whole machine with all that ran on it"
    assert not is_time_derived(found.cost.g_co2)


@pytest.mark.parametrize(
    ("span", "told"),
    [((900.0, 1100.0), "the power log covers 1970-01-01 00:00:00 UTC to"), (None, "it was not one piece of work")],
    ids=["not covered", "interrupted"],
)
def test_what_the_log_does_not_tell_stays_as_it_was(
    span: tuple[float, float] | None, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "power.csv"
    file.write_text("time,watts\n" + "".join(f"{second},50\n" for second in range(1000)))
    before = made_by(span)
    found = by_log(before, ExternalMeter(file), Assumptions())
    assert replace(found, notes=()) == before
    assert found.notes[0].startswith(f"making it is not by the power log: {told}")


@pytest.mark.parametrize(
    ("watts", "ahead", "told"),
    [("0", 0, "0 J were counted in 360.0 s of work"), ("1e308", 0, "inf J were"), ("50", 3600, "s ahead of this")],
    ids=["no power", "too much", "another clock"],
)
def test_a_log_that_cannot_be_true_tells_nothing(watts: str, ahead: int, told: str, tmp_path: Path) -> None:
    file, begun = tmp_path / "power.csv", int(time.time()) - 1000 + ahead
    file.write_text("time,watts\n" + "".join(f"{begun + second},{watts}\n" for second in range(1000)))
    before = made_by((begun + 100.0, begun + 460.0))
    found = by_log(before, ExternalMeter(file), Assumptions())
    assert found.cost == before.cost and told in found.notes[0]


def test_grids_come_from_the_table_and_say_so() -> None:
    assert grid_factor("DEU") == DataSource().get_global_energy_mix_data()["DEU"]["carbon_intensity"]
    assert grid_year("DEU") >= 2023
    assert "codecarbon's table; assumed, --country gives another), PUE 1" in grid(Assumptions())


def test_a_country_without_a_grid_factor() -> None:
    with pytest.raises(AdviseError, match="country 'FRAN': no grid factor is known for it\n  try: did you mean 'FRA'"):
        grid_year("FRAN")
