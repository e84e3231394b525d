"""Spool: many tensors in a file, so that a teacher's outputs need no memory beside the student."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor


class Spool:
    """Tensors in bfloat16 by key, each written once and read as often as wanted.

    The file has no name and is gone with the process, however that ends. folder: where it lies; the system's folder for
    temporary files if None. file, places: of tensors that were written before; they are only read.
    """

    def __init__(
        self,
        folder: Path | None,
        file: BinaryIO | None = None,
        places: Mapping[Any, tuple[int, torch.Size]] | None = None,
    ) -> None:
        self.file = file or tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as somebody may read it
        self.places: dict[Any, tuple[int, torch.Size]] = dict(places or {})

    def write(self, key: Any, tensor: Tensor) -> None:
        """Half the bytes of float32 and its range, which T5's large states need.

        Raises:
            OSError: the disk is full.
        """
        data = tensor.to("cpu", torch.bfloat16).contiguous()
        self.places[key] = self.file.seek(0, 2), data.shape
        self.file.write(data.flatten().view(torch.uint8).numpy().data)

    def read(self, key: Any) -> Tensor:
        """The tensor as it was written."""
        start, shape = self.places[key]
        self.file.seek(start)
        data = bytearray(self.file.read(2 * shape.numel()))
        return torch.frombuffer(data, dtype=torch.bfloat16).view(shape)

    def size(self) -> int:
        """Bytes of all tensors."""
        return self.file.seek(0, 2)

    def copy(self, target: Path) -> None:
        """Write all tensors to a file that stays. Raises OSError where the disk is full."""
        self.file.seek(0)
        with target.open("wb") as file:
            shutil.copyfileobj(self.file, file, 1 << 20)
