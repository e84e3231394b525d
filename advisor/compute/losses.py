"""Losses: what a training step makes small: the labels' own loss, or the distance from the teacher."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from advisor.compute.bench import Batch, Bench
from advisor.compute.blocks import Block, Passed, counted, flat, watched
from advisor.compute.scorer import Scorer
from advisor.compute.teacher import hidden_states, partners, teacher
from advisor.family import Family
from advisor.results import Progress

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


def distillation_loss(bench: Bench, weights: Weights, depths: Mapping[str, int]) -> Generator[Progress, None, Loss]:
    """The loss of `steps.distillation`; the soft part is scaled by temperature squared (Hinton et al. 1503.02531).

    Args:
        depths: the student's number of blocks by stack.

    Raises:
        AdviseError: no teacher has been fine-tuned yet.
    """
    family, taught_by = bench.family, teacher(bench)
    assert bench.teacher_logits is not None
    outputs = bench.teacher_logits  # (training rows, labels)
    pairs = partners(depths, family.shape(taught_by.model.config.to_dict()).layers) if weights.hidden_weight else {}
    states = (yield from hidden_states(bench, sorted(set(pairs.values())))) if pairs else None

    def loss(student: Scorer, batch: Batch) -> Tensor:
        with watched(student.model, family) as passed:
            hard, scores = student.loss(batch.input_ids, batch.attention_mask, batch.labels)
        soft = soft_loss(scores.float(), outputs[batch.rows].to(scores.device), weights.temperature)
        found = weights.soft_weight * soft + (1 - weights.soft_weight) * hard
        return (
            found + weights.hidden_weight * _distance(passed, states(batch), pairs, family, batch) if states else found
        )

    return loss


def soft_loss(scores: Tensor, outputs: Tensor, temperature: float) -> Tensor:
    """How far scores are from the teacher's outputs, both (batch, labels): divergence of the softened classes.

    One output, that of a regression, has no distribution to soften: it is the mean squared difference.
    """
    if outputs.shape[1] == 1:
        return functional.mse_loss(scores, outputs)
    softened = functional.log_softmax(scores / temperature, dim=1), functional.softmax(outputs / temperature, dim=1)
    return temperature**2 * functional.kl_div(*softened, reduction="batchmean")


def _distance(
    passed: Mapping[Block, Passed],
    states: Mapping[Block, Tensor],
    pairs: Mapping[Block, Block],
    family: Family,
    batch: Batch,
) -> Tensor:
    """Mean squared difference of the hidden states, each position normalised to mean 0 and variance 1.

    Without that a few channels decide: in pre-norm models some are a hundred times as large as the rest.
    """
    parts = []
    for own, other in pairs.items():
        mine = flat(passed[own].after, counted(family, own[0], batch)).float()
        theirs = states[other].to(mine.device).float()
        size = mine.shape[-1:]
        parts.append(functional.mse_loss(functional.layer_norm(mine, size), functional.layer_norm(theirs, size)))
    return sum(parts[1:], parts[0]) / len(parts)
