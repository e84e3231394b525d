"""Predictions: exact shares of parameters and of multiplications, ranges from the evidence, nothing without it."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from advisor.advice.prediction import Prediction, predict, size_share
from advisor.facts.facts import DataFacts
from advisor.families import registry
from advisor.recipe.plan import plan
from advisor.recipe.recipe import ModelSource, Recipe
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step


def predicted(name: str, *steps: Step, samples: int = 25_000, task: str | None = None) -> Prediction:
    family = registry.find(name)
    assert family is not None
    planned = plan(Recipe(1, "x", ModelSource(name), "cpu", steps), family.config)
    data = DataFacts(samples, task=task)
    return predict(planned, family, data, any(isinstance(step, Quantization) for step in steps), measured=False)


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


FLAN = {
    "model_type": "t5", "d_model": 512, "d_ff": 1024, "d_kv": 64, "num_heads": 6, "num_layers": 8,
    "num_decoder_layers": 8, "feed_forward_proj": "gated-gelu", "vocab_size": 32128, "tie_word_embeddings": False,
}  # fmt: skip


def test_a_model_that_classifies_by_words_need_not_keep_the_other_rows_of_its_output() -> None:
    narrow = MatrixPruning(hidden_size=320, heads=4, intermediate_size=576)
    recipe = Recipe(1, "x", ModelSource("t5"), "cpu", (LayerRemoval(encoder_keep=6, decoder_keep=6), narrow))
    planned = plan(recipe, FLAN)
    size = size_share(planned, int8=True)
    assert planned and size
    assert size.low == pytest.approx((planned.parameters - 32128 * 320) / planned.baseline_parameters / 4)
    assert size.low <= 0.09693 <= size.high  # measured: bench/README.md, real pretrained models


def test_nothing_is_predicted_where_there_is_no_evidence() -> None:
    assert predicted("gpt2", LayerRemoval(keep=4), NARROW).accuracy is None
    assert predicted("t5", LayerRemoval(encoder_keep=8, decoder_keep=8), samples=3_000).accuracy is None
    assert predicted("bert", LayerRemoval(keep=2)).accuracy is None
    assert predicted("llama", LayerRemoval(keep=22)).accuracy is None
    assert predicted("bert", LayerRemoval(keep=4), MatrixPruning(hidden_size=128)).accuracy is None


@pytest.mark.parametrize("name", ["vit", "whisper", "modernbert", "qwen2", "llama"])
def test_int8_of_a_family_that_nobody_measured_is_not_predicted(name: str) -> None:
    said = predicted(name, Quantization())
    assert said.accuracy is None and said.emissions is None and said.size is not None


def test_a_language_models_accuracy_is_not_predicted_from_classifiers() -> None:
    for steps in ([LayerRemoval(keep=8)], [Quantization()]):
        assert predicted("gpt2", *steps).accuracy is not None
        assert predicted("gpt2", *steps, task="text-generation").accuracy is None


@pytest.mark.parametrize(("keep", "low"), [(11, 0.97), (8, 0.97), (7, 0.97), (6, 0.97), (5, 0.919), (4, 0.919)])
def test_accuracy_of_a_cut_is_that_of_the_next_deeper_one_studied(keep: int, low: float) -> None:
    found = predicted("bert", LayerRemoval(keep=keep)).accuracy
    assert found and found.low == low


def test_what_the_runtime_brings_is_told_apart_from_int8() -> None:
    plain, int8 = predicted("bert", LayerRemoval(keep=8)), predicted("bert", LayerRemoval(keep=8), Quantization())
    assert plain.fp32_in_runtime is None and plain.time and int8.time and int8.fp32_in_runtime
    assert int8.time.high < int8.fp32_in_runtime.low < plain.time.low
    assert predicted("gpt2", Quantization()).fp32_in_runtime is None  # not measured


def test_a_summarizer_with_half_its_decoder_is_predicted_by_what_summarizers_kept() -> None:
    found = predicted("t5", LayerRemoval(decoder_keep=6), task="summarization")
    assert found.accuracy == (0.97, 1.01) and found.time == (0.60, 0.81)


@pytest.mark.parametrize("keep", range(3, 12))
def test_a_decoder_between_the_studied_cuts_takes_time_between_theirs(keep: int) -> None:
    """The encoder stays whole: of 12 decoder layers 6 and 3 were studied (E02)."""
    found = predicted("t5", LayerRemoval(decoder_keep=keep), task="summarization")
    deeper = predicted("t5", LayerRemoval(decoder_keep=keep - 1), task="summarization")
    assert found.time is not None and found.time == found.emissions and found.compute is not None
    assert found.time.low <= found.compute <= found.time.high or keep < 5
    if keep > 3:
        assert deeper.time is not None and deeper.time.low < found.time.low and deeper.time.high < found.time.high
    else:
        assert found.time == (0.46, 0.56) and deeper.time is None


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
