"""Losses that training minimizes: of the labels, or the distance from the teacher."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from advisor.compute.data.batches import Batch
from advisor.compute.structure.blocks import Block, Passed, flat, watched
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.context import Context, counted
from advisor.compute.training.teacher import partners, teacher, with_answers
from advisor.families.shape import Shape, not_comparable
from advisor.records.results import Progress

Loss = Callable[[Scorer, Batch], Tensor]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part of distillation counts. soft_weight: the teacher's scores, the labels have the rest.

    hidden_weight: the teacher's hidden states, beside both; 0 leaves them out.
    """

    temperature: float
    soft_weight: float
    hidden_weight: float = 0.0


def label_loss(context: Context) -> Loss:
    """The task's own loss with the labels."""
    return lambda student, batch: context.task.loss(student, batch)[0]


def distillation_loss(
    context: Context, weights: Weights, shape: Shape
) -> Generator[Progress, None, tuple[Loss, Context]]:
    """The loss of `steps.distillation`, and the context on all texts, which it is for.

    Args:
        shape: the student's as it begins. Hidden states are compared only where they can be (`not_comparable`); where
            channels go while it learns, those are that stay.

    Raises:
        AdviseError: no teacher has been fine-tuned yet.
    """
    family, own = context.family, teacher(context)
    whole = context.taught_by.family.shape(own.scorer.model.config.to_dict())
    compared = weights.hidden_weight and not not_comparable(whole, shape, context.same_tokens)
    pairs = partners(shape.layers, whole.layers) if compared else {}
    context, answers = yield from with_answers(context, sorted(set(pairs.values())))
    task = context.task

    def loss(student: Scorer, batch: Batch) -> Tensor:
        outputs, states = answers(batch)
        with watched(student.model, family) as passed:
            hard, scores = task.loss(student, batch)
        soft = task.divergence(scores.float(), outputs.to(scores.device), weights.temperature)
        found = weights.soft_weight * soft + (1 - weights.soft_weight) * hard
        if pairs:
            found = found + weights.hidden_weight * _distance(student, passed, states, pairs, context, batch)
        return found

    return loss, context


def _distance(
    student: Scorer,
    passed: Mapping[Block, Passed],
    states: Mapping[Block, Tensor],
    pairs: Mapping[Block, Block],
    context: Context,
    batch: Batch,
) -> Tensor:
    """Mean squared difference of the hidden states, each position normalised to mean 0 and variance 1.

    Without that a few channels decide: in pre-norm models some are a hundred times as large as the rest. Of the
    teacher's channels those count that the student still has.
    """
    parts = []
    for own, other in pairs.items():
        mine = flat(passed[own].after, counted(context, own[0], batch)).float()
        theirs = states[other].to(mine.device).float()[:, student.channels]
        size = mine.shape[-1:]
        parts.append(functional.mse_loss(functional.layer_norm(mine, size), functional.layer_norm(theirs, size)))
    return sum(parts[1:], parts[0]) / len(parts)
