"""Gates: what a finished run has to show, judged on its last model. What was not measured has not passed.

A run judges its estimates, and says where an interval or the number of report rows leaves them unproved; `advise gate`
refuses what is unproved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.base.interval import Interval
from advisor.base.rounding import rounded
from advisor.deployment.requirements import verdict
from advisor.recipe.recipe import SHARES, Recipe
from advisor.recipe.steps.quantization import MOST_DIFFERENCE, Quantization
from advisor.records.break_even import making_g
from advisor.records.results import BASELINE_GATE, MODEL_GATE, GateResult, Measured, StepResult

ENOUGH = 400  # report rows below which a relative accuracy is no proof (rule R11 of the evidence register)


def judge(recipe: Recipe, results: Sequence[StepResult], rows: int) -> tuple[GateResult, ...]:
    """The gates of every run, the recipe's (by default its goal), and int8's own. rows: that the report is made on."""
    gates = [_gate(name, bound, results, rows) for name, bound in recipe.gate_bounds().items()]
    return (*_constant_gates(results), *gates, *_int8_gates(recipe, results))


def measured(name: str, steps: Sequence[StepResult]) -> Measured:
    """A number of the last model by the name that gates use."""
    last = steps[-1]
    return {
        "relative_accuracy": last.relative_accuracy,
        "kept_beyond_chance": last.kept_beyond_chance,
        "worst_class_recall": last.worst_class_recall,
        "relative_emissions": last.served.emissions,
        "size_mb": Measured(last.size_bytes / 1e6, source="weights on disk"),
        "latency_ms": last.served.latency_ms,
        "grams_per_1000": last.served.g_per_1000,
        "grams_to_make": making_g(steps),
    }[name]


def _gate(name: str, bound: Interval, results: Sequence[StepResult], rows: int) -> GateResult:
    by_rows, number = name in SHARES, measured(name, results)
    found = verdict(bound, number, rows if by_rows else 0)
    state: str = found.state
    words = found.words
    if by_rows and rows < ENOUGH and state in ("passed", "not shown"):
        state = "cannot verify"
        words = f"cannot verify with {rows:,} report rows: {ENOUGH} or more are needed"
    passed = state not in ("missed", "not measured")
    return GateResult(name, str(bound), number, passed, state, words)


def _constant_gates(results: Sequence[StepResult]) -> Iterator[GateResult]:
    """Baseline and last model against always giving the best single answer, where the task's metric has one."""
    baseline = next((one for one in results if one.name == "finetune"), None)
    if baseline and baseline.above_constant.value is not None:
        yield _constant_gate(BASELINE_GATE, baseline)
    if results[-1] is not baseline and results[-1].above_constant.value is not None:
        yield _constant_gate(MODEL_GATE, results[-1])


def _constant_gate(name: str, model: StepResult) -> GateResult:
    found = model.above_constant
    assert found.value is not None
    if found.value <= 0:
        return GateResult(name, "> 0", found, False, "missed", f"no better than a constant answer: {found.source}")
    if found.interval and found.interval[0] <= 0:
        words = f"not shown to be better than a constant answer: {found.source}, {_ends(found.interval)}"
        return GateResult(name, "> 0", found, True, "not shown", words)
    return GateResult(name, "> 0", found, True, "passed", found.source)


def _ends(interval: tuple[float, float]) -> str:
    return f"95 % interval of the difference {rounded(interval[0])} to {rounded(interval[1])}"


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
