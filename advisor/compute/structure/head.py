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
    places = family.tensor_names(scorer.model.config.to_dict())
    numbers = torch.tensor(order)
    for name, tensor in scorer.model.named_parameters():
        axes = places[name][0].split() if name in places else []
        if "labels" in axes:
            tensor.copy_(tensor.index_select(axes.index("labels"), numbers.to(tensor.device)))
