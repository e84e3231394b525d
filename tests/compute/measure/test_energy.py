"""Energy of answering: which meter, units, idling, and no number where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from advisor.compute.measure.counters import rapl
from advisor.compute.measure.energy import Counters, ExternalMeter, Meter, ProcessorTime, energies, meter_for
from advisor.compute.measure.windows import NotMeasured, Window
from advisor.records.measuring import TIME_DERIVED


class Fixed:
    """A meter that counts 20 W at work, and 10 W while idle."""

    words, whole_machine, threads = "some meter", True, 0

    def read(self) -> dict[str, float]:
        return {}

    def joules(self, window: Window) -> float:
        return window.seconds * (20 if window.requests else 10)


def windows(seconds: float, requests: int, count: int = 4) -> list[Window]:
    return [Window(0, seconds, seconds, seconds, requests, {}, {})] * count


def test_units_and_idling() -> None:
    """100 requests in 2 s at 20 W are 0.4 J each, 0.1111 Wh for 1,000; a model of half the time halves it."""
    found = energies(Fixed(), {"base": windows(2, 100), "small": windows(2, 200)}, windows(2, 0), "base")
    base, small = found["base"], found["small"]
    assert base.wh_per_1000 == pytest.approx(400 / 3600) and small.wh_per_1000 == pytest.approx(200 / 3600)
    assert base.idle_wh_per_1000 == pytest.approx(200 / 3600)
    assert (small.ratio.value, small.ratio.interval) == (0.5, (0.5, 0.5)) and small.ratio.rounds == 4
    assert small.without_idle is not None and small.without_idle.value == pytest.approx(0.5)


def test_working_that_cannot_be_told_from_idling() -> None:
    class Flat(Fixed):
        def joules(self, window: Window) -> float:
            return window.seconds * 20

    found = energies(Flat(), {"base": windows(2, 100), "small": windows(2, 200)}, windows(2, 0), "base")["small"]
    assert found.ratio.value == 0.5 and found.without_idle is None
    assert "cannot be told apart" in found.why_no_idle


@pytest.mark.parametrize("joules", [0.0, -1.0, float("nan")])
def test_work_without_energy_is_an_error(joules: float) -> None:
    """As of a GPU without an energy counter (mlco2/codecarbon#1316)."""

    class Empty(Fixed):
        def joules(self, window: Window) -> float:
            return joules

    with pytest.raises(NotMeasured, match="J were counted in a window in which base answered requests"):
        energies(Empty(), {"base": windows(2, 100)}, [], "base")


def test_processor_time_is_no_power_and_sees_no_idling() -> None:
    meter = ProcessorTime()
    assert meter.words.startswith(TIME_DERIVED) and meter.threads == 1 and not meter.whole_machine
    slow = [replace(one, processor_seconds=1.0) for one in windows(50, 100)]  # it waited for a core most of the time
    found = energies(meter, {"base": windows(2, 100), "small": slow}, [], "base")["small"]
    assert found.ratio.value == pytest.approx(0.5)
    assert found.idle_wh_per_1000 is None and found.why_no_idle.startswith("power is not measured here")
    with pytest.raises(NotMeasured, match="too short to be counted"):
        meter.joules(replace(slow[0], processor_seconds=0.0))


def test_counters_are_read_around_each_window(tmp_path: Path) -> None:
    (tmp_path / "intel-rapl:0").mkdir()
    energy = tmp_path / "intel-rapl:0" / "energy_uj"
    (tmp_path / "intel-rapl:0" / "name").write_text("package-0")
    energy.write_text("1000000")
    meter = Counters(rapl(tmp_path))
    before = meter.read()
    energy.write_text("31000000")
    one = replace(windows(2, 100)[0], before=before, after=meter.read())
    assert meter.joules(one) == 30.0 and meter.words == "energy counters (RAPL 0 package-0)"
    energy.write_text("5")  # it wrapped
    with pytest.raises(NotMeasured, match="wrapped"):
        meter.joules(replace(one, before=one.after, after=meter.read()))
    energy.unlink()
    with pytest.raises(NotMeasured, match="cannot be read"):
        meter.joules(replace(one, after=meter.read()))


def test_a_meter_s_file_is_read_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "power.csv"
    file.write_text("time,watts\n")
    meter = meter_for("cuda", file)
    assert isinstance(meter, ExternalMeter) and meter.words == "external power meter (power.csv)"
    file.write_text("time,watts\n" + "".join(f"{second},25\n" for second in range(30)))
    assert meter.joules(replace(windows(10, 100)[0], begun=5, ended=15)) == pytest.approx(250)
    broken = ExternalMeter(tmp_path / "gone.csv")
    with pytest.raises(NotMeasured, match="the power log cannot be read"):
        broken.joules(windows(10, 100)[0])


def test_a_device_is_never_measured_by_another_one_s_energy() -> None:
    assert isinstance(meter_for("cpu", None), ProcessorTime | Counters)
    with pytest.raises(NotMeasured, match="no energy counter of mps devices"):
        meter_for("mps", None)


def test_meters_have_one_shape() -> None:
    meters: list[Meter] = [ProcessorTime(), ExternalMeter(Path("x")), Counters({})]
    assert [one.whole_machine for one in meters] == [False, True, True]
