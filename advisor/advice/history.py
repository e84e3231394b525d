"""History: predicted ranges narrowed by the user's own past runs. Pure: the same runs always narrow alike.

Own runs count for a prediction when they have its model type, task, share of the multiplications (within 15 %), int8 or
not, data regime (below or from 10,000 examples) and kind of device; those on the same data set alone, where there are
enough.
With at least three of them the next run is expected, with 95 % confidence, within

    mean ± t · s · sqrt(1 + 1/n)        (prediction interval for one more normal value)

Where that interval is narrower than the range, or shares nothing with it, or there was no evidence, it stands in the
range's place: whole, as the part that both share would hold less often than 95 %. Runs of the same recipe, model and
data are one experiment, not several: the latest counts. What a model keeps whose layers were removed and that was not
distilled does not count: advice never leaves it so. Neither does a run whose baseline is no better than one constant
answer: shares of it mean nothing.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from advisor.advice.prediction import Prediction
from advisor.advice.ranges import MARGIN, SMALL, Range
from advisor.facts.facts import Facts
from advisor.facts.tasks import USUAL, left_out_of_means
from advisor.recipe.recipe import OwnRuns
from advisor.records.measuring import TIME_DERIVED
from advisor.runs.record import Quantity, Record, StepRecord

FEWEST = 3  # own runs; two would give an interval thirteen standard deviations wide to each side
ENOUGH_ROWS = 400  # report rows below which a relative accuracy is no proof (rule R11 of the evidence register)
LEAST_HALF_WIDTH = 0.01  # runs that agree to the last digit still promise no more than this
QUANTITIES = {"accuracy": "relative_accuracy", "time": "relative_time", "emissions": "relative_emissions"}
# 97.5 % points of Student's t for 1 to 30 degrees of freedom; beyond, the last is a little wide.
T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
DISTILS = ("distillation", "matrix_pruning")  # steps that train a student
State = tuple[float, bool]  # share of the multiplications; int8 or not


class Narrowed(NamedTuple):
    """One range of a prediction and what own runs made of it. before: None where nothing was predicted."""

    quantity: str
    before: Range | None
    after: Range
    runs: int
    disjoint: bool

    def __str__(self) -> str:
        what = f"{QUANTITIES[self.quantity].replace('_', ' ')} {self.after} from {self.runs} own runs"
        if self.before is None:
            return f"{what}, where there was no evidence"
        if self.disjoint:
            return f"{what}, which lie outside the {self.before} of the evidence"
        return f"{what}, was {self.before}"


class History(NamedTuple):
    """Own runs like the one that is asked about. own: their values by state and quantity. sha256: of their ids."""

    runs: int
    sha256: str
    own: Mapping[State, Mapping[str, Sequence[float]]]

    def narrow(self, said: Prediction, int8: bool) -> tuple[Prediction, tuple[Narrowed, ...]]:
        """The prediction with its ranges narrowed, and what was done to each."""
        own = self._like(said.compute, int8)
        told = [
            _narrowed(name, getattr(said, name), own[name]) for name in QUANTITIES if len(own.get(name, ())) >= FEWEST
        ]
        found = [one for one in told if one]
        if not found:
            return said, ()
        basis = (*said.basis, f"{max(one.runs for one in found)} own runs")
        ranges: dict[str, Any] = {one.quantity: one.after for one in found}
        return said._replace(basis=basis, **ranges), tuple(found)

    def _like(self, compute: float | None, int8: bool) -> dict[str, list[float]]:
        """Values of all states that leave about as much to compute, by quantity."""
        found: dict[str, list[float]] = {}
        for (share, is_int8), values in self.own.items():
            if compute and is_int8 == int8 and max(share, compute) <= MARGIN * min(share, compute):
                for name, some in values.items():
                    found.setdefault(name, []).extend(some)
        return found

    def stamp(self, narrowed: Iterable[Narrowed]) -> OwnRuns:
        """What the recipe says of it."""
        ends = {QUANTITIES[one.quantity]: f"{one.after.low:.6g}..{one.after.high:.6g}" for one in narrowed}
        return OwnRuns(self.runs, self.sha256, **ends)


def gather(records: Iterable[Record], facts: Facts, model_type: str = "") -> History:
    """The runs that count for a model, data and device; none where the number of examples is unknown.

    Args:
        model_type: of the model; by default its family's name, by which rules know some types of one kind together.
    """
    latest: dict[tuple[str, ...], Record] = {}
    for one in sorted(records, key=lambda one: (one.finished, one.id)):
        if _alike(one, facts, model_type or facts.model.family) and _has_learned(one):
            latest[one.recipe, one.model, one.data_sha256 or one.data] = one
    same = {key: one for key, one in latest.items() if facts.data.source and one.data == facts.data.source}
    latest = same if len(same) >= FEWEST else latest
    own: dict[State, dict[str, list[float]]] = {}
    for run in latest.values():
        for state, name, value in _values(run):
            own.setdefault(state, {}).setdefault(name, []).append(value)
    ids = "\n".join(sorted(run.id for run in latest.values()))
    return History(len(latest), hashlib.sha256(ids.encode()).hexdigest(), own)


def _alike(one: Record, facts: Facts, model_type: str | None) -> bool:
    if one.samples is None or facts.data.samples is None:
        return False
    same_regime = (one.samples < SMALL) == (facts.data.samples < SMALL)
    same_task = (one.facts.get("data.task") or USUAL) == (facts.data.task or USUAL)
    return same_regime and same_task and one.family == model_type and one.device == facts.device.kind


def _has_learned(run: Record) -> bool:
    """Is its baseline better than one constant answer, as far as the record knows? Else shares of it mean nothing."""
    baseline = next((step for step in run.steps if step.name == "finetune"), None)
    found = baseline.quantity("above_constant") if baseline else None
    return found is None or shown_to_learn(found)


def shown_to_learn(above_constant: Quantity) -> bool:
    """Whether what a baseline has above one constant answer is more than chance, by the interval where there is one."""
    least = above_constant.interval[0] if above_constant.interval else above_constant.value
    return least is None or least > 0


def _values(run: Record) -> Iterator[tuple[State, str, float]]:
    """What a run shows of each state that its model went through: the last model that had it."""
    last: dict[State, tuple[StepRecord, bool]] = {}
    distilled = True
    for step in run.steps:
        distilled = step.name != "layer_removal" and (distilled or step.name in DISTILS)
        compute = step.quantity("relative_compute")
        if compute and compute.value:
            last[compute.value, step.int8] = step, distilled
    for state, (step, proves) in last.items():
        for name, quantity in QUANTITIES.items():
            found = step.quantity(quantity)
            if found is None or found.value is None or (name == "accuracy" and not (proves and _proves(run))):
                continue
            if name == "emissions" and found.source.startswith(TIME_DERIVED):
                continue  # it is the time once more
            if state != (1.0, False):  # the baseline is 1 by definition
                yield state, name, found.value


def _proves(run: Record) -> bool:
    """Is this run's relative accuracy one to count on, alone and in a mean over tasks?"""
    return run.eval_samples >= ENOUGH_ROWS and not left_out_of_means(run.data)


def _narrowed(quantity: str, before: Range | None, own: Sequence[float]) -> Narrowed | None:
    """What own runs make of a range; None where they would only widen it."""
    mine = expected(own)
    if before is None:
        return Narrowed(quantity, None, mine, len(own), False)
    disjoint = mine.low > before.high or mine.high < before.low
    narrower = mine.high - mine.low < before.high - before.low
    return Narrowed(quantity, before, mine, len(own), disjoint) if disjoint or narrower else None


def expected(own: Sequence[float]) -> Range:
    """Where one more value like these is expected with 95 % confidence; never below 0."""
    count = len(own)
    half = T[min(count - 1, len(T)) - 1] * statistics.stdev(own) * math.sqrt(1 + 1 / count)
    mean, half = statistics.fmean(own), max(half, LEAST_HALF_WIDTH)
    return Range(max(0.0, mean - half), max(0.0, mean + half))
