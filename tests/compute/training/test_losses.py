"""Losses of distillation: by hand, row by row, and with the hidden states of the block that each block imitates."""

from __future__ import annotations

import pytest
import students
import tiny
import torch
from torch import Tensor
from torch.nn import functional

from advisor.base.errors import AdviseError
from advisor.compute.structure.surgery import narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.context import Context
from advisor.compute.training.losses import Loss


def values(loss: Loss, one: Scorer, context: Context) -> list[float]:
    """The loss of each batch."""
    with torch.no_grad():
        return [float(loss(one.eval(), batch)) for batch in context.batches(context.train, seed=3)]


def test_distillation_needs_a_teacher() -> None:
    with pytest.raises(AdviseError) as caught:
        students.distilling(students.context("bert"))
    assert str(caught.value) == (
        "distillation needs a fine-tuned teacher: the recipe has no finetune step before it\n"
        "  try: start the recipe with finetune"
    )


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_each_row_is_given_the_teacher_s_outputs_for_it(name: str) -> None:
    """A student that is the teacher has nothing to learn in any batch; from another row's outputs it would."""
    teacher, context = students.student(name), students.taught(name)
    assert (
        context.teacher is not None
        and context.teacher.scores is not None
        and context.teacher.scores.scores.shape == (96, 2)
    )
    shifted = students.taught_to_say(context, context.teacher.scores.scores.roll(1, 0))
    same = values(students.distilling(context, soft_weight=1.0), teacher, context)
    other = values(students.distilling(shifted, soft_weight=1.0), teacher, context)
    assert max(same) < 2e-4 and min(other) > 1e-3  # the teacher answers in bfloat16 where the CPU has it


def test_the_teacher_is_a_frozen_copy() -> None:
    one, batch = students.student("bert"), students.batch("bert")
    context = students.context("bert").with_teacher(students.copies(one))
    one.model.classifier.bias.data += 1
    students.label_loss(one, batch).backward()
    assert context.teacher is not None
    students.assert_equal_scores(context.teacher.scorer, students.student("bert"), "bert")
    assert not any(tensor.requires_grad for tensor in context.teacher.scorer.parameters())


def test_distillation_loss_by_hand() -> None:
    student = students.student("bert")
    context = students.taught_to_say(students.taught("bert"), torch.tensor([[2.0, 0.0], [0.0, 0.0]]))
    batch = context.collate(context.train, [1, 0])
    with torch.no_grad():
        found = float(students.distilling(context, temperature=4.0, soft_weight=0.75)(student, batch))
        own = student(**batch.inputs)
    wanted = torch.tensor([[0.5, 0.5], [0.6224593, 0.3775407]])  # softmax(0), softmax(2 / 4, 0)
    divergence = (wanted * (wanted.log() - (own / 4).log_softmax(1))).sum(1).mean()
    hard = -own.log_softmax(1)[[0, 1], batch.labels].mean()
    assert found == pytest.approx(float(0.75 * 16 * divergence + 0.25 * hard), rel=1e-5)


# Hidden states ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_student_that_is_the_teacher_has_no_distance_and_another_has(name: str) -> None:
    context = students.taught(name)
    loss = students.distilling(context, soft_weight=1.0, hidden_weight=1.0)
    # The teacher's states are computed in bfloat16 where the CPU has instructions for it, and remembered so.
    assert max(values(loss, students.student(name), context)) < 1e-2
    other = students.fresh(name)
    without = values(students.distilling(context, soft_weight=1.0), other, context)
    distances = [one - two for one, two in zip(values(loss, other, context), without, strict=True)]
    assert min(distances) > 0.1 and max(distances) < 4  # between unit vectors: at most 2^2


def test_distance_by_hand() -> None:
    """Two blocks imitate the second and the fourth; every position counts the same, normalised, padding not at all."""
    context, student = students.taught("bert"), students.fresh("bert").eval()
    batch = context.collate(context.train, [0, 1, 2])
    mask = batch.inputs["attention_mask"].bool()
    assert 0 < int(mask.sum()) < mask.numel()

    def states(one: Scorer) -> list[Tensor]:
        with torch.no_grad():
            found = one.model(**batch.inputs, output_hidden_states=True).hidden_states
        return [functional.layer_norm(layer[mask], (48,)) for layer in found[1:]]

    assert context.teacher is not None
    student.model.bert.encoder.layer = student.model.bert.encoder.layer[:2]
    student.model.config.num_hidden_layers = 2
    theirs, mine = states(context.teacher.scorer), states(student)
    expected = [float(((mine[own] - theirs[other]) ** 2).mean()) for own, other in ((0, 1), (1, 3))]
    with torch.no_grad():
        losses = [
            students.distilling(context, soft_weight=1.0, hidden_weight=weight, encoder=2)(student, batch)
            for weight in (0.0, 10.0)
        ]
    assert float(losses[1] - losses[0]) == pytest.approx(10 * sum(expected) / 2, rel=1e-3)


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_channels_are_compared_with_those_that_they_were(name: str) -> None:
    """The teacher with its channels in another order, and in another again, is as far from it as it is from itself."""
    one, context = students.student(name), students.taught(name)
    loss = students.distilling(context, soft_weight=1.0, hidden_weight=1.0)
    other = one
    for _ in range(2):
        other = narrow(other, {("hidden", ""): students.order(48)})
    assert sorted(other.channels.tolist()) == list(range(48)) != other.channels.tolist()
    assert values(loss, other, context) == pytest.approx(values(loss, one, context), abs=1e-3)
    other.channels = torch.arange(48)
    assert min(values(loss, other, context)) > 0.1


def test_hidden_states_teach_every_block_and_leave_the_head_to_the_scores() -> None:
    context, one = students.taught("bert"), students.student("bert")
    with torch.no_grad():
        for layer in one.model.bert.encoder.layer[:3]:
            layer.output.LayerNorm.bias.add_(0.5)
    batch = context.collate(context.train, range(8))
    grads, heads = [], []
    for weight in (0.0, 1.0):
        one.zero_grad()
        students.distilling(context, soft_weight=1.0, hidden_weight=weight)(one, batch).backward()
        grads.append([layer.output.dense.weight.grad.clone() for layer in one.model.bert.encoder.layer])
        heads.append(one.model.classifier.weight.grad.clone())
    assert torch.equal(*heads)
    assert all(not torch.allclose(first, second) for first, second in zip(*grads, strict=True))
