"""An external meter's file: energy of a window, and no number from a file with gaps, other clocks or no overlap."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.base.errors import AdviseError
from advisor.compute.measure.power_log import PowerLog, check, read
from advisor.compute.measure.windows import NotMeasured, Window

START = 1_790_000_000.0
WINDOW = Window(START + 10, START + 20, 10.0, 9.0, 100, {}, {})
STEADY = PowerLog(tuple(START + second for second in range(61)), (50.0,) * 61)


def window(begun: float, ended: float) -> Window:
    return replace(WINDOW, begun=START + begun, ended=START + ended, seconds=ended - begun)


def test_steady_power_is_power_times_time() -> None:
    assert STEADY.joules(WINDOW) == pytest.approx(500)
    assert STEADY.joules(window(10.3, 17.9)) == pytest.approx(50 * 7.6)


def test_a_ramp_is_cut_at_the_window_s_ends() -> None:
    """Power rises by 1 W a second: from 10.5 to 20.5 s it is 15.5 W in the mean."""
    ramp = PowerLog(STEADY.times, tuple(map(float, range(61))))
    assert ramp.joules(window(10.5, 20.5)) == pytest.approx(155)


@given(st.lists(st.floats(0, 1000), min_size=40, max_size=40), st.floats(0.1, 15), st.floats(16, 28), st.floats(29, 39))
def test_windows_side_by_side_add_up(watts: list[float], begun: float, middle: float, ended: float) -> None:
    log = PowerLog(STEADY.times[:40], tuple(watts))
    if middle - begun < 6 or ended - middle < 6:
        return
    parts = log.joules(window(begun, middle)) + log.joules(window(middle, ended))
    assert parts == pytest.approx(log.joules(window(begun, ended)), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("begun", "ended"), [(-5, 5), (55, 65), (3600, 3610), (-7200, -7190)])
def test_a_window_that_the_file_does_not_cover(begun: float, ended: float) -> None:
    with pytest.raises(NotMeasured, match=r"the power log covers .* UTC, the measurement .* clock that agrees"):
        STEADY.joules(window(begun, ended))


def test_a_gap_inside_a_window() -> None:
    times = tuple(time for time in STEADY.times if not START + 12 < time < START + 17)
    gapped = PowerLog(times, (50.0,) * len(times))
    with pytest.raises(NotMeasured, match=r"a gap of 5.0 s at .*, its samples are 1 s apart"):
        gapped.joules(WINDOW)
    assert gapped.joules(window(20, 30)) == pytest.approx(500)  # elsewhere it is sound
    for begun, ended in ((14, 30), (12.5, 16.5)):  # also where a window begins within it, or lies in it
        with pytest.raises(NotMeasured, match="a gap"):
            gapped.joules(window(begun, ended))


def test_a_gap_is_one_by_the_samples_around_it() -> None:
    """The meter sampled every 10 s for a day, then every 0.25 s, with a hole of 8 s."""
    early = [START + 10.0 * number for number in range(8640)]
    late = [early[-1] + 0.25 * number for number in range(1, 400) if not 200 < number < 232]
    log = PowerLog((*early, *late), (50.0,) * (len(early) + len(late)))
    with pytest.raises(NotMeasured, match=r"a gap of 8.0 s at .*, its samples are 0.25 s apart"):
        log.joules_of_work(early[-1] + 1, early[-1] + 90)


def test_work_that_is_short_for_the_meter_is_read_all_the_same() -> None:
    assert STEADY.joules_of_work(START + 10.2, START + 11.7) == pytest.approx(75)


def test_a_window_that_is_too_short_for_the_meter() -> None:
    with pytest.raises(NotMeasured, match=r"window of 1.5 s holds 1 samples .* every 1 s: raise --measure-seconds"):
        STEADY.joules(window(10.2, 11.7))


def written(folder: Path, text: str) -> Path:
    (folder / "power.csv").write_text(text, encoding="utf-8")
    return folder / "power.csv"


def test_reading_unix_seconds_and_iso_times(tmp_path: Path) -> None:
    text = "\ufeffTime, Watts ,volts\n1790000000.5,40,230\n2026-09-21T16:13:22+02:00,41.5,230\n"
    assert read(written(tmp_path, text)) == PowerLog((1790000000.5, 1790000002.0), (40.0, 41.5))
    assert read(written(tmp_path, "time,watts\n1,40,\n2,41,\n")).watts == (40.0, 41.0)  # a comma at the end of lines


def test_the_last_line_may_still_be_in_writing(tmp_path: Path) -> None:
    assert read(written(tmp_path, "time,watts\n1,40\n2,41\n3")).times == (1.0, 2.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no power log: its first line is empty"),
        ("when,power\n1,2\n2,3\n", "its first line is when,power"),
        ("time,watts\n1,2\n", "has 1 samples, 2 expected"),
        ("time,watts\n2,40\n1,40\n", "csv:3: time does not rise"),
        ("time,watts\n1,40\n2,-3\n", "csv:3: expected a time and watts of at least 0, got 2, -3"),
        ("time,watts\n1,40\n2,nan\n", "csv:3: expected a time and watts"),
        (
            "time,watts\n1790000000000,40\n1790000001000,40\n",
            "csv:2: expected seconds since 1970, got 1.79e.12: millisec",
        ),
        ("time,watts\n-1,40\n1e300,40\n", "csv:2: expected seconds since 1970, got -1"),
        ("time,watts\n1,40\n2,lots\n", "csv:3: cannot be read"),
        ("time,watts\n1,40,5\n2,41,5\n", "csv:2: has 3 values, 2 expected: a comma in a number\\?"),
        ("time,watts,watts\n1,40,50\n2,41,51\n", "its first line names watts twice"),
        ("time,watts\n2026-09-21T16:13:22,40\n2,41\n", "csv:2: cannot be read: the time .* has no offset from UTC"),
    ],
)
def test_what_is_no_power_log(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match=told) as caught:
        read(written(tmp_path, text))
    assert "columns time" in str(caught.value)


def test_all_faults_at_once(tmp_path: Path) -> None:
    with pytest.raises(AdviseError) as caught:
        read(written(tmp_path, "time,watts\nx,1\n2,y\n3,-1\n"))
    assert len(caught.value.faults) == 3


def test_the_file_has_to_be_there_before_the_work_begins(tmp_path: Path) -> None:
    check(written(tmp_path, "time,watts\n"))
    with pytest.raises(AdviseError, match=re.compile(r"cannot be read.*start the meter first", re.DOTALL)):
        check(tmp_path / "none.csv")
    with pytest.raises(AdviseError, match="no power log"):
        check(written(tmp_path, "when\n"))
    with pytest.raises(AdviseError, match="its first line names time twice"):
        check(written(tmp_path, "time,watts,Time\n"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AdviseError, match="cannot be read"):
        check(tmp_path / "binary")


@pytest.mark.parametrize("endless", ["/dev/zero", "pipe"])
def test_a_file_that_never_ends_is_not_read(endless: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for look in (check, read):
        with pytest.raises(AdviseError, match="is no regular file"):
            look(tmp_path / endless)
