"""Influence of blocks, measured on task data: how far a model's answers move when a block is skipped.

The block that is missed least goes first, the others are measured anew without it, and so on (greedy, as SLEB, arXiv
2402.09025, with the answers in place of perplexity). The cosine between what goes into a block and what comes out
(block influence of ShortGPT, arXiv 2403.03853) is no substitute: it ranked the last block of a post-norm encoder
highest, whose skipping moved the answers least (docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.nn import functional

from advisor.compute.bench import Bench, logits
from advisor.compute.blocks import Block, blocks
from advisor.compute.scorer import Scorer
from advisor.family import Family
from advisor.results import Progress


def least_missed_go(
    student: Scorer, bench: Bench, keep: Mapping[str, int], count: int
) -> Generator[Progress, None, dict[str, tuple[int, ...]]]:
    """The numbers of the blocks that stay, by stack, chosen on `count` training rows. keep: how many, by stack."""
    rows = bench.train.take(count)
    whole = functional.log_softmax(logits(student, bench, rows), dim=1)
    gone = list(bench.keeper.position.gone)
    stay = [block for block in blocks(student.model, bench.family) if block not in gone]
    total = len(gone) + len(stay) - sum(keep.values())
    for stack, most in keep.items():
        while len(left := [block for block in stay if block[0] == stack]) > most:
            moved = {block: _moved(student, bench, [*gone, block], whole) for block in left}
            gone.append(min(left, key=lambda block: moved[block]))
            stay.remove(gone[-1])
            bench.keeper.note(gone)
            yield Progress("choose layers", len(gone), total, f"{stack} {gone[-1][1]} is missed least")
    return {stack: tuple(number for of, number in stay if of == stack) for stack in keep}


def _moved(student: Scorer, bench: Bench, gone: Collection[Block], whole: Tensor) -> float:
    """KL divergence of the answers from those of the whole model. whole: (rows, labels), logarithms."""
    with skipped(student.model, bench.family, gone):
        found = functional.log_softmax(logits(student, bench, bench.train.take(len(whole))), dim=1)
    return float(functional.kl_div(found, whole, reduction="batchmean", log_target=True))


@contextmanager
def skipped(model: Any, family: Family, gone: Collection[Block]) -> Iterator[None]:
    """Within, these blocks hand on what they are given."""

    def hand_on(_: Any, arguments: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> Any:
        given = arguments[0] if arguments else named["hidden_states"]
        # What T5's blocks return beside it is the position bias, which those after them need.
        return (given, *output[1:]) if isinstance(output, tuple) else given

    modules = blocks(model, family)
    handles = [modules[block].register_forward_hook(hand_on, with_kwargs=True) for block in gone]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
