"""The fp32 model in the runtime that serves int8: what it takes there tells int8's gain from the runtime's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psutil

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Batch
from advisor.compute.int8.backends import Prepared, Source, backend
from advisor.compute.tasks.scorer import Scorer

COPIES = 3  # of the weights that exist at once while a model is exported and loaded


def in_runtime(scorer: Scorer, name: str, proof: Sequence[Batch], work: Path) -> Prepared:
    """Export a model to a backend's runtime and prove it on the batches; its `fp32` serves it.

    Args:
        name: of the backend. work: a new folder, needed as long as the model is.

    Raises:
        AdviseError: it answers otherwise there, or memory is too small for it beside what is already loaded.
    """
    needed = COPIES * sum(one.numel() * one.element_size() for one in scorer.parameters())
    free = psutil.virtual_memory().available
    if needed > free:
        raise AdviseError(f"its export takes about {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free")
    work.mkdir()
    return backend(name).prepare(Source(scorer, (), proof, work, reduce_range=False))
