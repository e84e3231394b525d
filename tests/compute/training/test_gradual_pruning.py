"""Matrix pruning: what matters least goes first, heads of T5 alike, and the exact shape is reached in increments."""

from __future__ import annotations

import copy

import pytest
import students
import tiny
import torch
from torch import Tensor

from advisor.compute.data.batches import Batch
from advisor.compute.structure.surgery import narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.gradual_pruning import choose, cut, importance, prune_in_increments
from advisor.compute.training.loop import Schedule
from advisor.families.shape import Shape
from advisor.recipe.steps.matrix_pruning import MatrixPruning

HEAD_SIZE = 12


def shape_of(one: Scorer, name: str) -> Shape:
    return students.family(name).shape(students.config_of(one))


def silence(one: Scorer, name: str, unit: str, number: int, block: int = -1) -> None:
    """Make all weights of a channel, neuron or head zero: in one block, or everywhere."""
    named = dict(one.model.named_parameters())
    width = HEAD_SIZE if unit in ("attention", "cross") else 1
    rows = range(number * width, (number + 1) * width)
    for key, (axes, _, place) in students.family(name).tensor_names(students.config_of(one)).items():
        for dimension, axis in enumerate(axes.split()):
            if axis == f"3{unit}" and block in (-1, place):
                where = torch.tensor([third * 48 + row for third in range(3) for row in rows])
            elif axis == unit and block in (-1, place):
                where = torch.tensor(list(rows))
            else:
                continue
            with torch.no_grad():
                named[key].index_fill_(dimension, where, 0.0)


# Importance ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["hidden", "attention", "intermediate"])
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_units_without_weights_have_no_importance_and_go_first(name: str, unit: str) -> None:
    one, number = students.student(name), 2
    silence(one, name, unit, number)
    scores = importance(one, students.context(name))
    before = shape_of(one, name)
    after = before._replace(hidden_size=47, heads=3, intermediate_size=95)
    kept = choose(scores, before, after, students.family(name))
    found = {"hidden": {("", 0): kept.hidden}, "attention": kept.attention, "intermediate": kept.intermediate}[unit]
    assert len(found) == (1 if unit == "hidden" else len(students.blocks_of(one, name)))
    for block, stays in found.items():
        score = scores[unit, block]
        assert stays is not None and stays.tolist() == sorted(stays.tolist())
        (gone,) = set(range(len(score))) - set(stays.tolist())
        assert score[number] == score[gone] == 0 < score.sum()  # behind a ReLU another neuron may be silent too


@pytest.mark.parametrize("name", students.HEADED)
def test_blocks_are_judged_apart(name: str) -> None:
    one = students.student(name)
    silence(one, name, "intermediate", 5, block=1)
    scores = importance(one, students.context(name))
    silent = [block for (kind, (_, block)), score in scores.items() if kind == "intermediate" and score[5] == 0]
    assert silent == [1]


def test_cross_attention_is_judged_apart_from_self_attention() -> None:
    one = students.student("t5")
    silence(one, "t5", "cross", 3, block=2)
    scores = importance(one, students.context("t5"))
    assert {key for key, score in scores.items() if key[0] in ("cross", "attention") and score[3] == 0} == {
        ("cross", ("decoder", 2))
    }


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
    found = importance(one, context)[("intermediate", ("encoder", block))][neuron]
    assert float(found) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_the_important_half_of_the_neurons_is_worth_more_than_the_other(name: str) -> None:
    """Without it the loss of the batches moves further away from what it was."""
    one, context = students.student(name), students.context(name)
    scores, before = importance(one, context), shape_of(one, name)
    after, config = before._replace(intermediate_size=48), students.resized(one, name, intermediate_size=48)
    moved = []
    for sign in (1, -1):
        kept = choose({key: sign * score for key, score in scores.items()}, before, after, students.family(name))
        smaller = narrow(one, students.family(name), config, kept, HEAD_SIZE).eval()
        with torch.no_grad():
            moved.append(sum(distance(one, smaller, batch) for batch in context.batches(context.train)))
    assert moved[0] < 0.9 * moved[1]


def distance(one: Scorer, other: Scorer, batch: Batch) -> float:
    return float((students.label_loss(one, batch) - students.label_loss(other, batch)).abs())


def test_blocks_of_t5_keep_the_same_heads_and_those_of_bert_their_own() -> None:
    for name, alike in (("t5", True), ("bert", False)):
        one = students.student(name)
        before = shape_of(one, name)
        kept = choose(importance(one, students.context(name)), before, before._replace(heads=2), students.family(name))
        chosen = [
            {tuple(heads.tolist()) for (stack, _), heads in kept.attention.items() if stack == wanted}
            for wanted in before.layers
        ]
        assert all((len(heads) == 1) == alike for heads in chosen)
        assert kept.hidden is None
        assert set(kept.cross) == ({("decoder", block) for block in range(3)} if name == "t5" else set())


# Increments ---------------------------------------------------------------------------------------

TARGETS = {
    "bert": MatrixPruning(hidden_size=24, intermediate_size=40, increments=3),
    "gpt2": MatrixPruning(hidden_size=24, intermediate_size=40, increments=3),
    "opt": MatrixPruning(hidden_size=24, intermediate_size=40, increments=3),
    "t5": MatrixPruning(hidden_size=30, heads=3, intermediate_size=40, increments=3),
}


@pytest.mark.parametrize("name", tiny.FAMILIES)
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


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_it_is_known_which_channels_stay(name: str) -> None:
    """Channels 5 to 28 are silent; two cuts take them all and no other."""
    one, context = students.student(name), students.context(name)
    for channel in range(5, 29):
        silence(one, name, "hidden", channel)
    assert one.channels.tolist() == list(range(48))
    for heads in (3, 2):
        one = cut(one, context, shape_of(one, name)._replace(hidden_size=12 * heads, heads=heads))
    assert one.channels.tolist() == [*range(5), *range(29, 48)]


def test_a_shape_that_is_reached_already_changes_nothing() -> None:
    one = students.student("gpt2")
    weights = copy.deepcopy(one.state_dict())
    assert cut(one, students.context("gpt2"), shape_of(one, "gpt2")) is one
    assert all(torch.equal(value, weights[key]) for key, value in one.state_dict().items())


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_cut_that_takes_only_silent_units_changes_no_score(name: str) -> None:
    """Half of the neurons are silent, and no others go; in T5 a head too, whose config holds heads apart."""
    one = students.student(name)
    for neuron in range(0, 96, 2):
        silence(one, name, "intermediate", neuron)
    heads = 4
    if name == "t5":
        heads = 3
        for unit in ("attention", "cross"):
            silence(one, name, unit, 1)
    shape = shape_of(one, name)._replace(intermediate_size=48, heads=heads)
    students.assert_equal_scores(cut(one, students.context(name), shape), one, name)
