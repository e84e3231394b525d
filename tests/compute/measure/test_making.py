"""Energy of making a model: units, sources, and no number where nothing was measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from codecarbon.external.hardware import CPU
from codecarbon.external.ram import RAM
from codecarbon.input import DataSource

from advisor.base.errors import AdviseError
from advisor.compute.measure.grid import grid, grid_factor, grid_year
from advisor.compute.measure.making import Made, Meter, cost, counts_cpu
from advisor.compute.measure.processor_time import assumed_power
from advisor.records.carbon import Assumptions
from advisor.records.measuring import TIME_DERIVED, is_time_derived

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


def test_grids_come_from_the_table_and_say_so() -> None:
    assert grid_factor("DEU") == DataSource().get_global_energy_mix_data()["DEU"]["carbon_intensity"]
    assert grid_year("DEU") >= 2023
    assert "codecarbon's table; assumed, --country gives another), PUE 1" in grid(Assumptions())


def test_a_country_without_a_grid_factor() -> None:
    with pytest.raises(AdviseError, match="country 'FRAN': no grid factor is known for it\n  try: did you mean 'FRA'"):
        grid_year("FRAN")
