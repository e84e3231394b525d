"""Matrix pruning: what matters least goes first, heads of T5 alike, and the exact shape is reached in increments."""

from __future__ import annotations

import copy

import pytest
import students
import torch
from few_families import FEW
from torch import Tensor

from advisor.compute.data.batches import Batch
from advisor.compute.structure.proven import structure_of
from advisor.compute.structure.surgery import narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.gradual_pruning import Scores, choose, cut, importance, prune_in_increments
from advisor.compute.training.loop import Schedule
from advisor.families.shape import Shape
from advisor.recipe.steps.matrix_pruning import MatrixPruning


def shape_of(one: Scorer, name: str) -> Shape:
    return students.family(name).shape(students.config_of(one))


def chosen(one: Scorer, scores: Scores, **sizes: int) -> dict[tuple[str, str], list[int]]:
    structure = structure_of(one.model)
    return choose(scores, structure, {**structure.sizes, **sizes})


# Importance ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["hidden", "heads", "ffn"])
@pytest.mark.parametrize("name", FEW)
def test_units_without_weights_have_no_importance_and_go_first(name: str, unit: str) -> None:
    one, number = students.student(name), 2
    students.silence(one, unit, number)
    scores = importance(one, students.context(name))
    kept = chosen(one, scores, **{unit: structure_of(one.model).sizes[unit] - 1})
    assert [site for _, site in kept] == structure_of(one.model).sites(unit)
    for place, stays in kept.items():
        assert stays == sorted(stays)
        (gone,) = set(range(len(scores[place]))) - set(stays)
        assert scores[place][number] == scores[place][gone] == 0 < scores[place].sum()  # a ReLU may silence others


@pytest.mark.parametrize("name", students.HEADED)
def test_blocks_are_judged_apart(name: str) -> None:
    one = students.student(name)
    site = structure_of(one.model).sites("ffn")[1]
    students.silence(one, "ffn", 5, site)
    scores = importance(one, students.context(name))
    assert [where for (unit, where), score in scores.items() if unit == "ffn" and score[5] == 0] == [site]


def test_cross_attention_is_judged_apart_from_self_attention() -> None:
    one, site = students.student("t5"), "decoder.block.2.layer.1"
    students.silence(one, "heads", 3, site)
    scores = importance(one, students.context("t5"))
    assert [where for (unit, where), score in scores.items() if unit == "heads" and score[3] == 0] == [site]


def test_importance_by_hand() -> None:
    """|sum of weight x gradient| of a neuron's weights, for each batch, summed over the batches."""
    one, context, block, neuron = students.student("bert"), students.context("bert"), 2, 7
    expected = 0.0
    for batch in context.batches(context.train, size=8):
        one.zero_grad()
        students.label_loss(one, batch).backward()
        layer = one.model.bert.encoder.layer[block]
        into, out = layer.intermediate.dense, layer.output.dense
        products = (into.weight * into.weight.grad)[neuron].sum() + (into.bias * into.bias.grad)[neuron]
        expected += float((products + (out.weight * out.weight.grad)[:, neuron].sum()).abs().detach())
    found = importance(one, context)["ffn", f"bert.encoder.layer.{block}"][neuron]
    assert float(found) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", FEW)
def test_the_important_half_of_the_neurons_is_worth_more_than_the_other(name: str) -> None:
    """Without it the loss of the batches moves further away from what it was."""
    one, context = students.student(name), students.context(name)
    scores = importance(one, context)
    moved = []
    for sign in (1, -1):
        smaller = narrow(one, chosen(one, {key: sign * score for key, score in scores.items()}, ffn=48)).eval()
        with torch.no_grad():
            moved.append(sum(distance(one, smaller, batch) for batch in context.batches(context.train)))
    assert moved[0] < 0.9 * moved[1]


def distance(one: Scorer, other: Scorer, batch: Batch) -> float:
    return float((students.label_loss(one, batch) - students.label_loss(other, batch)).abs())


def test_blocks_of_t5_keep_the_same_heads_and_those_of_bert_their_own() -> None:
    for name, sites in (("t5", 2 + 3), ("bert", 4)):  # two stacks of T5, and cross-attention of three blocks
        one = students.student(name)
        kept = chosen(one, importance(one, students.context(name)), heads=2)
        assert len(kept) == sites and {unit for unit, _ in kept} == {"heads"}


# Increments ---------------------------------------------------------------------------------------

TARGETS = {
    "bert": MatrixPruning(hidden_size=24, intermediate_size=40, increments=3),
    "gpt2": MatrixPruning(hidden_size=24, intermediate_size=40, increments=3),
    "opt": MatrixPruning(hidden_size=24, intermediate_size=40, increments=3),
    "t5": MatrixPruning(hidden_size=30, heads=3, intermediate_size=40, increments=3),
}


@pytest.mark.parametrize("name", FEW)
def test_increments_end_at_the_exact_shape(name: str) -> None:
    one, context = students.student(name), students.taught(name)
    shapes = TARGETS[name].schedule(students.family(name), students.config_of(one))
    met, distil = list[Shape](), students.distilling(context)

    def loss(student: Scorer, batch: Batch) -> Tensor:
        met.append(shape_of(student, name))
        return distil(student, batch)

    smaller, told = students.finish(prune_in_increments(one, context, shapes, loss, Schedule("prune", 1e-3, epochs=2)))
    assert shape_of(smaller, name) == shapes[-1]
    assert list(dict.fromkeys(map(str, met))) == list(map(str, shapes))
    predicted = students.family(name).parameters(students.config_of(smaller))
    assert sum(tensor.numel() for tensor in smaller.parameters()) == predicted
    assert [(one.label, one.done, one.total) for one in told] == [("prune", done, 12) for done in range(1, 13)]
    assert told[-1].note.startswith("selection accuracy ")


def test_training_between_the_increments_uses_all_rows() -> None:
    """Three increments share one epoch: each goes on where the one before it ended."""
    one, context = students.student("bert"), students.taught("bert")
    shapes = MatrixPruning(intermediate_size=60, increments=3).schedule(context.family, students.config_of(one))
    seen: list[int] = []

    def loss(student: Scorer, batch: Batch) -> Tensor:
        seen.extend(batch.rows.tolist() if student.training else ())
        return students.label_loss(student, batch)

    students.finish(prune_in_increments(one, context, shapes, loss, Schedule("prune", 1e-3, epochs=2)))
    assert sorted(seen[:96]) == sorted(seen[96:]) == list(range(96))


@pytest.mark.parametrize("name", FEW)
def test_it_is_known_which_channels_stay(name: str) -> None:
    """Channels 5 to 28 are silent; two cuts take them all and no other."""
    one, context = students.student(name), students.context(name)
    for channel in range(5, 29):
        students.silence(one, "hidden", channel)
    assert one.channels.tolist() == list(range(48))
    for heads in (3, 2):
        one = cut(one, context, shape_of(one, name)._replace(hidden_size=12 * heads, heads=heads))
    assert one.channels.tolist() == [*range(5), *range(29, 48)]


def test_a_shape_that_is_reached_already_changes_nothing() -> None:
    one = students.student("gpt2")
    weights = copy.deepcopy(one.state_dict())
    assert cut(one, students.context("gpt2"), shape_of(one, "gpt2")) is one
    assert all(torch.equal(value, weights[key]) for key, value in one.state_dict().items())


@pytest.mark.parametrize("name", FEW)
def test_a_cut_that_takes_only_silent_units_changes_no_score(name: str) -> None:
    """Half of the neurons are silent, and no others go; in T5 a head too, whose config holds heads apart."""
    one = students.student(name)
    for neuron in range(0, 96, 2):
        students.silence(one, "ffn", neuron)
    heads = 4
    if name == "t5":
        heads = 3
        students.silence(one, "heads", 1)
    shape = shape_of(one, name)._replace(intermediate_size=48, heads=heads)
    students.assert_equal_scores(cut(one, students.context(name), shape), one, name)
