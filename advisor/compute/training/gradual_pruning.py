"""Matrix pruning in increments: score every head, neuron and channel on task data, cut a little, distil, repeat.

Importance of a unit is |sum of weight x gradient| over all weights that go with it: the first-order change of the
task's own loss when it goes (Molchanov et al., arXiv 1611.06440), summed over small batches of training rows. The
distance from the teacher would not do: a student that is still the teacher has no gradient there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from advisor.compute.structure.proven import structure_of
from advisor.compute.structure.surgery import narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.context import Context
from advisor.compute.training.loop import Schedule, train
from advisor.compute.training.losses import Loss, label_loss
from advisor.families.described.axes import parts, value
from advisor.families.described.structure import Structure, local, removable
from advisor.families.shape import Shape
from advisor.records.results import Progress

SCORED_ROWS = 512  # the lower end of NVIDIA's guideline of 512 to 1,024 calibration samples
SCORED_TOGETHER = 8  # in large batches the changes of different rows cancel out
Scores = dict[tuple[str, str], Tensor]  # by unit and site


def prune_in_increments(
    student: Scorer, context: Context, shapes: Sequence[Shape], loss: Loss, schedule: Schedule
) -> Generator[Progress, None, Scorer]:
    """Prune to each shape in turn. Half of the epochs are spent between the increments, half after the last."""
    after = max(1, schedule.epochs - schedule.epochs // 2)
    between = max(1, int(context.per_epoch * (schedule.epochs // 2) * context.share) // len(shapes))
    total = between * len(shapes) + context.steps(after)
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
        yield replace(progress, done=done + progress.done, total=total)


def cut(student: Scorer, context: Context, shape: Shape) -> Scorer:
    """Narrow the student to a shape by importance; returns it unchanged if it already has that shape.

    Raises:
        AdviseError: as in `surgery.narrow`.
    """
    family, config = context.family, student.model.config.to_dict()
    if family.shape(config) == shape:
        return student
    sizes = family.structure(family.resized(config, shape)).sizes
    return narrow(student, choose(importance(student, context), structure_of(student.model), sizes))


def importance(student: Scorer, context: Context) -> Scores:
    """Scores by unit and site: hidden channels once, heads and neurons where they are chosen by themselves."""
    structure = structure_of(student.model)
    student.to(context.device).eval()
    scores: Scores = {}
    for batch in context.batches(context.train.take(SCORED_ROWS), size=SCORED_TOGETHER):
        student.zero_grad(set_to_none=True)
        label_loss(context)(student, batch).backward()
        for key, change in _changes(student, structure).items():
            scores[key] = scores.get(key, 0) + change.abs()
    student.zero_grad(set_to_none=True)
    return scores


def _changes(student: Scorer, structure: Structure) -> Scores:
    """Signed change of the loss for each unit, over one batch."""
    changes: Scores = {}
    named = dict(student.model.named_parameters())
    for name, row, site in structure.tensors():
        if (tensor := named.get(name)) is None or tensor.grad is None:
            continue
        product = tensor.detach() * tensor.grad
        for dimension, axis in enumerate(row.axes):
            others = [other for other in range(product.dim()) if other != dimension]
            along = product.sum(others) if others else product  # sum([]) would sum over everything
            along = along.cpu().double()  # after the move: MPS has no double
            for unit, change in _by_unit(along, axis, structure.sizes):
                key = (unit, site if local(unit) else "")
                changes[key] = changes.get(key, 0) + change
    for site in structure.sites("kv"):  # the heads of a group go with it
        changes["kv", site] = changes["kv", site] + changes["heads", site].view(len(changes["kv", site]), -1).sum(1)
    return changes


def _by_unit(along: Tensor, axis: str, sizes: Mapping[str, int]) -> Iterator[tuple[str, Tensor]]:
    """The sums of the places of each unit, part by part. along: (length of the axis)."""
    start = 0
    for part in parts(axis):
        count = sizes[part.unit] if part.unit else 1
        end = start + count * value(part.width, sizes)
        if removable(part.unit):
            yield part.unit, along[start:end].view(count, -1).sum(1)
        start = end


def choose(scores: Scores, structure: Structure, sizes: Mapping[str, int]) -> dict[tuple[str, str], list[int]]:
    """The most important units where fewer stay, in their old order; heads in whole key-value groups.

    sizes: of the smaller model, by unit.
    """
    kept: dict[tuple[str, str], list[int]] = {}
    for (unit, site), found in scores.items():
        grouped = unit == "heads" and site in structure.sites("kv")
        if sizes[unit] < structure.sizes[unit] and not grouped:
            kept[unit, site] = _top(found, sizes[unit])
            if unit == "kv":
                each = structure.sizes["heads"] // structure.sizes["kv"]
                kept["heads", site] = [group * each + head for group in kept[unit, site] for head in range(each)]
    return kept


def _top(scores: Tensor, count: int) -> list[int]:
    found: list[int] = torch.topk(scores, count).indices.sort().values.tolist()
    return found
