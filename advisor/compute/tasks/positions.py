"""Positions: a model for smaller images or shorter sounds than it was made for, as a plain model of its own config."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from advisor.compute.tasks.writing import writing_as


def with_positions(model: Any, key: str, size: int, name: str, change: Callable[[Tensor], Tensor]) -> Any:
    """A model of the same class and weights with another table of positions.

    Args:
        key, size: what its config says then. name: the end of the table's name. change: makes the new table of the old.
    """
    config = copy.deepcopy(model.config)
    setattr(config, key, size)
    with torch.random.fork_rng(devices=[]):
        found = type(model)(config)
    state = {one: change(tensor) if one.endswith(name) else tensor for one, tensor in model.state_dict().items()}
    found.load_state_dict(state)
    found.tie_weights()
    return writing_as(found, model).to(model.device)


def interpolated(table: Tensor, old: int, new: int) -> Tensor:
    """Positions of the patches of a square image, for more or fewer of them on a side, as ViT's own code does it.

    Args:
        table: (1, special tokens and patches, hidden). old, new: patches on a side.
    """
    first, grid = table[:, : -old * old], table[:, -old * old :]
    square = grid.reshape(1, old, old, -1).permute(0, 3, 1, 2)
    scaled = functional.interpolate(square, size=(new, new), mode="bicubic", align_corners=False)
    return torch.cat([first, scaled.permute(0, 2, 3, 1).reshape(1, new * new, -1)], dim=1)
