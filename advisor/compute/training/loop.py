"""One training loop for every step: batches by length, a linear schedule, and the best epoch by the selection rows.

It is a generator of progress, so that the caller decides what to show and when to stop. On one CPU, one GPU, or
several processes of `accelerate launch`, which share each batch. Weights and updates are always fp32; with bf16 the
passes through the model are autocast.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import NoReturn

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Batch
from advisor.compute.machine import processes
from advisor.compute.machine.device import bf16, seed
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.context import Context, judge, loss_of, quality
from advisor.compute.training.losses import Loss
from advisor.compute.training.state import Quality, weights
from advisor.records.diagnostics import CurvePoint
from advisor.records.results import Progress

WARM_UP, WEIGHT_DECAY, LARGEST_GRADIENT = 0.1, 0.01, 1.0
CURVE_POINTS = 50  # of one training, beside those at the ends of epochs


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast. steps: optimizer steps at a constant rate instead of whole epochs, nothing selected.

    start: batches that earlier parts of the same work have used up; the rows go on from there. stage: number of this
    part within its step, for resumption. dropout: as the model's config says; without it the student learns as it will
    answer, which brings it nearer to a teacher (docs/decisions.md).
    """

    label: str
    learning_rate: float
    epochs: int = 1
    steps: int = 0
    start: int = 0
    stage: int = 0
    dropout: bool = True

    def rate(self, step: int, total: int) -> float:
        """The learning rate of a step: rising for a tenth of all, then falling to 0, or constant."""
        warm = max(1, round(total * WARM_UP))
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        return self.learning_rate * (1.0 if self.steps else max(0.0, (total - step) / max(1, total - warm)))


class Objective(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """A student with its loss: what is optimized. Several processes average their gradients through its `forward`."""

    def __init__(self, student: Scorer, loss: Loss, autocast: bool, device: torch.device) -> None:
        super().__init__()
        self.student, self.loss = student, loss
        self.autocast = {"device_type": device.type, "dtype": torch.bfloat16, "enabled": autocast}

    def forward(self, batch: Batch) -> Tensor:
        """The loss of a batch: ()."""
        with torch.autocast(**self.autocast):
            return self.loss(self.student, batch)


def train(student: Scorer, context: Context, loss: Loss, schedule: Schedule) -> Generator[Progress, None, Scorer]:
    """Train in place; returns the student as it was after its best epoch on the selection rows.

    So many epochs without a better one as the recipe's `patience` says end the training; the learning rate falls as if
    all epochs were to come.

    Raises:
        AdviseError: training has diverged before any epoch was good for something.
    """
    work = _Training(student, context, loss, schedule)
    for batch in work.batches():
        work.update(batch)
        epoch_ends = not schedule.steps and (work.at.done % work.per_epoch == 0 or work.at.done == work.total)
        reached = work.judge() if epoch_ends else None
        point = work.point(reached)
        if context.keeper.due(epoch_ends):
            work.save()
        note = _note(context, work.at.best[0]) if work.at.best else ""
        yield Progress(schedule.label, work.at.done, work.total, note, point=point)
        if work.exhausted():
            break
    work.take_best()
    return student


class _Training:
    """The state of one training: model, optimizer, position."""

    def __init__(self, student: Scorer, context: Context, loss: Loss, schedule: Schedule) -> None:
        seed(context.training.seed + processes.number())  # several processes must not all drop out the same
        self.student, self.context, self.schedule = student, context, schedule
        self.per_epoch = context.per_epoch
        self.total = schedule.steps or context.steps(schedule.epochs)
        autocast = bf16(context.family.precision(context.training.precision), context.device)
        self.objective = Objective(student, loss, autocast, context.device).to(context.device)
        # The fused kernel is five times as fast as the plain one on a CPU, where the update is a sixth of the work.
        fused = context.device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.AdamW(_groups(self.objective), fused=fused)
        self.at = context.keeper.restore(schedule.stage, self.objective, self.optimizer)
        if not self.at.done:
            self.at = replace(self.at, before=context.keeper.batches())
        self.losses: list[Tensor] = []  # since the last point of the curve
        self.accelerator = Accelerator(cpu=context.device.type == "cpu")
        self.forward, self.updates = self.accelerator.prepare(self.objective, self.optimizer)

    def batches(self) -> Iterator[Batch]:
        """The batches that are left, epoch after epoch, each epoch in an order of its own."""
        epoch, used = divmod(self.schedule.start + self.at.done, self.per_epoch)
        context, first = self.context, self.context.training.seed * 1000 + epoch
        left = 0 if self.exhausted() else self.total - self.at.done
        endless = (rows for order in count(first) for rows in context.groups(context.train, order))
        for rows in islice(endless, used, used + left):
            yield context.collate(context.train, self._own(rows))

    def exhausted(self) -> bool:
        """Has the last better epoch been as long ago as patience allows?"""
        patience, since = self.context.training.patience, self.at.done - self.at.best_done
        return bool(patience and self.at.best) and since >= patience * self.per_epoch

    def _own(self, rows: Sequence[int]) -> Sequence[int]:
        """This process's share of a batch."""
        return processes.share(rows, self.accelerator.process_index, self.accelerator.num_processes)

    def update(self, batch: Batch) -> None:
        """One optimizer step."""
        self.student.train(self.schedule.dropout)
        loss = self.forward(batch)
        self.losses.append(loss.detach())
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.objective.parameters(), LARGEST_GRADIENT)
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(self.at.done, self.total)
        self.updates.step()
        self.updates.zero_grad(set_to_none=True)
        self.at = replace(self.at, done=self.at.done + 1)

    def judge(self) -> Quality:
        """Keep the weights if they are better on the selection rows than those of earlier epochs."""
        quality = _quality(self.student, self.context)
        if self.at.best is None and math.isnan(quality[1]):
            self._diverged()
        if self.at.best is None or quality > self.at.best:
            self.at = replace(self.at, best=quality, best_done=self.at.done)
            self.context.keeper.keep_best(self.at, dict(weights(self.student)))
        return quality

    def point(self, reached: Quality | None) -> CurvePoint | None:
        """A point of the training curve where one is due: at the end of each epoch, and about 50 in all."""
        done, every = self.at.done, math.ceil(self.total / CURVE_POINTS)
        if reached is None and done % every and done < self.total:
            return None
        loss, batches = float(torch.stack(self.losses).mean()), self.at.before + done
        selection = None if reached is None else _chosen_by(self.context, reached[0])[1]
        found = CurvePoint(
            batches,
            batches / self.per_epoch,
            self.optimizer.param_groups[0]["lr"],
            loss if math.isfinite(loss) else None,
            selection if selection is None or math.isfinite(selection) else None,
        )
        self.context.keeper.curve += (found,)
        self.losses.clear()
        return found

    def _diverged(self) -> NoReturn:
        rate = self.schedule.learning_rate
        message = f"{self.schedule.label}: after {self.at.done:,} batches the loss is not finite"
        raise AdviseError(message, hint=f"a learning_rate below {rate:g}, or training: {{precision: fp32}}")

    def save(self) -> None:
        """Keep the position, so that a killed run resumes here."""
        config = self.student.model.config.to_dict()
        self.context.keeper.save(replace(self.at, config=config), self.objective, self.optimizer)

    def take_best(self) -> None:
        """Give the student the weights of its best epoch."""
        if self.at.best is None:
            return
        own = dict(weights(self.student))
        with torch.no_grad():
            for name, tensor in self.context.keeper.best():
                own[name].copy_(tensor)


def _groups(objective: Objective) -> list[dict[str, object]]:
    """Weight decay for matrices only, as is usual: not for biases and norms."""
    learning = [one for one in objective.parameters() if one.requires_grad]
    matrices = [one for one in learning if one.dim() > 1]
    others = [one for one in learning if one.dim() <= 1]
    return [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]


def _quality(student: Scorer, context: Context) -> Quality:
    """The task's metric on the selection rows; the loss decides between equals, or alone."""
    if context.task.chosen_by_loss:
        loss = loss_of(student, context, context.selection)
        return -loss, -loss
    found = judge(student, context, context.selection)
    return quality(found.table, context.selection, context), -found.loss


def _chosen_by(context: Context, quality: float) -> tuple[str, float]:
    """The name and the value of what epochs are chosen by."""
    return ("loss", -quality) if context.task.chosen_by_loss else (context.metric, quality)


def _note(context: Context, best: float) -> str:
    what, value = _chosen_by(context, best)
    return f"selection {what.replace('_', ' ')} {value:.3f}"
