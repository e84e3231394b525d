"""Time in turn and energy beside idling: order, ratios, units, and no number where nothing was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from codecarbon.external.hardware import CPU
from codecarbon.external.ram import RAM
from codecarbon.input import DataSource

from advisor.compute.measure import (
    WARM_UP,
    Energy,
    Timing,
    _per_1000,
    _source,
    _timing,
    _Tracked,
    measure_energy,
    time_side_by_side,
)
from advisor.errors import AdviseError


def busy() -> int:
    """Answers 50 requests."""
    sum(range(200_000))
    return 50


def test_runners_take_turns_after_a_warm_up() -> None:
    calls: list[str] = []
    runners = {name: lambda name=name: calls.append(name) for name in "ABC"}
    found = time_side_by_side(runners, "A", rounds=3, min_seconds=0)
    assert "".join(calls) == "AABBCC" + "ABC" * 3
    assert WARM_UP == 2
    assert {name: one.rounds for name, one in found.items()} == {"A": 3, "B": 3, "C": 3}


def test_rounds_fill_the_time() -> None:
    assert time_side_by_side({"A": busy}, "A", rounds=2, min_seconds=0.2)["A"].rounds > 2


def test_the_baseline_is_one_and_more_work_takes_longer() -> None:
    runners = {"whole": lambda: sum(range(400_000)), "tenth": lambda: sum(range(40_000))}
    found = time_side_by_side(runners, "whole", rounds=5, min_seconds=0)
    assert (found["whole"].relative_time, found["whole"].spread) == (1.0, (1.0, 1.0))
    low, high = found["tenth"].spread
    assert low <= found["tenth"].relative_time <= high < 1


def test_ratios_are_paired_by_round() -> None:
    """The example of `Timing`; the ratio of the medians, 10 / 20, would miss the spread."""
    found = _timing([0.010, 0.012, 0.009], [0.020, 0.020, 0.030], batches=1)
    assert found == Timing(0.5, (pytest.approx(0.4), pytest.approx(0.55)), 10.0, 3)
    assert _timing([0.010, 0.012, 0.009], [0.020, 0.020, 0.030], batches=4).median_ms == 2.5


@pytest.mark.parametrize(("baseline", "rounds"), [("B", 3), ("A", 1)])
def test_wrong_use_of_timing(baseline: str, rounds: int) -> None:
    with pytest.raises(ValueError, match=rf"baseline '{baseline}' .* \['A'\], rounds \({rounds}\) 2 or more"):
        time_side_by_side({"A": busy}, baseline, rounds=rounds)


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
    found = _per_1000(run, idle, answered=100_000, country="FRA")
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
