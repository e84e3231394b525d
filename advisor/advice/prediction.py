"""Predict accuracy, time and emissions as ranges with their sources, and size exactly.

The tables are section 6 of the evidence register (docs/evidence.md): the white paper's own figures belong to
the ranges, ranges of levels and int8 multiply end by end, a missing range of emissions takes that of time,
and where there is no evidence nothing is predicted. Emissions and time are relative to the fine-tuned
baseline on the same device; accuracy likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from advisor.families.family import Family
from advisor.recipe.levels import level_of
from advisor.recipe.plan import Plan

SMALL = 10_000  # training examples; below this the white paper saw another trend (section 5.2)


class Range(NamedTuple):
    """Everything between two ends is expected."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    def times(self, other: Range) -> Range:
        return Range(self.low * other.low, self.high * other.high)

    def __str__(self) -> str:
        return f"{self.low:.2f}" if self.low == self.high else f"{self.low:.2f}-{self.high:.2f}"


class Effect(NamedTuple):
    """What one level, or int8, does. `basis`: keys of the evidence register and how good they are."""

    accuracy: Range
    time: Range
    emissions: Range
    basis: str


class Prediction(NamedTuple):
    """What a recipe is expected to give, as shares of the baseline. None: no evidence, so nothing is said."""

    accuracy: Range | None
    time: Range | None
    emissions: Range | None
    size: Range | None
    parameters: int | None
    basis: tuple[str, ...]
    compute: float | None = None  # share of the multiplications in the blocks, exact


_TIME = {"L1": Range(0.67, 0.87), "L2": Range(0.33, 0.61), "L3": Range(0.09, 0.27)}
_EMISSIONS = {"L1": Range(0.65, 0.87), "L2": Range(0.30, 0.61), "L3": Range(0.10, 0.27)}
_BASIS = {
    "bert-like": {
        "L1": "S19, Table 1, L02; good",
        "L2": "D02, Table 1; fair",
        "L3": "S21, Table 1, D02, P03; fair",
    },
    "opt": {"L1": "S24 by analogy, L14; fair", "L2": "S21, S24; weak", "L3": "S21, S24; weak"},
    "gpt2": {"L1": "S26, L06; fair", "L2": "S26, L06; fair"},
    "encoder-decoder": {"L1": "S21, S25; weak", "L2": "S21, S25; weak", "L3": "S21, S25; weak"},
    "albert": {"L2": "section 4.5; weak on accuracy"},
}
_ACCURACY: dict[tuple[str, bool], dict[str, Range]] = {  # by family and small data
    ("bert-like", True): {"L1": Range(0.93, 1.0), "L2": Range(0.80, 0.94), "L3": Range(0.65, 0.90)},
    ("bert-like", False): {"L1": Range(0.97, 1.0), "L2": Range(0.919, 0.98), "L3": Range(0.85, 0.97)},
    ("opt", True): {"L1": Range(0.93, 1.0), "L2": Range(0.77, 0.91), "L3": Range(0.62, 0.87)},
    ("opt", False): {"L1": Range(0.96, 1.0), "L2": Range(0.889, 0.95), "L3": Range(0.82, 0.94)},
    ("gpt2", True): {"L1": Range(0.93, 1.0), "L2": Range(0.80, 0.94)},
    ("gpt2", False): {"L1": Range(0.97, 1.0), "L2": Range(0.919, 0.98)},
    ("encoder-decoder", False): {"L1": Range(0.93, 0.99), "L2": Range(0.85, 0.96), "L3": Range(0.75, 0.92)},
    ("albert", True): {"L2": Range(0.78, 0.92)},
    ("albert", False): {"L2": Range(0.919, 0.98)},
}
_OWN_TIME = {  # and emissions
    "gpt2": {"L1": Range(0.67, 0.87), "L2": Range(0.35, 0.61)},
    "albert": {"L2": Range(0.35, 0.61)},
}
_INT8 = {
    "bert-like": Effect(Range(0.99, 1.0), Range(0.29, 0.56), Range(0.30, 0.60), "S15, Q01, Q02, Q03"),
    "encoder-decoder": Effect(Range(0.97, 1.0), Range(0.45, 0.70), Range(0.45, 0.70), "S15; by analogy with Pegasus"),
    "gpt2": Effect(Range(0.99, 0.99), Range(0.50, 0.79), Range(0.50, 0.80), "S15, Q02"),
    "opt": Effect(Range(0.98, 0.99), Range(0.50, 0.70), Range(0.50, 0.70), "S15, Q03, Q12"),
    "albert": Effect(Range(0.99, 1.0), Range(0.73, 0.80), Range(0.70, 0.85), "Q02"),
    "bart": Effect(Range(0.99, 1.01), Range(0.37, 0.41), Range(0.40, 0.50), "Q02, Q03"),
}
_INT8_ANY = Effect(Range(0.99, 0.99), Range(0.50, 0.50), Range(0.50, 0.50), "S15, the white paper's one figure")
WHOLE = Range(1.0, 1.0)
# Share of the multiplications that the white paper's levels leave of BERT-base: 8 and 4 of 12 layers, and 4 of 7/12 of
# the width. A cut that leaves more than MARGIN times as much is no such level.
COMPUTE = {"L1": 2 / 3, "L2": 1 / 3, "L3": 1 / 3 * (7 / 12) ** 2}
MARGIN = 1.15


def level_effect(group: str, level: str, samples: int) -> Effect | None:
    """What a level does to a family's models; None where nothing is known."""
    accuracy = _ACCURACY.get((group, samples < SMALL), {}).get(level)
    if accuracy is None:
        return None
    time, emissions = (_OWN_TIME.get(group, usual)[level] for usual in (_TIME, _EMISSIONS))
    return Effect(accuracy, time, emissions, _BASIS[group][level])


def int8_effect(group: str) -> Effect:
    """What int8 on a CPU does; the white paper's own figures where the family has none."""
    return _INT8.get(group, _INT8_ANY)


def predict(plan: Plan | None, family: Family | None, samples: int | None, int8: bool, group: str = "") -> Prediction:
    """Predict a recipe's effect.

    Args:
        plan: None for a model whose family is not described; then only int8 can be predicted.
        group: whose ranges to use; by default the family's own.
    """
    if plan and plan.problems:
        return Prediction(None, None, None, None, None, ())
    group = group or (family.predicted_as if family else "")
    effects: list[Effect | None] = []
    compute = _compute(plan)
    level = level_of(plan) if plan else ""
    if level is None or (level and samples is None):
        effects.append(None)
    elif level:
        effects.append(_as_deep(level_effect(group, level, samples or 0), group, level, compute or 0))
    if int8 and not (plan and plan.given):
        effects.append(int8_effect((family.int8_as if family else "") or group))
    size = _size(plan, int8)
    parameters = plan.parameters if plan else None
    if None in effects:
        return Prediction(None, None, None, size, parameters, (), compute)
    accuracy, time, emissions = WHOLE, WHOLE, WHOLE
    for effect in effects:
        if effect:
            accuracy, time = accuracy.times(effect.accuracy), time.times(effect.time)
            emissions = emissions.times(effect.emissions)
    return Prediction(accuracy, time, emissions, size, parameters, tuple(one.basis for one in effects if one), compute)


def _as_deep(effect: Effect | None, group: str, level: str, compute: float) -> Effect | None:
    """A level's effect for a cut that leaves more to compute than the level does: no better than that share allows.

    compute: the exact share of the multiplications that is left.
    """
    if effect is None or compute <= COMPUTE[level] * MARGIN:
        return effect
    time, emissions = (_share_range(_OWN_TIME.get(group, usual), compute) for usual in (_TIME, _EMISSIONS))
    return effect._replace(time=time, emissions=emissions)


def _share_range(levels: Mapping[str, Range], compute: float) -> Range:
    """From the exact share up to what the levels' upper ends come to between them, and at no cut to the whole."""
    ends = [(1.0, 1.0), *((COMPUTE[level], range_.high) for level, range_ in levels.items())]
    for (more, above), (less, below) in pairwise(ends):
        if compute >= less:
            high = below + (above - below) * (compute - less) / (more - less)
            return Range(min(compute, high), high)
    return Range(min(compute, ends[-1][1]), ends[-1][1])


def _compute(plan: Plan | None) -> float | None:
    if plan is None or not plan.steps:
        return None
    family, config = plan.last
    return family.compute(config) / plan.family.compute(plan.steps[0].before)


def _size(plan: Plan | None, int8: bool) -> Range | None:
    """Share of the baseline's bytes: exact without int8; with it, embeddings may stay in fp32 or not (Q08)."""
    if plan is None:
        return None
    share = plan.parameters / plan.baseline_parameters
    if not int8:
        return Range(share, share)
    family, config = plan.last if plan.steps else (plan.family, {})
    embeddings = family.embeddings(config) / plan.parameters
    return Range(share * 0.25, share * (embeddings + (1 - embeddings) * 0.25))
