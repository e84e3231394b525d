"""Gates: what a finished run has to show, judged on its last model. What was not measured has not passed."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.interval import Interval
from advisor.recipe import Recipe
from advisor.results import GateResult, Measured, StepResult
from advisor.steps.quantization import MOST_DIFFERENCE, Quantization


def judge(recipe: Recipe, results: Sequence[StepResult]) -> tuple[GateResult, ...]:
    """The recipe's gates (by default its goal), and int8's own."""
    gates = [_gate(name, bound, results[-1]) for name, bound in recipe.gate_bounds().items()]
    return (*gates, *_int8_gates(recipe, results))


def _gate(name: str, bound: Interval, last: StepResult) -> GateResult:
    measured = {
        "relative_accuracy": last.relative_accuracy,
        "relative_emissions": last.served.emissions,
        "size_mb": Measured(last.size_bytes / 1e6, source="weights on disk"),
        "latency_ms": last.served.latency_ms,
    }[name]
    passed = measured.value is not None and bound.holds(measured.value)
    return GateResult(name, str(bound), measured, passed)


def _int8_gates(recipe: Recipe, results: Sequence[StepResult]) -> list[GateResult]:
    """int8 against the model just before it: accuracy on the report rows, probabilities on the selection rows."""
    step = recipe.step("quantization")
    if not isinstance(step, Quantization) or len(results) < 2:
        return []
    after, before = results[-1], results[-2]
    kept = after.accuracy / before.accuracy if before.accuracy else 0.0
    wanted, difference = step.min_relative_accuracy, after.fp32_difference
    return [
        GateResult(
            "int8 accuracy",
            f">= {wanted:g}",
            Measured(kept, source=f"against {before.words}"),
            kept >= wanted,
        ),
        GateResult(
            "int8 difference",
            f"<= {MOST_DIFFERENCE:g}",
            Measured(difference, source="mean of probabilities"),
            difference is not None and difference <= MOST_DIFFERENCE,
        ),
    ]
