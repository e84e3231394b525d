"""Gates: what a finished run has to show, judged on its last model. What was not measured has not passed.

A run judges its estimates, and says where an interval or the number of report rows leaves them unproved; `advise gate`
refuses what is unproved.
"""

from __future__ import annotations

from collections.abc import Sequence

from advisor.base.interval import Interval
from advisor.deployment.requirements import verdict
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps.quantization import MOST_DIFFERENCE, Quantization
from advisor.records.results import GateResult, Measured, StepResult

ENOUGH = 400  # report rows below which a relative accuracy is no proof (rule R11 of the evidence register)


def judge(recipe: Recipe, results: Sequence[StepResult], rows: int) -> tuple[GateResult, ...]:
    """The recipe's gates (by default its goal), and int8's own. rows: that the report is made on."""
    gates = [_gate(name, bound, results[-1], rows) for name, bound in recipe.gate_bounds().items()]
    return (*gates, *_int8_gates(recipe, results))


def measured(name: str, last: StepResult) -> Measured:
    """A number of the last model by the name that gates use."""
    return {
        "relative_accuracy": last.relative_accuracy,
        "relative_emissions": last.served.emissions,
        "size_mb": Measured(last.size_bytes / 1e6, source="weights on disk"),
        "latency_ms": last.served.latency_ms,
    }[name]


def _gate(name: str, bound: Interval, last: StepResult, rows: int) -> GateResult:
    by_rows, number = name == "relative_accuracy", measured(name, last)
    found = verdict(bound, number, rows if by_rows else 0)
    state: str = found.state
    words = found.words
    if by_rows and rows < ENOUGH and state in ("passed", "not shown"):
        state = "cannot verify"
        words = f"cannot verify with {rows:,} report rows: {ENOUGH} or more are needed"
    passed = state not in ("missed", "not measured")
    return GateResult(name, str(bound), number, passed, state, words)


def _int8_gates(recipe: Recipe, results: Sequence[StepResult]) -> list[GateResult]:
    """int8 against the model just before it: accuracy on the report rows, probabilities on the selection rows."""
    step = recipe.step("quantization")
    if not isinstance(step, Quantization) or len(results) < 2:
        return []
    after, before = results[-1], results[-2]
    kept = after.accuracy / before.accuracy if before.accuracy > 0 else 0.0
    wanted, difference = step.min_relative_accuracy, after.fp32_difference
    return [
        GateResult(
            "int8 accuracy",
            f">= {wanted:g}",
            Measured(kept, source=f"against {before.words}"),
            kept >= wanted,
            "passed" if kept >= wanted else "missed",
        ),
        GateResult(
            "int8 difference",
            f"<= {MOST_DIFFERENCE:g}",
            Measured(difference, source="mean of probabilities"),
            difference is not None and difference <= MOST_DIFFERENCE,
            "passed" if difference is not None and difference <= MOST_DIFFERENCE else "missed",
        ),
    ]
