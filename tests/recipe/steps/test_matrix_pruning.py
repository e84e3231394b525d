"""Matrix pruning: shapes that a config can express, reached in equal steps, and weights that are really gone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
import students
from few_families import FEW
from settings import refusal

from advisor.base.errors import AdviseError
from advisor.families.shape import Shape
from advisor.recipe.steps.matrix_pruning import MatrixPruning

TIED = MatrixPruning(hidden_size=24, intermediate_size=40, increments=4, epochs=1)
STEPS = dict.fromkeys(students.HEADED, TIED) | {"t5": replace(TIED, hidden_size=30, heads=3)}
OPT_350M = {
    **students.family("opt").config,
    **{"num_hidden_layers": 24, "hidden_size": 1024, "num_attention_heads": 16, "ffn_dim": 4096},
    **{"word_embed_proj_dim": 512, "do_layer_norm_before": False},
}


def widths(shapes: list[Shape]) -> list[tuple[int, int, int]]:
    return [(shape.hidden_size, shape.heads, shape.intermediate_size) for shape in shapes]


# Schedule -----------------------------------------------------------------------------------------


def test_schedule_of_bert_goes_in_equal_steps_of_whole_heads() -> None:
    bert = students.family("bert")
    step = MatrixPruning(hidden_size=448, intermediate_size=1792, increments=5)
    assert widths(step.schedule(bert, bert.config)) == [
        (704, 11, 2816),
        (640, 10, 2560),
        (576, 9, 2304),
        (512, 8, 2048),
        (448, 7, 1792),
    ]


def test_schedule_of_t5_takes_heads_and_hidden_size_apart() -> None:
    t5 = students.family("t5")
    step = MatrixPruning(hidden_size=576, heads=10, increments=4)
    assert widths(step.schedule(t5, t5.config)) == [(720, 12, 3072), (672, 11, 3072), (624, 10, 3072), (576, 10, 3072)]


@pytest.mark.parametrize("increments", [1, 2, 3, 8, 50])
@pytest.mark.parametrize("name", FEW)
def test_schedules_never_widen_and_end_at_the_target(name: str, increments: int) -> None:
    family = students.family(name)
    step = MatrixPruning(hidden_size=320, heads=5, intermediate_size=999, increments=increments)
    shapes = step.schedule(family, family.config)
    first = family.shape(family.config)
    assert len(shapes) == increments and shapes[-1] == step.target(family, first)
    for before, after in pairwise([first, *shapes]):
        assert all(now <= was for was, now in zip(widths([before])[0], widths([after])[0], strict=True))
        assert (after.layers, after.head_size) == (first.layers, first.head_size)
        assert family.shape(family.resized(family.config, after)) == after


def test_measures_are_the_whole_cut_and_the_largest_increment() -> None:
    bert = students.family("bert")
    four = {**bert.config, "num_hidden_layers": 4}
    step = MatrixPruning(hidden_size=448, intermediate_size=1792, increments=5)
    after = step.resized(bert, four)
    counts = [bert.parameters({**four, **sizes}) for sizes in ({}, *map(sizes_of, step.schedule(bert, four)))]
    cuts = [round(1 - later / earlier, 6) for earlier, later in pairwise(counts)]
    assert step.measures(bert, four, after) == {
        "removed_share": round(1 - counts[-1] / counts[0], 6),
        "share_per_increment": max(cuts),
        "hidden_removed_share": Fraction(5, 12),
        "intermediate_removed_share": Fraction(5, 12),
        "kernel_multiple": 64,
    }
    assert bert.parameters(after) == counts[-1] and 0.54 < 1 - counts[-1] / counts[0] < 0.56
    assert set(step.measures(bert, four, after)) == set(MatrixPruning.measured)


@pytest.mark.parametrize(
    ("name", "step", "hidden", "intermediate", "multiple"),
    [
        ("bert", MatrixPruning(hidden_size=640), Fraction(1, 6), 0, 128),
        ("gpt2", MatrixPruning(hidden_size=640), Fraction(1, 6), 0, 128),
        ("opt", MatrixPruning(intermediate_size=1760), 0, Fraction(41, 96), 32),
        ("t5", MatrixPruning(heads=7), 0, 0, 128),
        ("t5", MatrixPruning(hidden_size=767), Fraction(1, 768), 0, 1),
        ("t5", MatrixPruning(hidden_size=744, intermediate_size=3068), Fraction(1, 32), Fraction(1, 768), 4),
    ],
)
def test_measures_of_the_widths(
    name: str, step: MatrixPruning, hidden: Fraction, intermediate: Fraction, multiple: int
) -> None:
    family = students.family(name)
    found = step.measures(family, family.config, step.resized(family, family.config))
    assert found["hidden_removed_share"] == hidden
    assert found["intermediate_removed_share"] == intermediate
    assert found["kernel_multiple"] == multiple


def sizes_of(shape: Shape) -> dict[str, int]:
    names = ("hidden_size", "num_attention_heads", "intermediate_size")
    return dict(zip(names, widths([shape])[0], strict=True))


# Prediction ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FEW)
def test_the_model_comes_out_as_predicted_with_nothing_masked(name: str) -> None:
    step, family, whole = STEPS[name], students.family(name), students.student(name)
    before = students.config_of(whole)
    predicted = step.resized(family, before)
    smaller, told = students.finish(step.apply(whole, predicted, students.taught(name, whole)))
    after = students.config_of(smaller)
    assert family.shape(after) == family.shape(predicted)
    widths = {family.hidden_size, family.heads, family.intermediate_size, "word_embed_proj_dim"}
    assert {key for key in after if after[key] != before[key]} <= widths
    assert sum(tensor.numel() for tensor in smaller.parameters()) == family.parameters(predicted)
    for key, tensor in smaller.model.named_parameters():
        outside = "embed" in key or "wpe" in key or "wte" in key or "shared" in key
        assert outside or (tensor != 0).float().mean() > 0.99
    assert told[-1].done == told[-1].total and {one.label for one in told} == {"teacher", "prune and distil"}
    assert step.measures(family, before, after) == step.measures(family, before, predicted)


def test_narrow_embeddings_of_opt_stay_as_they_are() -> None:
    whole, family = students.student("opt", word_embed_proj_dim=16), students.family("opt")
    predicted = TIED.resized(family, students.config_of(whole))
    smaller, _ = students.finish(TIED.apply(whole, predicted, students.taught("opt", whole)))
    assert smaller.model.config.word_embed_proj_dim == 16 and smaller.model.config.hidden_size == 24
    assert sum(tensor.numel() for tensor in smaller.parameters()) == family.parameters(predicted)


@pytest.mark.parametrize(("hidden", "increments"), [(512, 8), (448, 8), (256, 3)])
def test_a_hidden_size_that_would_lose_the_projections_of_opt_is_refused(hidden: int, increments: int) -> None:
    """Where both sizes are equal the config has no projections, and the weights would not fit; on the way, too."""
    with pytest.raises(ValueError) as caught:
        MatrixPruning(hidden_size=hidden, increments=increments).resized(students.family("opt"), OPT_350M)
    assert str(caught.value) == (
        "hidden_size 512 equals word_embed_proj_dim, so the projections between them would go: "
        "choose another hidden_size, or other increments to pass it by"
    )


def test_other_hidden_sizes_of_opt_350m_are_fine() -> None:
    step = MatrixPruning(hidden_size=576)
    after = step.resized(students.family("opt"), OPT_350M)
    assert (after["hidden_size"], after["word_embed_proj_dim"]) == (576, 512)


def test_nothing_is_pruned_without_a_teacher() -> None:
    whole = students.student("bert")
    with pytest.raises(AdviseError, match="distillation needs a fine-tuned teacher"):
        students.finish(TIED.apply(whole, students.config_of(whole), students.context("bert")))


# Nonsense -----------------------------------------------------------------------------------------

LARGER, NOTHING = (
    "is larger than the model's",
    "nothing becomes narrower: give hidden_size, intermediate_size or (T5, Llama) heads",
)
REFUSED: dict[str, tuple[str, MatrixPruning, str]] = {
    "half a head": (
        "bert",
        MatrixPruning(hidden_size=440),
        "hidden_size 440 is not a multiple of the head size 64: try 448",
    ),
    "less than a head": (
        "opt",
        MatrixPruning(hidden_size=10),
        "hidden_size 10 is not a multiple of the head size 64: try 64",
    ),
    "heads of bert": (
        "bert",
        MatrixPruning(heads=6),
        "heads 6 with hidden_size 768 removes nothing in BERT: its config ties them, "
        "so hidden_size 768 means 12 heads; leave heads out",
    ),
    "other heads of gpt2": (
        "gpt2",
        MatrixPruning(heads=6, hidden_size=448),
        "heads 6 with hidden_size 448 removes nothing in GPT-2: its config ties them, "
        "so hidden_size 448 means 7 heads; leave heads out",
    ),
    "wider": ("bert", MatrixPruning(hidden_size=832), f"hidden_size 832 {LARGER} 768"),
    "wider feed-forward": ("gpt2", MatrixPruning(intermediate_size=3073), f"intermediate_size 3073 {LARGER} 3072"),
    "more heads of t5": ("t5", MatrixPruning(heads=13), f"heads 13 {LARGER} 12"),
    "nothing": ("bert", MatrixPruning(), NOTHING),
    "as it is": ("t5", MatrixPruning(hidden_size=768, heads=12, intermediate_size=3072), NOTHING),
}


@pytest.mark.parametrize(("name", "step", "message"), REFUSED.values(), ids=REFUSED)
def test_shapes_that_do_not_fit_the_model(name: str, step: MatrixPruning, message: str) -> None:
    family = students.family(name)
    with pytest.raises(ValueError) as caught:
        step.resized(family, family.config)
    assert str(caught.value) == message


def test_heads_that_agree_with_the_hidden_size_may_be_said() -> None:
    bert = students.family("bert")
    said, unsaid = (MatrixPruning(hidden_size=448, heads=heads).resized(bert, bert.config) for heads in (7, None))
    assert said == unsaid and said["num_attention_heads"] == 7


SETTINGS: list[tuple[str, Any, str]] = [
    ("hidden_size", 0, "input should be greater than 0"),
    ("heads", 1.5, "input should be a valid integer"),
    ("increments", 0, "input should be greater than 0"),
    ("increments", 1001, "input should be less than or equal to 1000"),
    ("epochs", 0, "input should be greater than 0"),
    ("temperature", 0, "input should be greater than 0"),
    ("soft_weight", 1.01, "input should be less than or equal to 1"),
    ("learning_rate", -0.1, "input should be greater than 0"),
]


@pytest.mark.parametrize(("key", "value", "message"), SETTINGS)
def test_settings_that_make_no_sense(key: str, value: Any, message: str) -> None:
    told = refusal(f"matrix_pruning: {{{key}: {value}}}")
    assert told == f"steps.0.matrix_pruning.{key}: {message}, got {value}"


# Grouped heads ------------------------------------------------------------------------------------


def test_heads_go_in_whole_key_value_groups() -> None:
    mistral = students.family("mistral")
    after = MatrixPruning(hidden_size=2048, heads=16).resized(mistral, mistral.config)
    assert (after["num_attention_heads"], after["num_key_value_heads"], after["head_dim"]) == (16, 4, 128)
    with pytest.raises(ValueError, match="heads 18: each 4 heads share a key and value, and go together: try 16"):
        MatrixPruning(heads=18).resized(mistral, mistral.config)


def test_the_hidden_size_of_llama_is_a_multiple_of_its_heads_at_every_increment() -> None:
    llama = students.family("llama")
    shapes = MatrixPruning(hidden_size=2432, heads=19).schedule(llama, llama.config)
    assert all(shape.hidden_size % shape.heads == 0 for shape in shapes)
    assert (shapes[-1].hidden_size, shapes[-1].heads) == (2432, 19)
    with pytest.raises(ValueError, match="hidden_size 2400 cannot be divided by the 19 heads: try 2394"):
        MatrixPruning(hidden_size=2400, heads=19).resized(llama, llama.config)


def test_heads_under_a_norm_over_all_of_them_are_not_cut() -> None:
    olmo2 = students.family("olmo2")
    with pytest.raises(ValueError, match="heads cannot be cut: it answers otherwise than with zeros"):
        MatrixPruning(heads=16).resized(olmo2, olmo2.config)
    assert MatrixPruning(hidden_size=2048).resized(olmo2, olmo2.config)["head_dim"] == 128
