"""Teacher: the fine-tuned model's scores and hidden states of all rows, in one pass before a step that distils.

The scores are kept for the steps that follow, unless there are too many of them, as of a language model's vocabulary.
The states are kept in a file up to a limit, which saves a pass of the whole teacher with every batch, and its memory
meanwhile. What is not kept is computed when it is asked for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence

import torch
from torch import Tensor

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Batch
from advisor.compute.machine.device import bf16
from advisor.compute.structure.blocks import Block, blocks, flat, watched
from advisor.compute.training.context import Context, Teacher, counted
from advisor.compute.training.kept import Kept
from advisor.compute.training.kept_answers import Answered
from advisor.compute.training.tensor_file import Spool
from advisor.records.results import TEACHER, Progress

# From a batch to its scores, (positions, classes), and the states after each block, (positions that count, hidden).
Answers = Callable[[Batch], tuple[Tensor, Mapping[Block, Tensor]]]


def teacher(context: Context) -> Teacher:
    """The teacher.

    Raises:
        AdviseError: none has been fine-tuned yet.
    """
    if context.teacher is None:
        raise AdviseError(
            "distillation needs a fine-tuned teacher: the recipe has no finetune step before it",
            hint="start the recipe with finetune",
        )
    return context.teacher


def partners(student: Mapping[str, int], taught_by: Mapping[str, int]) -> dict[Block, Block]:
    """The teacher's block that each block of the student imitates: evenly spaced, the last one the last.

    partners({"encoder": 4}, {"encoder": 12}): 0, 1, 2, 3 imitate 2, 5, 8, 11. Both: number of blocks by stack. A given
    student may be deeper than its teacher: its first blocks then imitate the first.
    """
    return {
        (stack, number): (stack, max(0, math.floor((number + 1) * taught_by[stack] / depth + 0.5) - 1))
        for stack, depth in student.items()
        for number in range(depth)
    }


def with_answers(context: Context, wanted: Sequence[Block]) -> Generator[Progress, None, tuple[Context, Answers]]:
    """The context with all rows among its training rows, and the teacher's answers with its states after these blocks.

    Scores that the task keeps, and states that fit, are computed once; what else is wanted is computed for each batch.

    Raises: see `teacher`.
    """
    own = teacher(context)
    own.scorer.to(context.device).eval()
    keeps = context.task.keeps_scores
    kept = wanted if keeps and _fits(context, wanted) else ()
    if keeps and (own.scores is None or kept):
        own.scores, spool = yield from _asked(context, kept)
    scores = own.scores if keeps else None
    if scores and kept == wanted:
        own.unload()

    def answers(batch: Batch) -> tuple[Tensor, Mapping[Block, Tensor]]:
        if scores is None or kept != wanted:
            found, states = _answer(context, wanted, _as_read(context, batch))
            return (found if scores is None else scores.batch(batch.rows)), states
        rows = batch.rows.tolist()
        return scores.batch(batch.rows), {
            block: torch.cat([spool.read((block, row)) for row in rows]) for block in kept
        }

    return context.on_all_texts(), answers


def states_bytes(width: int, layers: Mapping[str, int], texts: int, tokens: int, alone: Collection[str]) -> int:
    """What hidden states of so many texts take in bfloat16.

    Args:
        layers: after how many blocks of each stack. alone: stacks of which only the first position counts.
    """
    return 2 * width * sum((texts if stack in alone else tokens) * count for stack, count in layers.items())


def _fits(context: Context, wanted: Sequence[Block]) -> bool:
    """Whether the states of all texts may be kept."""
    reads = context.taught_by
    texts = (reads.train + reads.unlabelled).tokens
    width = teacher(context).scorer.model.config.hidden_size
    layers = Counter(stack for stack, _ in wanted)
    alone = {stack for stack in layers if reads.task.alone(stack, reads.family)}
    return states_bytes(width, layers, len(texts), sum(map(len, texts)), alone) <= context.states_bytes


def _asked(context: Context, wanted: Sequence[Block]) -> Generator[Progress, None, Answered]:
    """The teacher's answers to all rows with its states after these blocks: kept by an earlier trial, or asked for now.

    Where answers are kept, so are the states after its other blocks, if they fit: students of other depths want them.
    """
    own = teacher(context)
    if own.answers is None:
        return (yield from _all_rows(context, wanted))
    every = tuple(blocks(own.scorer.model, context.taught_by.family))
    chosen = every if wanted and _fits(context, every) else tuple(wanted)
    found = own.answers.find(chosen)
    if found is None:
        found = yield from _all_rows(context, chosen)
        own.answers.keep(chosen, found)
    return found


def _all_rows(context: Context, wanted: Sequence[Block]) -> Generator[Progress, None, Answered]:
    """The teacher's scores of all rows, and its states of each of these blocks and row."""
    reads, spool = context.taught_by, Spool(context.keeper.scratch)
    rows, done = reads.train + reads.unlabelled, 0
    total = sum(map(len, rows.tokens))
    found: list[tuple[list[int], Sequence[Tensor]]] = []
    for batch in reads.many(rows):
        scores, states = _answer(context, wanted, batch)
        numbers = batch.rows.tolist()
        found.append((numbers, scores.float().cpu().split(reads.task.counts(batch))))
        for block, of_batch in states.items():
            lengths = _lengths(counted(reads, block[0], batch), of_batch, len(numbers))
            for row, of_row in zip(numbers, of_batch.bfloat16().cpu().split(lengths), strict=True):
                spool.write((block, row), of_row)  # (positions of the row, hidden)
        done += sum(len(rows.tokens[row]) for row in numbers)
        yield Progress(TEACHER, done, total, "tokens")
    return Kept.gathered(len(rows), found), spool


def _lengths(mask: Tensor | None, states: Tensor, rows: int) -> list[int]:
    """How many positions of each row count. mask: (rows, positions), states: (positions, hidden)."""
    found: list[int] = [len(states) // rows] * rows if mask is None else mask.sum(1).tolist()
    return found


def _as_read(context: Context, batch: Batch) -> Batch:
    """The rows of a batch as the teacher's own tokenizer gives them."""
    reads = context.taught_by
    return batch if reads is context else reads.collate(reads.train + reads.unlabelled, batch.rows.tolist())


def _answer(context: Context, wanted: Sequence[Block], batch: Batch) -> tuple[Tensor, Mapping[Block, Tensor]]:
    """The teacher's scores of a batch that it can read, (positions, classes), and its states."""
    reads = context.taught_by
    family, half = reads.family, bf16(reads.family.precision(context.training.precision), context.device)
    scorer, task = teacher(context).scorer, reads.task
    with (
        torch.no_grad(),
        torch.autocast(device_type=context.device.type, dtype=torch.bfloat16, enabled=half),
        watched(scorer.model, family) as passed,
    ):
        scores = task.positions(scorer(**batch.inputs), batch)
    return scores, {block: flat(passed[block].after, counted(reads, block[0], batch)) for block in wanted}
