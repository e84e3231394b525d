"""One training loop for every step: batches by length, linear schedule, the best epoch by selection rows kept.

It is a generator of progress, so that the caller decides what to show and when to stop.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import count, islice

import torch
from torch import Tensor
from torch.nn import functional

from advisor.compute.bench import Batch, Bench, accuracy, logits
from advisor.compute.losses import Loss
from advisor.compute.scorer import Scorer
from advisor.results import Progress

WARM_UP, WEIGHT_DECAY, LARGEST_GRADIENT = 0.1, 0.01, 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast. steps: optimizer steps at a constant rate instead of whole epochs, nothing selected.

    start: batches that earlier parts of the same work have used up; the rows go on from there.
    """

    label: str
    learning_rate: float
    epochs: int = 1
    steps: int = 0
    start: int = 0


def train(student: Scorer, bench: Bench, loss: Loss, schedule: Schedule) -> Generator[Progress, None, Scorer]:
    """Train in place; returns the student as it was after its best epoch on the selection rows."""
    torch.manual_seed(bench.training.seed)
    student.to(bench.device)
    per_epoch = math.ceil(len(bench.train) / bench.training.batch_size)
    total = schedule.steps or per_epoch * schedule.epochs
    # The fused kernel is five times as fast as the plain one on a CPU, where the update is a sixth of the work.
    fused = bench.device.type in ("cpu", "cuda")
    optimizer = torch.optim.AdamW(_groups(student), lr=schedule.learning_rate, fused=fused)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, _rates(total, bool(schedule.steps)))
    best: tuple[tuple[float, float], dict[str, Tensor]] | None = None
    for done, batch in enumerate(_batches(bench, schedule.start, total), start=1):
        student.train()
        value = loss(student, batch)
        value.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        rate.step()
        optimizer.zero_grad(set_to_none=True)
        if not schedule.steps and done % per_epoch == 0:
            quality = _quality(student, bench)
            if best is None or quality > best[0]:
                best = (quality, copy.deepcopy(student.state_dict()))
        note = f"selection accuracy {best[0][0]:.3f}" if best else ""
        yield Progress(schedule.label, done, total, note)
    if best:
        student.load_state_dict(best[1])
    return student


def _groups(student: Scorer) -> list[dict[str, object]]:
    """Weight decay for matrices only, as is usual: not for biases and norms."""
    matrices = [one for one in student.parameters() if one.dim() > 1]
    others = [one for one in student.parameters() if one.dim() <= 1]
    return [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]


def _rates(total: int, constant: bool) -> Callable[[int], float]:
    warm = max(1, round(total * WARM_UP))

    def rate(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 1.0 if constant else max(0.0, (total - step) / max(1, total - warm))

    return rate


def _batches(bench: Bench, start: int, total: int) -> Iterator[Batch]:
    """So many batches, epoch after epoch, each epoch in an order of its own."""
    epoch, used = divmod(start, math.ceil(len(bench.train) / bench.training.batch_size))
    first = bench.training.seed * 1000 + epoch
    endless = (batch for seed in count(first) for batch in bench.batches(bench.train, seed))
    return islice(endless, used, used + total)


def _quality(student: Scorer, bench: Bench) -> tuple[float, float]:
    """Accuracy on the selection rows; the loss decides between equals."""
    scores = logits(student, bench, bench.selection)
    loss = functional.cross_entropy(scores, torch.tensor(bench.selection.labels))
    return accuracy(scores, bench.selection), -float(loss)
