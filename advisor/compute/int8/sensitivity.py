"""Sensitivity: which matrices int8 hurts most, found by measurement, so that they alone stay in fp32.

Matrices fall into groups: each block's, and those of one kind in all blocks (BERT's `layer.*.output.dense`). Each
group is left in fp32 by itself, all else in int8, and the mean difference of class probabilities from fp32
shows what it would win.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

BLOCK = re.compile(r"(?<=[./])(\d+)(?=[./])")  # the first number in a name is the block's
MOST_BLOCKS = 12  # deeper models are measured by runs of neighbouring blocks
Groups = Mapping[str, frozenset[str]]


def groups(matrices: Iterable[str]) -> Groups:
    """Groups of matrices by what they are called together; the matrices of a model without blocks one by one."""
    matrices = tuple(matrices)
    by_kind: dict[str, set[str]] = {}
    for name in matrices:
        by_kind.setdefault(plain(BLOCK.sub("*", name, count=1)), set()).add(name)
    found = {**by_kind, **_blocks(matrices)}
    return {name: frozenset(group) for name, group in found.items() if len(group) < len(matrices)}


def _blocks(matrices: Sequence[str]) -> dict[str, set[str]]:
    stacks: dict[str, dict[int, set[str]]] = {}
    for name in matrices:
        number = BLOCK.search(name)
        if number:
            stacks.setdefault(plain(name[: number.end()]).rpartition(".")[0], {}).setdefault(
                int(number.group()), set()
            ).add(name)
    found: dict[str, set[str]] = {}
    for stack, blocks in stacks.items():
        size = -(-len(blocks) * len(stacks) // MOST_BLOCKS)
        for start in range(0, len(blocks), size):
            run = sorted(blocks)[start : start + size]
            name = f"{stack}.{run[0]}" if len(run) == 1 else f"{stack}.{run[0]} to {run[-1]}"
            found[name] = set().union(*(blocks[number] for number in run))
    return found


def plain(name: str) -> str:
    """A matrix's name as the model has it: `/model/bert/pooler/dense/MatMul` is `bert.pooler.dense`."""
    return re.sub(
        r"(\.matrix)?(\.(MatMul|Gemm)\w*|\.WithoutBiases)*$", "", name.strip("/").replace("/", ".")
    ).removeprefix("model.")
