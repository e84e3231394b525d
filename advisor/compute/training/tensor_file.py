"""Spool: many tensors in a file, so that a teacher's outputs need no memory beside the student."""

from __future__ import annotations

import tempfile
from collections.abc import Hashable
from pathlib import Path

import torch
from torch import Tensor


class Spool:
    """Tensors in bfloat16 by key, each written once and read as often as wanted.

    The file has no name and is gone with the process, however that ends. folder: where it lies; the system's folder for
    temporary files if None.
    """

    def __init__(self, folder: Path | None) -> None:
        self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as somebody may read it
        self.places: dict[Hashable, tuple[int, torch.Size]] = {}

    def write(self, key: Hashable, tensor: Tensor) -> None:
        """Half the bytes of float32 and its range, which T5's large states need.

        Raises:
            OSError: the disk is full.
        """
        data = tensor.to("cpu", torch.bfloat16).contiguous()
        self.places[key] = self.file.seek(0, 2), data.shape
        self.file.write(data.flatten().view(torch.uint8).numpy().data)

    def read(self, key: Hashable) -> Tensor:
        """The tensor as it was written."""
        start, shape = self.places[key]
        self.file.seek(start)
        data = bytearray(self.file.read(2 * shape.numel()))
        return torch.frombuffer(data, dtype=torch.bfloat16).view(shape)
