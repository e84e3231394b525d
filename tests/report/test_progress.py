"""What a run says while it lasts, where there is no terminal."""

from __future__ import annotations

import pytest

from advisor.records.results import Progress, Remark
from advisor.report.progress import span, watch


def test_lines_for_each_tenth_say_when_the_whole_run_ends(capsys: pytest.CaptureFixture[str]) -> None:
    events = [Remark("fine-tuning is reused"), *(Progress("distil", done, 50, "", 0.5, 600.0) for done in range(1, 51))]
    with pytest.raises(RuntimeError, match="without a result"):
        watch(events)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "fine-tuning is reused"
    assert lines[1:] == [f"  distil {done} of 50 10 min left" for done in range(5, 51, 5)]


def test_steps_of_many_rows_have_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="without a result"):
        watch([Progress("score", done, 300, "report rows") for done in (64, 128, 192, 256, 300)])
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == ["64", "128", "192", "256", "300"]


def test_no_bar_is_left_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with pytest.raises(RuntimeError, match="without a result"):
        watch([Progress("distil", 5, 10, "")])
    left = capsys.readouterr().err
    assert "distil" in left and left.endswith("\x1b[1A\x1b[2K")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (91, "2 min"), (5399, "1 h 30 min"), (11_100, "3 h 5 min")]
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_brackets_and_colons_in_a_remark_stay(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="without a result"):
        watch([Remark("[bold]a[/b] :fire:"), Progress("score", 10, 10, "[red]rows[/]")])
    assert capsys.readouterr().err == "[bold]a[/b] :fire:\n  score 10 of 10 [red]rows[/]\n"
