"""Teacher: the unmodified fine-tuned model, what it answers, and its hidden states.

Its scores of the training rows are computed once. So are its hidden states where they fit in memory, which saves a
pass of the whole model with every batch; else they are computed when they are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence

import torch
from torch import Tensor

from advisor.compute.bench import Batch, Bench
from advisor.compute.blocks import Block, counted, flat, watched
from advisor.compute.device import bf16
from advisor.compute.scorer import Scorer
from advisor.errors import AdviseError
from advisor.results import Progress

MOST_BYTES = 2 * 1024**3  # of hidden states in memory: 10,000 rows of 64 tokens at 4 blocks of width 384 take 1.8 GB
States = Callable[[Batch], Mapping[Block, Tensor]]  # from a batch to (positions that count, hidden) of each block


def teacher(bench: Bench) -> Scorer:
    """The teacher.

    Raises:
        AdviseError: none has been fine-tuned yet.
    """
    if bench.teacher is None:
        raise AdviseError(
            "distillation needs a fine-tuned teacher: the recipe has no finetune step before it",
            hint="let the recipe begin with finetune",
        )
    return bench.teacher


def partners(student: Mapping[str, int], taught_by: Mapping[str, int]) -> dict[Block, Block]:
    """The teacher's block that each block of the student imitates: evenly spaced, the last one the last.

    partners({"encoder": 4}, {"encoder": 12}): 0, 1, 2, 3 imitate 2, 5, 8, 11. Both: number of blocks by stack.
    """
    return {
        (stack, number): (stack, math.floor((number + 1) * taught_by[stack] / depth + 0.5) - 1)
        for stack, depth in student.items()
        for number in range(depth)
    }


def hidden_states(bench: Bench, wanted: Sequence[Block]) -> Generator[Progress, None, States]:
    """The teacher's states after the wanted blocks. Raises: see `teacher`."""
    scorer = teacher(bench)
    scorer.to(bench.device).eval()
    half = bf16(bench.training.precision, bench.device)
    autocast = {"device_type": bench.device.type, "dtype": torch.bfloat16, "enabled": half}

    def answer(batch: Batch) -> Mapping[Block, Tensor]:
        with torch.no_grad(), torch.autocast(**autocast), watched(scorer.model, bench.family) as passed:
            scorer(batch.input_ids, batch.attention_mask)
        return {block: flat(passed[block].after, counted(bench.family, block[0], batch)) for block in wanted}

    positions = sum(map(len, bench.train.tokens))
    if positions * len(wanted) * scorer.model.config.hidden_size * 2 > MOST_BYTES:
        return answer
    return (yield from _remembered(bench, wanted, answer))


def _remembered(bench: Bench, wanted: Sequence[Block], answer: States) -> Generator[Progress, None, States]:
    rows: dict[Block, list[Tensor]] = {block: [torch.empty(0)] * len(bench.train) for block in wanted}
    done = 0
    for batch in bench.batches(bench.train, size=max(64, bench.training.batch_size)):
        for block, states in answer(batch).items():
            lengths = counted(bench.family, block[0], batch).sum(1).tolist()
            # Half the memory; bfloat16 has the range of float32, which T5's large states need.
            for row, states_of_row in zip(batch.rows.tolist(), states.bfloat16().cpu().split(lengths), strict=True):
                rows[block][row] = states_of_row
        done += len(batch.rows)
        yield Progress("teacher", done, len(bench.train))
    return lambda batch: {block: torch.cat([of[row] for row in batch.rows.tolist()]) for block, of in rows.items()}
