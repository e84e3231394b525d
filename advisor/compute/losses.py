"""Losses: what a training step makes small: the labels' own loss, or the distance from the teacher."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from advisor.compute.bench import Batch, Bench
from advisor.compute.scorer import Scorer
from advisor.errors import AdviseError

Loss = Callable[[Scorer, Batch], Tensor]


def label_loss(student: Scorer, batch: Batch) -> Tensor:
    """The task's own loss with the labels."""
    return student.loss(batch.input_ids, batch.attention_mask, batch.labels)[0]


def distillation_loss(bench: Bench, temperature: float, soft_weight: float) -> Loss:
    """The loss of `steps.distillation`; the soft part is scaled by temperature squared (Hinton et al. 1503.02531).

    Raises:
        AdviseError: no teacher has been fine-tuned yet.
    """
    if bench.teacher_logits is None:
        raise AdviseError(
            "distillation needs a fine-tuned teacher: the recipe has no finetune step before it",
            hint="let the recipe begin with finetune",
        )
    targets = functional.softmax(bench.teacher_logits / temperature, dim=1)  # (training rows, labels)

    def loss(student: Scorer, batch: Batch) -> Tensor:
        hard, scores = student.loss(batch.input_ids, batch.attention_mask, batch.labels)
        wanted = targets[batch.rows].to(scores.device)
        soft = functional.kl_div(functional.log_softmax(scores / temperature, dim=1), wanted, reduction="batchmean")
        return soft_weight * temperature**2 * soft + (1 - soft_weight) * hard

    return loss
