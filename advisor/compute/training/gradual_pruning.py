"""Matrix pruning in increments: score every head, neuron and channel on task data, cut a little, distil, repeat.

Importance of a unit is |sum of weight x gradient| over all weights that go with it: the first-order change of the
task's own loss when it goes (Molchanov et al., arXiv 1611.06440), summed over small batches of training rows. The
distance from the teacher would not do: a student that is still the teacher has no gradient there.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from advisor.compute.structure.axes import LAYOUTS
from advisor.compute.structure.blocks import Block
from advisor.compute.structure.surgery import Kept, block_of, narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.context import Context
from advisor.compute.training.loop import Schedule, train
from advisor.compute.training.losses import Loss, label_loss
from advisor.families.family import Family
from advisor.families.shape import Shape
from advisor.records.results import Progress

SCORED_ROWS = 512  # the lower end of NVIDIA's guideline of 512 to 1,024 calibration samples
SCORED_TOGETHER = 8  # in large batches the changes of different rows cancel out
Scores = dict[tuple[str, Block], Tensor]


def prune_in_increments(
    student: Scorer, context: Context, shapes: Sequence[Shape], loss: Loss, schedule: Schedule
) -> Generator[Progress, None, Scorer]:
    """Prune to each shape in turn. Half of the epochs are spent between the increments, half after the last."""
    after = max(1, schedule.epochs - schedule.epochs // 2)
    per_epoch = math.ceil(len(context.train) / context.training.batch_size)
    between = max(1, per_epoch * (schedule.epochs // 2) // len(shapes))
    total = between * len(shapes) + per_epoch * after
    first, student = context.keeper.resumed(student)
    done = between * first
    for stage, shape in enumerate(shapes[first:], start=first):
        student = cut(student, context, shape)
        work = train(student, context, loss, replace(schedule, steps=between, start=done, stage=stage))
        student = yield from _part(work, done, total)
        done += between
    last = train(student, context, loss, replace(schedule, epochs=after, stage=len(shapes)))
    return (yield from _part(last, done, total))


def _part(work: Generator[Progress, None, Scorer], done: int, total: int) -> Generator[Progress, None, Scorer]:
    """A part of the work, with its progress counted as part of the whole."""
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            scorer: Scorer = end.value
            return scorer
        yield Progress(progress.label, done + progress.done, total, progress.note)


def cut(student: Scorer, context: Context, shape: Shape) -> Scorer:
    """Narrow the student to a shape by importance; returns it unchanged if it already has that shape."""
    family, config = context.family, student.model.config.to_dict()
    before = family.shape(config)
    if before == shape:
        return student
    kept = choose(importance(student, context), before, shape, family)
    return narrow(student, family, family.resized(config, shape), kept, before.head_size)


def importance(student: Scorer, context: Context) -> Scores:
    """Scores by axis and block: hidden channels once, heads and neurons for each block."""
    family, config = context.family, student.model.config.to_dict()
    names, head_size = family.tensor_names(config), family.shape(config).head_size
    student.to(context.device).eval()
    scores: Scores = {}
    for batch in context.batches(context.train.take(SCORED_ROWS), size=SCORED_TOGETHER):
        student.zero_grad(set_to_none=True)
        label_loss(context)(student, batch).backward()
        for key, change in _changes(student, names, head_size).items():
            scores[key] = scores.get(key, 0) + change.abs()
    student.zero_grad(set_to_none=True)
    return scores


def _changes(student: Scorer, names: Mapping[str, tuple[str, str, int]], head_size: int) -> Scores:
    """Signed change of the loss for each unit, over one batch."""
    changes: Scores = {}
    for name, tensor in student.model.named_parameters():
        if tensor.grad is None:
            continue
        axes, stack, block = names[name]
        product = tensor.detach() * tensor.grad
        for dimension, axis in enumerate(axes.split()):
            if axis not in LAYOUTS or axis == "heads":
                continue
            others = [other for other in range(product.dim()) if other != dimension]
            along = product.sum(others) if others else product  # sum([]) would sum over everything
            unit = LAYOUTS[axis].unit
            key = (unit, ("", 0) if unit == "hidden" else block_of(name, stack, block))
            change = LAYOUTS[axis].per_unit(along.cpu().double(), head_size)  # after the move: MPS has no double
            changes[key] = changes.get(key, 0) + change
    return changes


def choose(scores: Scores, before: Shape, after: Shape, family: Family) -> Kept:
    """The most important units of each kind, in their old order."""
    if family.heads_alike:
        scores = _alike(scores)
    hidden = scores[("hidden", ("", 0))]

    def best(axis: str, count: int) -> dict[Block, Tensor]:
        return {block: _top(found, count) for (kind, block), found in scores.items() if kind == axis}

    return Kept(
        hidden=_top(hidden, after.hidden_size) if after.hidden_size < before.hidden_size else None,
        attention=best("attention", after.heads),
        cross=best("cross", after.heads),
        intermediate=best("intermediate", after.intermediate_size),
    )


def _top(scores: Tensor, count: int) -> Tensor:
    return torch.topk(scores, count).indices.sort().values


def _alike(scores: Scores) -> Scores:
    """All blocks of a stack share one position bias, so they must keep the same heads: scores add up."""
    stacks = {stack for axis, (stack, _) in scores if axis == "attention"}
    sums = {
        stack: torch.stack(
            [found for (axis, (one, _)), found in scores.items() if axis == "attention" and one == stack]
        ).sum(0)
        for stack in stacks
    }
    return {(axis, block): sums[block[0]] if axis == "attention" else found for (axis, block), found in scores.items()}
