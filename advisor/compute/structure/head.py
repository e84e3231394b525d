"""The head that answers with labels, renumbered: the same answers, each under another number."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from advisor.compute.tasks.scorer import Scorer, WordScorer
from advisor.families.family import Family


@torch.no_grad()
def renumber(scorer: Scorer, family: Family, order: Sequence[int]) -> None:
    """Give the labels other numbers, in place. order: for each new number the one that it had."""
    if list(order) == sorted(order) or isinstance(scorer, WordScorer):
        return
    named, numbers = dict(scorer.model.named_parameters()), torch.tensor(order)
    for name, row, _ in family.structure(scorer.model.config.to_dict(), labels=len(order)).tensors():
        if "labels" in row.axes and name in named:
            tensor = named[name]
            tensor.copy_(tensor.index_select(row.axes.index("labels"), numbers.to(tensor.device)))
