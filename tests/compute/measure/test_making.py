"""Energy beside idling, and of making a model: units, sources, and no number where nothing was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from codecarbon.external.hardware import CPU
from codecarbon.external.ram import RAM
from codecarbon.input import DataSource

from advisor.base.errors import AdviseError
from advisor.compute.measure.energy import (
    Energy,
    Meter,
    _per_1000,
    _source,
    _Tracked,
    cost,
    grid,
    grid_year,
    measure_energy,
    power,
)
from advisor.records.carbon import Assumptions


def busy() -> int:
    """Answers 50 requests."""
    sum(range(200_000))
    return 50


@pytest.fixture(scope="module")
def energy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Energy, Path]:
    """A short real measurement in an empty folder, by a user whose codecarbon is set up otherwise."""
    folder = tmp_path_factory.mktemp("energy")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in {
            "SAVE_TO_FILE": "true",
            "FORCE_CARBON_INTENSITY_G_CO2E_KWH": "999",
            "PUE": "3",
        }.items():
            patch.setenv(f"CODECARBON_{name}", value)
        found = measure_energy(busy, requests=200, min_seconds=1.5)
    assert isinstance(found, Energy), found
    return found, folder


def test_energy_of_a_run(energy: tuple[Energy, Path]) -> None:
    found, _ = energy
    assert found.requests >= 200
    assert found.requests % 50 == 0
    assert found.seconds >= 1.5
    assert found.source in ("counter", "modelled", "constant")
    watts = found.wh_per_1000 * found.requests / 1000 * 3600 / found.seconds
    assert 0.5 < watts < 5000  # of a machine, so neither kWh nor mWh
    assert found.idle_wh_per_1000 > 0
    if found.source == "modelled":
        assert found.idle_wh_per_1000 < found.wh_per_1000


def test_the_grid_is_the_country_s_whatever_the_user_s_settings(energy: tuple[Energy, Path]) -> None:
    found, _ = energy
    expected = DataSource().get_global_energy_mix_data()["FRA"]["carbon_intensity"]
    assert found.country == "FRA"
    assert found.grid_g_per_kwh == pytest.approx(expected)
    assert found.g_co2_per_1000 == pytest.approx(found.wh_per_1000 / 1000 * expected)


def test_no_file_is_left(energy: tuple[Energy, Path]) -> None:
    assert list(energy[1].iterdir()) == []


def test_units() -> None:
    """The illustration of EVIDENCE.md 7.2: 0.02 kWh for 100,000 requests are 0.2 Wh, 0.09 g at 450 g/kWh."""
    run = _Tracked(kwh=0.02, kg_co2=0.009, seconds=60, source="counter")
    idle = replace(run, kwh=0.005, seconds=30)
    found = _per_1000(run, idle, answered=100_000, country="FRA", year=2023)
    assert found.wh_per_1000 == pytest.approx(0.2)
    assert found.g_co2_per_1000 == pytest.approx(0.09)
    assert found.idle_wh_per_1000 == pytest.approx(0.1)  # 0.005 kWh in 30 s are 0.01 kWh in 60 s
    assert found.grid_g_per_kwh == pytest.approx(450)


def test_a_country_without_a_grid_factor() -> None:
    with pytest.raises(AdviseError, match="country 'FRAN': no grid factor is known for it\n  try: did you mean 'FRA'"):
        measure_energy(busy, country="FRAN")


def test_a_runner_that_answers_nothing() -> None:
    with pytest.raises(ValueError, match="at least one request"):
        measure_energy(lambda: 0)


def test_a_tracker_that_fails_gives_the_reason_not_zero(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODECARBON_OUTPUT_DIR", str(tmp_path / "missing"))  # codecarbon refuses to start
    assert measure_energy(busy, requests=1, min_seconds=0) == "codecarbon failed to measure on this machine"


def test_the_weakest_source_of_power_counts() -> None:
    memory, constant, load = RAM(), CPU("", "constant", "some", 85), CPU("", "cpu_load", "some", 85)
    graphics = object()  # read by NVML
    assert _source([memory, load, graphics]) == "modelled"
    assert _source([memory, constant, graphics]) == "constant"
    assert _source([memory, graphics]) == "counter"
    assert _source([memory]) == "constant"


def test_what_making_a_model_cost_has_units_and_sources() -> None:
    """1 kWh on a grid of 56 g/kWh, in a data centre that takes half as much again: 1,000 Wh, 84 g."""
    found = cost(_Tracked(kwh=1.0, kg_co2=0.056, seconds=60, source="modelled"), Assumptions("FRA", True, pue=1.5))
    assert found.wh.value == pytest.approx(1000)
    assert found.g_co2.value == pytest.approx(84)
    assert "power modelled from load, this process for 60 s" in found.wh.source
    assert found.g_co2.source.endswith("grid of FRA 56 g/kWh (2023, codecarbon's table), PUE 1.5")
    resumed = cost(_Tracked(kwh=1.0, kg_co2=0.056, seconds=60, source="modelled"), Assumptions(), earlier=30)
    assert resumed.wh.value == pytest.approx(1500)
    assert "for 60 s and, at the same power, 30 s before it was interrupted" in resumed.wh.source
    failed = cost("codecarbon failed to measure on this machine", Assumptions())
    assert failed.wh.value is failed.g_co2.value is None
    assert failed.g_co2.why_not == "codecarbon failed to measure on this machine"


def test_a_meter_counts_work_once() -> None:
    meter = Meter("FRA")
    busy()
    first = meter.stop()
    assert isinstance(first, _Tracked) and 0 < first.kwh < 1e-3
    again = meter.stop()
    assert isinstance(again, _Tracked) and again.kwh == first.kwh


def test_sources_are_told() -> None:
    assert power("constant").endswith("power a constant, not measured")
    assert "(2023, codecarbon's table; assumed, --country gives another), PUE 1" in grid(56, 2023, Assumptions())
    assert grid_year("DEU") >= 2023
