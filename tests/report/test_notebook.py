"""Results in a notebook say what the same tables say on the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import small_runs

import advisor
from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import GateResult, Measured, RuntimeResult
from advisor.report.notebook import run_html, run_text

RECIPE = """version: 1
name: x
model: {source: t5, family: t5}
data: {samples: 3000, eval_samples: 1500, task: summarization}
device: cpu
steps: [finetune, {layer_removal: {encoder_keep: 12, decoder_keep: 6}}, distillation]
"""


def test_emissions_that_are_processor_time_are_called_so() -> None:
    run = small_runs.result()
    derived = Measured(0.312, source=f"{TIME_DERIVED}: this process's processor time")
    steps = tuple(replace(step, served=replace(step.served, emissions=derived)) for step in run.steps)
    assert TIME_DERIVED in run_html(replace(run, steps=steps)) and TIME_DERIVED not in run_html(run)


def test_the_fp32_models_in_int8_s_runtime_have_rows_here_too() -> None:
    run = small_runs.result()
    rows = (RuntimeResult("finetune", "ONNX Runtime", run.steps[0].served),)
    page = run_html(replace(run, fp32_in_runtime=rows))
    assert "fine-tuned, fp32 in ONNX Runtime" in page and page.count("<tr>") == run_html(run).count("<tr>") + 1


def test_a_gate_shows_what_was_required_and_a_number_on_its_side() -> None:
    gate = GateResult("relative_accuracy", ">= 0.95", Measured(0.94996), False)
    page = run_html(small_runs.result(gates=(gate,)))
    assert ">required<" in page and ">0.94996<" in page


def test_the_text_of_a_run_has_no_colours_and_no_pictures() -> None:
    text = run_text(small_runs.result(name="a:fire:b"))
    assert "a:fire:b" in text and "\x1b" not in text


def test_what_to_do_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(RECIPE)
    assert ">allowed at 10,000 samples<" in advisor.check(tmp_path / "x.yaml")._repr_html_()
