"""One sentence that a manager could read."""

from __future__ import annotations

from dataclasses import replace

from advisor.records.results import GateResult, Measured, RunResult, Served, StepResult
from advisor.runs.summary import paid_back, percent, requests, summary

BASE = StepResult("finetune", "fine-tuned", "steps/0-finetune", 9, 9, 100, 0.9, Measured(1.0), 1.0)
LAST = StepResult(
    "quantization", "int8", "steps/1-quantization", 9, 9, 25, 0.88, Measured(0.979), 0.25,
    Served(time=Measured(0.24), emissions=Measured(0.3)),
)  # fmt: skip
RUN = RunResult("r", "m", "BERT", "cpu", "cpu", 872, (BASE, LAST), (), {}, 1.0, payback=Measured(31_234.0))


def run(last: StepResult = LAST, **more: object) -> RunResult:
    return replace(RUN, steps=(BASE, last), **more)  # type: ignore[arg-type]


def test_what_is_kept_saved_and_paid_back() -> None:
    assert summary(RUN) == (
        "keeps 97.9 % of the accuracy at 24 % of the time, 30 % of the emissions and 25 % of the size; "
        "pays back after 31,000 requests"
    )


def test_when_it_pays_back_has_an_interval_or_is_not_shown() -> None:
    known = summary(run(payback=Measured(31_234.0, interval=(28_111.0, 35_000.0))))
    assert known.endswith("; pays back after 31,000 requests (28,000 to 35,000)")
    unknown = summary(run(payback=Measured(why_not="not shown to pay back: per request it emits 92 % to 101 %")))
    assert unknown.endswith("; not shown to pay back what making it emitted")


def test_what_was_not_measured_is_said() -> None:
    nothing = Measured(why_not="this machine has no cuda device")
    last = replace(LAST, served=Served(time=nothing, emissions=nothing))
    assert summary(run(last, payback=nothing)) == (
        "keeps 97.9 % of the accuracy at 25 % of the size; "
        "time and emissions were not measured (this machine has no cuda device)"
    )


def test_a_model_that_saves_nothing_and_misses() -> None:
    gate = GateResult("relative_accuracy", ">= 0.99", Measured(0.979), False, "missed", "")
    found = summary(run(payback=Measured(why_not="never: it emits more"), gates=(gate,)))
    assert found.endswith("; never pays back what making it emitted; misses its gate on relative accuracy")


def test_too_few_rows_and_another_metric() -> None:
    gate = GateResult("relative_accuracy", ">= 0.9", Measured(0.979), True, "cannot verify", "")
    found = summary(run(replace(LAST, metric="matthews"), gates=(gate,), eval_samples=71))
    assert found.startswith("keeps 97.9 % of the Matthews correlation at 24 %")
    assert found.endswith("; 71 report rows are too few to prove it")
    unknown = replace(LAST, metric="pearson", relative_accuracy=Measured(why_not="near 0"))
    assert summary(run(unknown)).startswith("has pearson 0.8800, of which no share of the baseline is known at 24 %")


def test_nothing_was_compressed() -> None:
    assert summary(replace(RUN, steps=(BASE,))) == "nothing was compressed: the baseline has accuracy 0.9000"


def test_numbers() -> None:
    assert (percent(0.979, 1), percent(0.24), percent(0.0042)) == ("97.9 %", "24 %", "0.42 %")
    assert (requests(31_234), requests(987), requests(2_777_778)) == ("31,000", "990", "2,800,000")


def test_an_interval_without_breadth_is_left_out() -> None:
    assert paid_back(Measured(12_000, interval=(11_900, 12_100))) == "12,000 requests"
    assert paid_back(Measured(31_000, interval=(28_000, 35_000))) == "31,000 requests (28,000 to 35,000)"
