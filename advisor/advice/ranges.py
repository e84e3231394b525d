"""Ranges of the evidence register (docs/evidence.md, section 6): what a cut, and what int8, does to a family's models.

All are shares of the fine-tuned baseline on the same device. A cut is known by the share of the multiplications that
it leaves, which is exact; accuracy is that of the nearest studied cut which leaves no more, so that it promises less
rather than more. Where nobody has measured anything there is no range.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from advisor.facts.tasks import USUAL
from advisor.recipe.plan import Plan

OF_CLASSIFIERS = "from text classifiers"  # the basis of a cut's range where another task is asked for
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
        low, high = f"{self.low:.2f}", f"{self.high:.2f}"
        return low if low == high else f"{low}-{high}"


class Effect(NamedTuple):
    """What one cut, or int8, does. `basis`: keys of the evidence register and how good they are."""

    accuracy: Range
    time: Range
    emissions: Range
    basis: str


class Cut(NamedTuple):
    """What a recipe's structural steps leave.

    compute: share of the multiplications in the blocks, exact. layers: share of the layers of the stack that loses
    most. narrowed: matrices were pruned. decoder_only: an encoder-decoder keeps its whole encoder.
    """

    compute: float
    layers: float
    narrowed: bool
    decoder_only: bool

    @property
    def depth(self) -> float:
        """The share by which its accuracy is looked up."""
        return min(self.compute, self.layers)


# Share of the multiplications that the studied cuts leave: 8, 6 and 4 of 12 layers, and 4 of 7/12 of the width.
STUDIED = {"L1": 2 / 3, "half": 1 / 2, "L2": 1 / 3, "L3": 1 / 3 * (7 / 12) ** 2}
MARGIN = 1.15  # two cuts are alike up to this ratio of what they leave
FEWEST_LAYERS = 0.3  # the smallest share of the layers that was studied, with the margin of rounding
_TIME = {"L1": Range(0.67, 0.87), "half": Range(0.49, 0.75), "L2": Range(0.33, 0.61), "L3": Range(0.09, 0.27)}
_EMISSIONS = {"L1": Range(0.65, 0.87), "half": Range(0.48, 0.75), "L2": Range(0.30, 0.61), "L3": Range(0.10, 0.27)}
_OWN_TIME = {  # and emissions
    "gpt2": {"L1": Range(0.67, 0.87), "L2": Range(0.35, 0.61)},
    "albert": {"L2": Range(0.35, 0.61)},
}
_BASIS = {
    "bert-like": {
        "L1": "S19, Table 1, L02; good",
        "half": "L04, L05, L09, D02; good, interpolated",
        "L2": "D02, Table 1; fair",
        "L3": "S21, Table 1, D02, P03; fair",
    },
    "opt": {"L1": "S24 by analogy, L14; fair", "L2": "S21, S24; weak", "L3": "S21, S24; weak"},
    "gpt2": {"L1": "S26, L06; fair", "L2": "S26, L06; fair"},
    "encoder-decoder": {"L1": "S21, S25; weak", "L2": "S21, S25; weak", "L3": "S21, S25; weak"},
    "albert": {"L2": "section 4.5; weak on accuracy"},
}
_ACCURACY: dict[tuple[str, bool], dict[str, Range]] = {  # by family and small data
    ("bert-like", True): {
        "L1": Range(0.93, 1.0), "half": Range(0.93, 0.98), "L2": Range(0.80, 0.94), "L3": Range(0.65, 0.90),
    },
    ("bert-like", False): {
        "L1": Range(0.97, 1.0), "half": Range(0.97, 0.99), "L2": Range(0.919, 0.98), "L3": Range(0.85, 0.97),
    },
    ("opt", True): {"L1": Range(0.93, 1.0), "L2": Range(0.77, 0.91), "L3": Range(0.62, 0.87)},
    ("opt", False): {"L1": Range(0.96, 1.0), "L2": Range(0.889, 0.95), "L3": Range(0.82, 0.94)},
    ("gpt2", True): {"L1": Range(0.93, 1.0), "L2": Range(0.80, 0.94)},
    ("gpt2", False): {"L1": Range(0.97, 1.0), "L2": Range(0.919, 0.98)},
    ("encoder-decoder", False): {"L1": Range(0.93, 0.99), "L2": Range(0.85, 0.96), "L3": Range(0.75, 0.92)},
    ("albert", True): {"L2": Range(0.78, 0.92)},
    ("albert", False): {"L2": Range(0.919, 0.98)},
}  # fmt: skip
# An encoder-decoder that generates and keeps its encoder, by the share of the decoder's layers: accuracy, time (and
# emissions), basis; large data. At a quarter time is that of DistilBART with 12 and 3 layers alone (E02): the
# register's 0.24 is of models whose encoder was narrowed, too.
_DECODER = (
    (0.5, Range(0.97, 1.01), Range(0.60, 0.81), "E02, E03; good for summaries only"),
    (0.25, Range(0.93, 0.98), Range(0.46, 0.56), "E02; fair, for summaries only"),
)
_INT8 = {
    "bert-like": Effect(Range(0.99, 1.0), Range(0.29, 0.56), Range(0.30, 0.60), "S15, Q01, Q02, Q03"),
    "encoder-decoder": Effect(Range(0.97, 1.0), Range(0.45, 0.70), Range(0.45, 0.70), "S15; by analogy with Pegasus"),
    # Others give GPT-2's perplexity only; as a classifier a small GPT-2 kept 0.999 to 1.000 here (bench/README.md).
    "gpt2": Effect(Range(0.98, 1.0), Range(0.50, 0.79), Range(0.50, 0.80), "S15, Q02 and own int8 runs; weak"),
    "opt": Effect(Range(0.98, 0.99), Range(0.50, 0.70), Range(0.50, 0.70), "S15, Q03, Q12"),
    "albert": Effect(Range(0.99, 1.0), Range(0.73, 0.80), Range(0.70, 0.85), "Q02"),
    "bart": Effect(Range(0.99, 1.01), Range(0.37, 0.41), Range(0.40, 0.50), "Q02, Q03"),
}
# Time of an fp32 BERT in the runtime that serves int8, as a share of the same model's in PyTorch: the hull of two
# models' intervals in batches of 32, in which all four later values of a quiet machine lie (0.89 to 0.97,
# bench/README.md). Single requests take 0.37, and are not predicted. Ranges of int8 are within one runtime.
RUNTIME = {"bert-like": Range(0.83, 1.02)}


def cut_of(plan: Plan) -> Cut:
    """What a plan's structural steps leave."""
    kept = plan.measures.get("layer_removal.keep_share", 1)
    encoder = plan.measures.get("layer_removal.encoder_removed_share", 0)
    narrowed = "matrix_pruning.removed_share" in plan.measures
    alone = kept != 1 and not encoder and not narrowed and len(plan.family.stacks) > 1
    compute = plan.compute_share(plan.steps[-1]) if plan.steps else 1.0
    return Cut(compute, float(kept), narrowed, alone)  # type: ignore[arg-type]


def cut_effect(group: str, cut: Cut, samples: int, task: str | None = None) -> Effect | None:
    """What a cut does to a family's models; None where nothing is known.

    Accuracy of a language model is none of a classifier's, and nobody has measured it as a share.
    """
    if task in ("summarization", "translation") and cut.decoder_only and group == "encoder-decoder":
        return _of_decoder(cut.layers) if samples >= SMALL else None
    if cut.layers < FEWEST_LAYERS or task == "text-generation":
        return None
    known = _ACCURACY.get((group, samples < SMALL), {})
    level = next((name for name in known if cut.depth * _rounding(cut, name) >= STUDIED[name]), None)
    if level is None or (cut.narrowed and "L3" not in known):
        return None
    time, emissions = (_of_share(_OWN_TIME.get(group, usual), cut.compute) for usual in (_TIME, _EMISSIONS))
    basis = _BASIS[group][level]
    basis = basis if task in (None, USUAL) else f"{basis.partition(';')[0]}; {OF_CLASSIFIERS}"
    return Effect(known[level], time, emissions, basis)


def _of_decoder(share: float) -> Effect | None:
    """What a decoder with this share of its layers does: accuracy of the next deeper studied one, time between two."""
    before, above = 1.0, Range(1.0, 1.0)
    for least, accuracy, time, basis in _DECODER:
        if share >= least:
            part = (share - least) / (before - least)
            between = Range(*(low + (high - low) * part for low, high in zip(time, above, strict=True)))
            return Effect(accuracy, between, between, basis)
        before, above = least, time
    return None


def _rounding(cut: Cut, level: str) -> float:
    """Whole layers, and the deepest level's widths, are no exact shares: 3 of 10 layers are a third."""
    return MARGIN if level == "L3" or not cut.narrowed else 1.0


def int8_effect(group: str) -> Effect | None:
    """What int8 on a CPU does; None where nobody has measured this family: the white paper names no model."""
    return _INT8.get(group)


def _of_share(levels: Mapping[str, Range], compute: float) -> Range:
    """A studied cut's range; else from the exact share up to what the studied cuts' upper ends come to between them."""
    for name, range_ in levels.items():
        if STUDIED[name] / MARGIN <= compute <= STUDIED[name] * MARGIN:
            low = min(range_.low, compute) if compute <= STUDIED[name] else max(range_.low, compute)
            return Range(min(low, range_.high), range_.high)
    ends = [(1.0, 1.0), *((STUDIED[name], range_.high) for name, range_ in levels.items())]
    for (more, above), (less, below) in pairwise(ends):
        if compute >= less:
            high = below + (above - below) * (compute - less) / (more - less)
            return Range(min(compute, high), high)
    return Range(min(compute, ends[-1][1]), ends[-1][1])
