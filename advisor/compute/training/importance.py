"""Influence of blocks, measured on task data: how far a model's answers move when a block is skipped.

The block that matters least goes first, the others are measured anew without it, and so on (greedy, as SLEB, arXiv
2402.09025, with the answers in place of perplexity). The cosine between what goes into a block and what comes out
(block influence of ShortGPT, arXiv 2403.03853) is no substitute: it ranked the last block of a post-norm encoder
highest, whose skipping moved the answers least (docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.structure.blocks import Block, Passed, blocks, replaced, watched
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.context import Context
from advisor.families.family import Family
from advisor.records.results import Progress


def least_missed_go(
    student: Scorer, context: Context, keep: Mapping[str, int], count: int
) -> Generator[Progress, None, dict[str, tuple[int, ...]]]:
    """The numbers of the blocks that stay, by stack, chosen on `count` training rows. keep: how many, by stack."""
    rows = context.train.take(count)
    student.to(context.device).eval()
    gone = list(context.keeper.position.gone)
    stay = [block for block in blocks(student.model, context.family) if block not in gone]
    fixed = context.family.structure(student.model.config.to_dict()).fixed()
    total = len(gone) + len(stay) - sum(keep.values())
    for stack, most in keep.items():
        while len([block for block in stay if block[0] == stack]) > most:
            left = [block for block in stay if block[0] == stack and block not in fixed]
            moved = missed(student, context, gone, left, rows)
            gone.append(min(left, key=lambda block: moved[block]))
            stay.remove(gone[-1])
            context.keeper.note(gone)
            yield Progress("choose layers", len(gone), total, f"{stack} {gone[-1][1]} matters least")
    return {stack: tuple(number for of, number in stay if of == stack) for stack in keep}


@torch.no_grad()
def missed(
    student: Scorer, context: Context, gone: Collection[Block], left: Sequence[Block], rows: Encoded
) -> dict[Block, float]:
    """How far the answers to rows move from those of the whole model without each block that is left.

    gone: the blocks that are skipped as well.
    """
    moved, total, family = dict.fromkeys(left, 0.0), 0, context.family

    def scores(batch: Batch) -> Tensor:
        return context.task.positions(student(**batch.inputs), batch).float()

    for batch in context.many(rows):
        whole = scores(batch)
        with skipped(student.model, family, gone), watched(student.model, family) as passed:
            scores(batch)
        for block in left:
            with replaced(student.model, family, _without(block, gone, passed)):
                moved[block] += float(context.task.divergence(scores(batch), whole)) * len(whole)
        total += len(whole)
    return {block: far / total for block, far in moved.items()}


def _without(block: Block, gone: Collection[Block], passed: Mapping[Block, Passed]) -> dict[Block, Callable[..., Any]]:
    """Replacements for the blocks before the one that is skipped: they return what they returned before.

    passed: what passed through all blocks without those that are gone, in that order.
    """
    before = list(passed)[: list(passed).index(block)]
    answers = {one: partial(_hand_on, passed[one]) for one in gone}
    answers |= {one: partial(_return, passed[one].output(passed[one].after)) for one in before}
    return answers | {block: partial(_return, passed[block].output(passed[block].before))}


def _return(output: Any, *_: Any, **__: Any) -> Any:
    return output


def _hand_on(passed: Passed, hidden_states: Tensor, *_: Any, **__: Any) -> Any:
    return passed.output(hidden_states)


@contextmanager
def skipped(model: Any, family: Family, gone: Collection[Block]) -> Iterator[None]:
    """Within this context, these blocks return their input."""

    def hand_on(_: Any, arguments: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> Any:
        given = arguments[0] if arguments else named["hidden_states"]
        # What T5's blocks return beside it is the position bias, which those after them need.
        return (given, *output[1:]) if isinstance(output, tuple | list) else given

    modules = blocks(model, family)
    handles = [modules[block].register_forward_hook(hand_on, with_kwargs=True) for block in gone]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
