"""The gates of a run: estimates judged, and what leaves them unproved said apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.deployment.gates import judge
from advisor.recipe.recipe import Gates, ModelSource, Recipe
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.quantization import Quantization
from advisor.records.results import Cost, Measured, Served, StepResult

STEP = StepResult("finetune", "fine-tuned", "steps/0-finetune", 9, 9, 4_000_000, 0.9, Measured(1.0), 1.0)


def recipe(int8: bool = False, **gates: str) -> Recipe:
    steps = (Finetune(), Quantization()) if int8 else (Finetune(),)
    return Recipe(1, "r", ModelSource("bert"), "cpu", steps, gates=Gates(**gates))


def last(value: float | None, interval: tuple[float, float] | None = None) -> StepResult:
    return replace(STEP, relative_accuracy=Measured(value, why_not="" if value else "no baseline", interval=interval))


@pytest.mark.parametrize(
    ("value", "interval", "rows", "passed", "state", "words"),
    [
        (0.96, (0.955, 0.97), 872, True, "passed", "0.96, must be >= 0.95 (95 % interval 0.955 to 0.97)"),
        (0.96, (0.94, 0.98), 872, True, "not shown", "about 3,500 examples are needed, there are 872"),
        (0.94, (0.92, 0.96), 872, False, "missed", "missed: 0.94, must be >= 0.95"),
        (0.96, (0.955, 0.97), 399, True, "cannot verify", "cannot verify with 399 report rows: 400 or more are needed"),
        (0.94, (0.92, 0.96), 71, False, "missed", "missed: 0.94, must be >= 0.95"),
        (None, None, 872, False, "not measured", "not measured: no baseline"),
    ],
)
def test_relative_accuracy(
    value: float | None, interval: tuple[float, float] | None, rows: int, passed: bool, state: str, words: str
) -> None:
    (gate,) = judge(recipe(relative_accuracy=">= 0.95"), [last(value, interval)], rows)
    assert (gate.passed, gate.state) == (passed, state)
    assert words in gate.words


def test_other_gates_do_not_hang_on_the_rows() -> None:
    served = Served(emissions=Measured(0.4), latency_ms=Measured(why_not="this machine has no cuda device"))
    found = judge(
        recipe(relative_emissions="<= 0.5", size_mb="<= 3", latency_ms="<= 9"), [replace(STEP, served=served)], 71
    )
    assert {gate.name: gate.state for gate in found} == {
        "relative_emissions": "passed",
        "size_mb": "missed",
        "latency_ms": "not measured",
    }


def test_int8_has_gates_of_its_own() -> None:
    worse = replace(STEP, name="quantization", accuracy=0.88, fp32_difference=0.2)
    found = judge(recipe(int8=True), [STEP, worse], 872)
    assert [(gate.name, gate.passed, gate.state) for gate in found] == [
        ("int8 accuracy", False, "missed"),
        ("int8 difference", False, "missed"),
    ]
    nothing = replace(STEP, accuracy=-0.1)
    assert not judge(recipe(int8=True), [nothing, worse], 872)[0].passed


def test_grams_are_bounded_as_they_were_measured() -> None:
    served = Served(g_per_1000=Measured(0.4, interval=(0.3, 0.6)))
    made = replace(STEP, name="distillation", cost=Cost(g_co2=Measured(12.0)), served=served)
    found = judge(recipe(grams_per_1000="<= 0.5", grams_to_make="<= 10"), [STEP, made], 872)
    assert {gate.name: gate.state for gate in found} == {"grams_per_1000": "not shown", "grams_to_make": "missed"}
    (alone,) = judge(recipe(grams_to_make="<= 10"), [STEP], 872)
    assert (alone.state, alone.passed) == ("not measured", False)
    assert "nothing was compressed" in alone.words
