"""Summary: one sentence about a finished run: whether it verifies anything, what was kept and saved, when that pays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.records.measuring import is_time_derived
from advisor.records.results import BASELINE_GATE, CONSTANT_GATES, GateResult, Measured, RunResult, StepResult

ACCURACIES = {"accuracy": "accuracy", "f1": "F1 score", "matthews": "Matthews correlation"}
ACCURACIES |= {"pearson": "Pearson correlation", "spearman": "Spearman correlation"}


def summary(result: RunResult) -> str:
    """Example: "keeps 97.9 % of the accuracy at 24 % of the time; pays back after 31,000 requests"."""
    last = result.steps[-1]
    warned = [words] if (words := warning(result.gates)) else []
    if last.name == "finetune":
        said = f"nothing was compressed: the baseline has {last.metric} {last.accuracy:.4f}"
        return "; ".join([*warned, said, *_gates(result)])
    shares = list(_shares(last))
    at = f" at {_listed(shares)}" if shares else ""
    return "; ".join([*warned, f"{_kept(last)}{at}", *_remarks(result)])


def warning(gates: Sequence[GateResult]) -> str:
    """What is to be read before every number: a model no better, or not shown to be, than one constant answer."""
    for state, said in (("missed", "verifies nothing: "), ("not shown", "")):
        for gate in gates:
            if gate.name in CONSTANT_GATES and gate.state == state:
                which = "the baseline" if gate.name == BASELINE_GATE else "the last model"
                return f"{said}{which} is {gate.words}"
    return ""


def _kept(last: StepResult) -> str:
    relative, what = last.relative_accuracy, ACCURACIES.get(last.metric, last.metric)
    if relative.value is None:
        return f"has {last.metric} {last.accuracy:.4f}, of which no share of the baseline is known"
    return f"keeps {percent(relative.value, 1)} of the {what}"


def _shares(last: StepResult) -> Iterator[str]:
    named = (("time", last.served.time), ("emissions", last.served.emissions), ("size", Measured(last.relative_size)))
    yield from (
        f"{percent(one.value)} of the {name}"
        for name, one in named
        if one.value is not None and not is_time_derived(one)  # it would say the same as time
    )


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _remarks(result: RunResult) -> Iterator[str]:
    served = result.steps[-1].served
    if served.time.value is None:
        yield f"time and emissions were not measured ({served.time.why_not})"
    elif result.payback.value is not None:
        yield f"pays back after {paid_back(result.payback)}"
    elif result.payback.why_not.startswith("never"):
        yield "never pays back what making it emitted"
    elif result.payback.why_not.startswith("not shown"):
        yield "not shown to pay back what making it emitted"
    yield from _gates(result)


def _gates(result: RunResult) -> Iterator[str]:
    missed = [
        gate.name.replace("_", " ") for gate in result.gates if not gate.passed and gate.name not in CONSTANT_GATES
    ]
    if missed:
        yield f"misses its gate{'s' if len(missed) > 1 else ''} on {_listed(missed)}"
    if any(gate.state == "cannot verify" for gate in result.gates):
        yield f"{result.eval_samples:,} report rows are too few to prove it"


def percent(value: float, digits: int = 0) -> str:
    """A share as people write it. Examples: 97.9 %, 24 %, and below one percent 0.42 %."""
    return f"{value * 100:.{digits if value >= 0.01 else 2}f} %"


def paid_back(after: Measured) -> str:
    """When making a model is paid back, with the interval where its ends differ in the digits that count.

    Example: "31,000 requests (28,000 to 35,000)".
    """
    low, high = map(requests, after.interval or (0, 0))
    return f"{requests(after.value or 0)} requests{f' ({low} to {high})' if low != high else ''}"


def requests(value: float) -> str:
    """A number of requests with two digits that count. Example: 31,000."""
    return f"{float(f'{value:.2g}'):,.0f}"
