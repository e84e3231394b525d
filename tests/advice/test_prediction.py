"""Predictions: exact shares of parameters and of multiplications, ranges from the evidence, nothing without it."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from advisor.advice.prediction import predict
from advisor.families import registry
from advisor.recipe.plan import plan
from advisor.recipe.recipe import ModelSource, Recipe
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step


def predicted(name: str, *steps: Step, samples: int = 25_000):  # type: ignore[no-untyped-def]
    family = registry.find(name)
    assert family is not None
    planned = plan(Recipe(1, "x", ModelSource(name), "cpu", steps), family.config)
    return predict(planned, family, samples, any(isinstance(step, Quantization) for step in steps))


NARROW = MatrixPruning(hidden_size=448, intermediate_size=1792)


@pytest.mark.parametrize(
    ("name", "steps", "share"),
    [
        ("bert", [LayerRemoval(keep=8)], Fraction(2, 3)),
        ("bert", [LayerRemoval(keep=4), NARROW], Fraction(1, 3) * Fraction(7, 12) ** 2),
        ("gpt2", [LayerRemoval(keep=6)], Fraction(1, 2)),
        ("albert", [LayerRemoval(keep=4)], Fraction(1, 3)),
        ("opt", [NARROW], Fraction(7, 12) ** 2),
        # A decoder block has a third part, cross-attention: 16 units of 768 x 768 against 12 of the encoder's.
        ("t5", [LayerRemoval(decoder_keep=6)], 1 - Fraction(6 * 16, 12 * 28)),
        ("bert", [Quantization()], Fraction(1)),
    ],
)
def test_multiplications_are_exact(name: str, steps: list[Step], share: Fraction) -> None:
    assert predicted(name, *steps).compute == pytest.approx(float(share), abs=1e-12)


def test_multiplications_of_bert_base() -> None:
    family = registry.find("bert")
    assert family is not None
    assert family.compute(family.config) == 12 * (4 * 768 * 768 + 2 * 768 * 3072)


def test_white_paper_sizes_are_met() -> None:
    assert predicted("bert", LayerRemoval(keep=8)).size.high == pytest.approx(0.742, abs=0.002)
    assert predicted("bert", LayerRemoval(keep=4)).size.high == pytest.approx(0.482, abs=0.002)


def test_nothing_is_predicted_where_there_is_no_evidence() -> None:
    assert predicted("gpt2", LayerRemoval(keep=4), NARROW).accuracy is None
    assert predicted("t5", LayerRemoval(encoder_keep=8, decoder_keep=8), samples=3_000).accuracy is None
    assert predicted("bert", LayerRemoval(keep=2)).accuracy is None
    assert predicted("llama", LayerRemoval(keep=22)).accuracy is None


def test_milder_levels_are_predicted_no_worse() -> None:
    levels = [
        predicted("bert", *steps)
        for steps in ([LayerRemoval(keep=8)], [LayerRemoval(keep=4)], [LayerRemoval(keep=4), NARROW])
    ]
    for milder, deeper in itertools.pairwise(levels):
        assert milder.accuracy.middle > deeper.accuracy.middle
        assert milder.size.high > deeper.size.high and milder.emissions.middle > deeper.emissions.middle


def test_ranges_of_level_and_int8_multiply_end_by_end() -> None:
    one, both = predicted("bert", LayerRemoval(keep=8)), predicted("bert", LayerRemoval(keep=8), Quantization())
    assert (both.emissions.low, both.emissions.high) == pytest.approx(
        (one.emissions.low * 0.30, one.emissions.high * 0.60)
    )
