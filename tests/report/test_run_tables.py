"""A run on the screen: the form of the white paper's Table 1, at 80 and 120 columns, with colour and without."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import (
    Cost,
    GateResult,
    Measured,
    Predicted,
    RunResult,
    RuntimeResult,
    Served,
    StepResult,
)
from advisor.report.run_tables import gates, notes, number, predictions, serving, show, table, tables

POWER = f"{TIME_DERIVED}: this process's processor time at 4 W a thread (some CPU)"
SOURCE = f"{POWER}; 10 windows, 1,024 requests in 60 s"


def served(share: float) -> Served:
    energy = {
        name: Measured(share, source=SOURCE) for name in ("emissions", "wh_per_1000", "idle_wh_per_1000", "g_per_1000")
    }
    return Served(
        time=Measured(share, interval=(share - 0.01, share + 0.02) if share < 1 else (1, 1)),
        latency_ms=Measured(20 * share),
        latency_p95_ms=Measured(30 * share),
        throughput=Measured(1234 / share),
        emissions_without_idle=Measured(why_not="working and idling cannot be told apart here"),
        **energy,
    )


BASE = StepResult(
    "finetune", "fine-tuned", "steps/0-finetune", 9, 9, 100, 0.9, Measured(1.0), 1.0, served(1.0),
    cost=Cost(Measured(10.0), Measured(0.56)),
)  # fmt: skip
INT8 = StepResult(
    "quantization", "int8", "steps/1-quantization", 9, 9, 25, 0.88, Measured(0.979, interval=(0.961, 0.997)), 0.25,
    served(0.24), predicted=Predicted((0.99, 1.0), (0.2, 0.3), (0.25, 0.5), None),
)  # fmt: skip
GATES = (
    GateResult("size_mb", "<= 30", Measured(25.0), True, "passed", "25, must be <= 30"),
    GateResult("latency_ms", "<= 3", Measured(4.8), False, "missed", "missed: 4.8, must be <= 3"),
    GateResult(
        "relative_accuracy", ">= 0.97", Measured(0.979, interval=(0.961, 0.997)), True, "not shown",
        "not shown: 0.979 keeps >= 0.97, but the lower end is 0.961: about 3,500 examples are needed",
    ),
)  # fmt: skip
RUN = RunResult("r", "m", "BERT", "cpu", "cpu", 872, (BASE, INT8), GATES, {}, 1.0, summary="keeps 97.9 %")
COUNTED = Measured(0.2412, source="energy counters (RAPL 0 package-0); 10 windows", interval=(0.2381, 0.2466))


def drawn(*parts: object, width: int = 80, colour: bool = False) -> str:
    sink = io.StringIO()
    Console(file=sink, width=width, force_terminal=colour, highlight=False).print(*parts)
    return sink.getvalue()


def cells(text: str) -> list[list[str]]:
    rows = (
        line.strip("│┃\n").replace("┃", "│").split("│") for line in text.splitlines() if line.startswith(("│", "┃"))
    )
    return [[cell.strip() for cell in row] for row in rows]


def test_table_1_has_intervals_and_calls_time_derived_emissions_so() -> None:
    """They have no decimal of their own."""
    text = drawn(table(RUN), width=140)
    assert cells(text) == [
        ["Model", "Type", "% Accuracy", "% Size", "% Time", f"% Emissions, {TIME_DERIVED}"],
        ["BERT", "fine-tuned (baseline)", "100.0%", "100.0%", "100.0%", "100%"],
        ["BERT", "int8", "97.9%", "25.0%", "24.0%", "24%"],
        ["", "", "96.1 to 99.7", "", "23.0 to 26.0", ""],
    ]
    assert text.startswith("r on cpu, 872 report rows")
    assert f"energy and emissions: {POWER}" in " ".join(text.split())


def test_the_title_names_a_metric_that_is_not_accuracy() -> None:
    steps = tuple(replace(step, metric="rouge_l") for step in RUN.steps)
    told = drawn(table(replace(RUN, steps=steps)), width=140).partition("\n")[0].strip()
    assert told == "r on cpu, 872 report rows, judged by rouge_l" and "judged by" not in drawn(table(RUN), width=140)


def test_counted_emissions_have_an_interval_of_their_own() -> None:
    counted = tuple(replace(step, served=replace(step.served, emissions=COUNTED)) for step in RUN.steps)
    found = cells(drawn(table(replace(RUN, steps=counted)), width=120))
    assert found[0][5] == "% Emissions" and found[3][5] == "24.1%" and found[4][5] == "23.8 to 24.7"


def test_the_fp32_models_in_int8_s_runtime_have_rows_of_their_own() -> None:
    rows = (RuntimeResult("finetune", "ONNX Runtime", served(0.68)),)
    found = cells(drawn(table(replace(RUN, fp32_in_runtime=rows)), width=140))
    assert found[2] == ["BERT", "fine-tuned, fp32 in ONNX Runtime", "", "", "68.0%", "68%"]
    assert found[4][1] == "int8"


def test_predicted_beside_measured() -> None:
    assert cells(drawn(predictions(RUN))) == [
        ["Type", "Accuracy", "Time", "Emissions", "Size"],
        ["int8", "97.9 < 99-100", "24.0 in 20-30", "24 < 25-50", "25.0, no prediction"],
    ]


def test_serving_tells_where_power_comes_from_and_what_was_not_measured() -> None:
    text = drawn(*serving(RUN), width=120)
    assert cells(text)[1:] == [
        ["fine-tuned", "20 (30)", "1,234", "1", "1"],
        ["int8", "4.8 (7.2)", "5,142", "0.24", "0.24"],
    ]
    counted = tuple(replace(step, served=replace(step.served, emissions=COUNTED)) for step in RUN.steps)
    rows = cells(drawn(*serving(replace(RUN, steps=counted)), width=120))
    assert rows[0][3:] == ["Wh (idle)", "g CO2e", "% no idle"]
    assert rows[2][3:] == ["0.24 (0.24)", "0.24", "not measured"]
    assert TIME_DERIVED in " ".join(text.split()) and "Making them, g CO2e: fine-tuned 0.56." in text
    nothing = replace(BASE, served=Served(), cost=Cost())
    assert list(serving(replace(RUN, steps=(nothing,)))) == []


def test_gates_are_worded_apart() -> None:
    found = cells(drawn(gates(GATES), width=200))
    assert [row[-1] for row in found[1:]] == ["passed", "missed", GATES[2].words]
    assert found[3][2] == "0.979 (0.961 to 0.997)"


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("plain", [True, False])
def test_it_fits_with_colour_and_without(width: int, plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    if plain:
        monkeypatch.setenv("NO_COLOR", "1")
    text = drawn(table(RUN), predictions(RUN), *serving(RUN), gates(GATES), width=width, colour=True)
    assert bool(re.search(r"\x1b\[3[0-9]m", text)) is not plain
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(map(len, bare.splitlines())) <= width
    assert "…" not in bare


def test_markup_in_names_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    show(replace(RUN, name="[red]x[/]", steps=(BASE, replace(INT8, words="[b]int8", notes=("[i]note",)))))
    shown = capsys.readouterr()
    assert "[red]x[/] on cpu" in shown.out and "[b]int8" in shown.out and "[red]x[/]: keeps 97.9 %" in shown.out
    assert "[i]note" in shown.err


def test_notes_say_why_something_was_not_measured() -> None:
    told = list(notes(RUN))
    assert "without idle: not measured, working and idling cannot be told apart here" in told
    assert f"emissions, g CO2e: {SOURCE}" in told


def test_a_long_source_is_told_once_and_then_referred_to() -> None:
    source, rest = SOURCE.split("; ", 1)
    served = replace(INT8.served, g_per_1000=Measured(0.1, source=f"{source}; once"))
    told = list(notes(replace(RUN, steps=(BASE, replace(INT8, served=served)))))
    assert f"emissions: {source}; {rest}" in told and "g CO2e: as emissions; once" in told


def test_numbers_have_three_digits() -> None:
    assert [number(Measured(value)) for value in (0.012345, 1.234, 99.96, 1234.4)] == ["0.0123", "1.23", "100", "1,234"]
    assert number(Measured(why_not="x")) == "not measured"


def test_no_amount_has_an_exponent_and_a_missed_gate_shows_why() -> None:
    gate = GateResult("size_mb", "<= 12000", Measured(12_345.6), False)
    close = GateResult("relative_accuracy", ">= 0.95", Measured(0.94996), False)
    rows = cells(drawn(gates((gate, close)), width=120))
    assert [row[2] for row in rows[1:]] == ["12,346", "0.94996"]
    assert (number(Measured(0.0000311)), number(Measured(12_345.6))) == ("0.0000311", "12,346")


def test_a_colon_before_a_name_and_one_after_it_draw_no_picture(capsys: pytest.CaptureFixture[str]) -> None:
    show(replace(RUN, name="a:100:b", summary="keeps :fire: 97.9 %"))
    assert "a:100:b: keeps :fire: 97.9 %" in capsys.readouterr().out


def test_a_run_that_only_fine_tunes_shows_no_empty_table() -> None:
    text = drawn(*tables(replace(RUN, steps=(BASE,), gates=())))
    assert "Measured and predicted" not in text and "Gates" not in text


def test_what_was_not_measured_stands_beside_what_was_predicted() -> None:
    unmeasured = replace(INT8, served=Served(), predicted=Predicted((0.99, 1.0), (0.2, 0.3), None, (0.2549, 0.2549)))
    (row,) = cells(drawn(predictions(replace(RUN, steps=(BASE, unmeasured))), width=120))[1:]
    assert row[2] == "not measured, predicted 20-30"
    assert row[4] == "25.0 < 25.5", "one that was predicted exactly has a decimal too"
