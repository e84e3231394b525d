"""Losses that training minimizes: of the labels, or the distance from the teacher."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from advisor.compute.data.batches import Batch
from advisor.compute.structure.blocks import Block, Passed, counted, flat, watched
from advisor.compute.structure.scorer import Scorer
from advisor.compute.training.context import Context
from advisor.compute.training.teacher import partners, teacher, with_answers
from advisor.families.family import Family
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


def label_loss(student: Scorer, batch: Batch) -> Tensor:
    """The task's own loss with the labels."""
    return student.loss(batch.input_ids, batch.attention_mask, batch.labels)[0]


def distillation_loss(
    context: Context, weights: Weights, shape: Shape
) -> Generator[Progress, None, tuple[Loss, Context]]:
    """The loss of `steps.distillation`, and the context on all texts, which it is for.

    Its soft part is scaled by temperature squared (Hinton et al. 1503.02531).

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
    context, states = yield from with_answers(context, sorted(set(pairs.values())))
    assert own.scores is not None
    outputs = own.scores

    def loss(student: Scorer, batch: Batch) -> Tensor:
        with watched(student.model, family) as passed:
            hard, scores = student.loss(batch.input_ids, batch.attention_mask, batch.labels)
        soft = soft_loss(scores.float(), outputs[batch.rows].to(scores.device), weights.temperature)
        found = weights.soft_weight * soft + (1 - weights.soft_weight) * hard
        if pairs:
            found = found + weights.hidden_weight * _distance(student, passed, states(batch), pairs, family, batch)
        return found

    return loss, context


def soft_loss(scores: Tensor, outputs: Tensor, temperature: float) -> Tensor:
    """How far scores are from the teacher's outputs, both (batch, labels): divergence of the softened classes.

    One output, that of a regression, has no distribution to soften: it is the mean squared difference.
    """
    if outputs.shape[1] == 1:
        return functional.mse_loss(scores, outputs)
    softened = functional.log_softmax(scores / temperature, dim=1), functional.softmax(outputs / temperature, dim=1)
    return temperature**2 * functional.kl_div(*softened, reduction="batchmean")


def _distance(
    student: Scorer,
    passed: Mapping[Block, Passed],
    states: Mapping[Block, Tensor],
    pairs: Mapping[Block, Block],
    family: Family,
    batch: Batch,
) -> Tensor:
    """Mean squared difference of the hidden states, each position normalised to mean 0 and variance 1.

    Without that a few channels decide: in pre-norm models some are a hundred times as large as the rest. Of the
    teacher's channels those count that the student still has.
    """
    parts = []
    for own, other in pairs.items():
        mine = flat(passed[own].after, counted(family, own[0], batch)).float()
        theirs = states[other].to(mine.device).float()[:, student.channels]
        size = mine.shape[-1:]
        parts.append(functional.mse_loss(functional.layer_norm(mine, size), functional.layer_norm(theirs, size)))
    return sum(parts[1:], parts[0]) / len(parts)
