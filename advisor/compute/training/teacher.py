"""Teacher: the fine-tuned model's scores and hidden states of all texts, in one pass before a step that distils.

The scores are kept for the steps that follow. The states are kept in a file up to a limit, which saves a pass of the
whole teacher with every batch, and its memory meanwhile; else they are computed when they are asked for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence

import torch
from torch import Tensor

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Batch
from advisor.compute.machine.device import bf16
from advisor.compute.structure.blocks import Block, counted, first_alone, flat, watched
from advisor.compute.training.context import Context, Teacher
from advisor.compute.training.tensor_file import Spool
from advisor.families.family import Family
from advisor.records.results import TEACHER, Progress

States = Callable[[Batch], Mapping[Block, Tensor]]  # from a batch to (positions that count, hidden) of each block


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


def with_answers(context: Context, wanted: Sequence[Block]) -> Generator[Progress, None, tuple[Context, States]]:
    """The context with all texts among its training rows, and the teacher's states after the wanted blocks.

    Raises: see `teacher`.
    """
    own = teacher(context)
    own.scorer.to(context.device).eval()
    kept = wanted if _bytes(context, wanted) <= context.states_bytes else ()
    spool = Spool(context.keeper.scratch)
    if own.scores is None or kept:
        own.scores = yield from _all_texts(context, kept, spool)
    if kept == wanted:
        own.unload()

    def states(batch: Batch) -> Mapping[Block, Tensor]:
        if kept:
            rows = batch.rows.tolist()
            return {block: torch.cat([spool.read((block, row)) for row in rows]) for block in kept}
        return _answer(context, wanted, _as_read(context, batch))[1]

    return context.on_all_texts(), states


def states_bytes(family: Family, width: int, layers: Mapping[str, int], texts: int, tokens: int) -> int:
    """What hidden states of so many texts take in bfloat16. layers: after how many blocks of each stack."""
    positions = {True: texts, False: tokens}
    return 2 * width * sum(positions[first_alone(family, stack)] * count for stack, count in layers.items())


def _bytes(context: Context, wanted: Sequence[Block]) -> int:
    """What the states of all texts take."""
    reads = context.taught_by
    texts = (reads.train + reads.unlabelled).tokens
    width = teacher(context).scorer.model.config.hidden_size
    return states_bytes(reads.family, width, Counter(stack for stack, _ in wanted), len(texts), sum(map(len, texts)))


def _all_texts(context: Context, wanted: Sequence[Block], spool: Spool) -> Generator[Progress, None, Tensor]:
    """The teacher's scores of all texts, (texts, labels); its states of each block and row go into the spool."""
    reads = context.taught_by
    texts, done = reads.train + reads.unlabelled, 0
    scores, total = torch.empty(0), sum(map(len, texts.tokens))
    for batch in reads.batches(texts, size=max(64, reads.training.batch_size)):
        found, states = _answer(context, wanted, batch)
        scores = scores if len(scores) else torch.empty(len(texts), found.shape[1])
        scores[batch.rows] = found.float().cpu()
        for block, of_batch in states.items():
            lengths = counted(reads.family, block[0], batch).sum(1).tolist()
            for row, of_row in zip(batch.rows.tolist(), of_batch.bfloat16().cpu().split(lengths), strict=True):
                spool.write((block, row), of_row)  # (positions of the row, hidden)
        done += int(batch.attention_mask.sum())
        yield Progress(TEACHER, done, total, "tokens")
    return scores


def _as_read(context: Context, batch: Batch) -> Batch:
    """The rows of a batch as the teacher's own tokenizer gives them."""
    reads = context.taught_by
    return batch if reads is context else reads.collate(reads.train + reads.unlabelled, batch.rows.tolist())


def _answer(context: Context, wanted: Sequence[Block], batch: Batch) -> tuple[Tensor, Mapping[Block, Tensor]]:
    """The teacher's scores of a batch that it can read, (rows, labels), and its states."""
    family = context.taught_by.family
    half = bf16(family.precision(context.training.precision), context.device)
    scorer = teacher(context).scorer
    with (
        torch.no_grad(),
        torch.autocast(device_type=context.device.type, dtype=torch.bfloat16, enabled=half),
        watched(scorer.model, family) as passed,
    ):
        scores = scorer(batch.input_ids, batch.attention_mask)
    return scores, {block: flat(passed[block].after, counted(family, block[0], batch)) for block in wanted}
