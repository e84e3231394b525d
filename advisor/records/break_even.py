"""Break-even: what compressing a model emits, against what answering so many requests with it saves. Units: g CO2e."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from advisor.base.rounding import rounded
from advisor.records.carbon import payback
from advisor.records.measuring import of_two_scales, two_scales
from advisor.records.results import NO_BASELINE, Cost, Measured, RunResult, StepResult
from advisor.records.search import Spent

NOT_STATED = Measured(why_not="the number of requests is not stated (--requests)")


def making_g(steps: Sequence[StepResult]) -> Measured:
    """Emissions of all steps but the baseline: without that one there would be nothing to serve."""
    costs = [one.cost.g_co2 for one in steps if one.name != "finetune"]
    if not any(one.name == "finetune" for one in steps):
        return Measured(why_not=NO_BASELINE)
    if not costs:
        return Measured(why_not="nothing was compressed")
    return _sum(costs)


def _sum(costs: Sequence[Measured], of: str = "") -> Measured:
    missing = next((one for one in costs if one.value is None), None)
    if not missing and (reason := of_two_scales(costs)):
        return Measured(why_not=reason)
    return missing or Measured(sum(one.value or 0.0 for one in costs), source=f"{costs[-1].source}{of}")


def _useless(steps: Sequence[StepResult]) -> str:
    """Why nothing is shown to be saved: a constant answer would do as well; empty where it would not."""
    for one, which in ((steps[0], "the baseline"), (steps[-1], "the last model")):
        if one.above_constant.value is not None and one.above_constant.value <= 0:
            return f"{which} is no better than a constant answer, so nothing is shown to be saved"
    return ""


def break_even(steps: Sequence[StepResult]) -> Measured:
    """Requests after which the last model has saved what making it emitted; see `carbon.payback`."""
    cost, baseline = making_g(steps), next((one for one in steps if one.name == "finetune"), None)
    if cost.value is None or baseline is None:
        return cost
    if reason := _useless(steps):
        return Measured(why_not=reason)
    return payback(cost, baseline.served.g_per_1000, steps[-1].served.emissions)


def with_discarded(cost: Cost, earlier: Cost | None) -> Cost:
    """The cost of a step with that of an attempt at it which was discarded: it was emitted all the same."""
    if earlier is None:
        return cost
    return Cost(_with(cost.wh, earlier.wh, "Wh"), _with(cost.g_co2, earlier.g_co2, "g CO2e"))


def _with(own: Measured, earlier: Measured, unit: str) -> Measured:
    if own.value is None:
        return own
    if earlier.value is None:
        return replace(own, source=f"{own.source}; without a discarded attempt, of which nothing was counted")
    told = f"{own.source}; {rounded(earlier.value, 3)} {unit} of it for a discarded attempt"
    return replace(own, value=own.value + earlier.value, source=told)


def making_all_g(runs: Sequence[RunResult]) -> Measured:
    """Emissions of making the last model of every seed, of which one is served; and of all baselines but one."""
    costs = [making_g(run.steps) for run in runs]
    costs += [step.cost.g_co2 for run in runs[1:] for step in run.steps if step.name == "finetune"]
    return _sum(costs, f"; all {len(runs)} seeds")


def break_even_of_seeds(runs: Sequence[RunResult]) -> Measured:
    """Requests after which one seed's model has saved what making all of them emitted; means of what they emit."""
    baselines = [step.served.g_per_1000 for run in runs for step in run.steps if step.name == "finetune"]
    if reason := next(filter(None, (_useless(run.steps) for run in runs)), ""):
        return Measured(why_not=reason)
    return payback(making_all_g(runs), _mean(baselines), _mean([run.steps[-1].served.emissions for run in runs]))


def break_even_of_search(spent: Spent, g_per_1000: Measured, share: Measured) -> Measured:
    """Requests after which one model has saved what the whole search emitted, failed and stopped trials included.

    Args:
        g_per_1000: of the model. share: of the baseline's emissions.
    """
    if spent.uncounted:
        were = "was" if spent.uncounted == 1 else "were"
        return Measured(why_not=f"{spent.uncounted} of its steps {were} not counted")
    baseline = replace(g_per_1000, value=g_per_1000.value / share.value) if g_per_1000.value and share.value else share
    made = Measured(spent.g_co2, source=g_per_1000.source)  # one scale: a search takes no power log
    return payback(made, baseline, share)


def _mean(found: Sequence[Measured]) -> Measured:
    missing = next((one for one in found if one.value is None), None)
    if missing or not found:
        return missing or Measured(why_not=NO_BASELINE)
    ends = [one.interval for one in found if one.interval]
    widest = (min(low for low, _ in ends), max(high for _, high in ends)) if len(ends) == len(found) else None
    source = f"{found[0].source}; mean of {len(found)} seeds"
    return Measured(fmean([one.value or 0.0 for one in found]), source=source, interval=widest)


def net_saving(steps: Sequence[StepResult], requests: int | None) -> Measured:
    """Emissions saved once so many requests are answered, less those of making the model; negative if it costs more.

    Its interval follows from that of the share of the baseline's emissions. Example: making it emitted 5 g, 1,000
    requests emit 0.1 g with the baseline and 0.03 g with it: after 100,000 requests 7 - 5 = 2 g.
    """
    if requests is None:
        return NOT_STATED
    cost, last = making_g(steps), steps[-1].served
    baseline = next((one.served.g_per_1000 for one in steps if one.name == "finetune"), NOT_STATED)
    missing = next((one for one in (cost, baseline, last.emissions) if one.value is None), None)
    if reason := missing.why_not if missing else two_scales(cost, baseline) or _useless(steps):
        return Measured(why_not=reason)
    assert cost.value is not None and baseline.value is not None and last.emissions.value is not None
    whole, made = baseline.value * requests / 1000, cost.value
    smaller = whole * last.emissions.value
    low, high = last.emissions.interval or (last.emissions.value, last.emissions.value)
    source = (
        f"{requests:,} requests emit {rounded(whole, 3)} g CO2e with the baseline and {rounded(smaller, 3)} g "
        f"with this model, making it emitted {rounded(made, 3)} g; {last.emissions.source}"
    )
    ends = (whole * (1 - high) - made, whole * (1 - low) - made)
    return Measured(whole * (1 - last.emissions.value) - made, source=source, interval=ends)


def weighed(result: RunResult, requests: int | None) -> RunResult:
    """A finished run, weighed for another number of requests; as it is where none is given."""
    return result if requests is None else replace(result, net_saving=net_saving(result.steps, requests))


def verdict(net: Measured) -> str:
    """What a net saving means, in a few words; empty where it is not known."""
    if net.value is None:
        return ""
    low, high = net.interval or (net.value, net.value)
    if low > 0:
        return f"Compression pays: it saves {rounded(net.value, 3)} g CO2e{_ends(low, high)}"
    if high < 0:
        more = f"{rounded(-net.value, 3)} g CO2e more than it saves{_ends(-high, -low)}"
        return f"Compression does not pay: it emits {more}; serve the baseline"
    return f"Compression about breaks even: {rounded(low, 3)} to {rounded(high, 3)} g CO2e saved"


def _ends(low: float, high: float) -> str:
    return f" ({rounded(low, 3)} to {rounded(high, 3)})" if low < high else ""
