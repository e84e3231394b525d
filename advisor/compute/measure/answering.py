"""Answering: a step's model with its tokenizer, loaded to score texts as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers.tokenization_utils_base import LARGE_INTEGER

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Encoded, encode
from advisor.compute.data.labels import Rows
from advisor.compute.int8 import artefact
from advisor.compute.int8.quantized import probabilities
from advisor.compute.machine.device import named
from advisor.compute.structure import checkpoint
from advisor.compute.structure.loading_checks import CODE
from advisor.compute.tasks.registry import task_of
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.context import Context
from advisor.families.family import Family
from advisor.records.training_settings import Training

NO_ROWS = Encoded((), ())


class Answering:
    """The model in a step's folder. threads: of an int8 model, all cores if 0. device: of a plain checkpoint.

    trust_remote_code: code that comes with the tokenizer may be executed.

    Raises:
        AdviseError: model or tokenizer cannot be loaded, what an int8 model needs is not installed, or there is no such
            device.
    """

    def __init__(
        self, folder: Path, family: Family, labels: Sequence[str], threads: int, device: str, trust_remote_code: bool
    ) -> None:
        task = task_of("text-classification", labels)
        reader = artefact.read(folder, threads)
        place = torch.device("cpu") if reader else named(device)
        with _with_remedy():
            if reader is not None:
                self._reader, self._tokenizer = reader, checkpoint.tokenizer(folder, trust_remote_code)
            else:
                options = {"trust_remote_code": trust_remote_code, "trained": True}
                scorer, self._tokenizer = checkpoint.load(folder, family, task, **options)
                self._reader = _Plain(scorer.to(place).eval())
        pad = self._tokenizer.pad_token_id
        self._context = Context(family, task, place, Training(), NO_ROWS, NO_ROWS, pad=pad)

    def most_tokens(self) -> int | None:
        """What the tokenizer's files say that a text is cut to; None if they do not."""
        found = self._tokenizer.model_max_length
        return found if isinstance(found, int) and 0 < found < LARGE_INTEGER else None

    def width(self) -> int:
        """How many scores a text gets."""
        return len(self.scores([""], None, max_tokens=2, batch_size=1)[0])

    def scores(
        self, texts: Sequence[str], pairs: Sequence[str] | None, max_tokens: int, batch_size: int
    ) -> list[list[float]]:
        """(texts, labels), in the order of the texts; texts of like length share a batch."""
        rows = Rows(tuple(texts), tuple(pairs) if pairs is not None else None, (0,) * len(texts))
        encoded = encode(rows, self._tokenizer, max_tokens)
        found: list[list[float]] = [[]] * len(texts)
        for batch in self._context.batches(encoded, size=batch_size):
            scores = self._reader(**batch.inputs).tolist()
            for row, score in zip(batch.rows.tolist(), scores, strict=True):
                found[row] = score
        return found


@contextmanager
def _with_remedy() -> Iterator[None]:
    """Within, an error about a tokenizer's untrusted code says how to trust it."""
    try:
        yield
    except AdviseError as error:
        if not any(CODE in fault.message for fault in error.faults):
            raise
        hint = "read that code, then load(…, trust_remote_code=True)"
        raise AdviseError(*(replace(fault, hint=hint) for fault in error.faults)) from None


class _Plain:
    """A scorer of torch, read as int8 models are."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer

    def __call__(self, **inputs: Any) -> Any:
        with torch.inference_mode():
            return self.scorer(**inputs).float().cpu().numpy()


def shares(scores: Sequence[float]) -> list[float]:
    """Scores of one row as probabilities."""
    found: list[float] = probabilities([scores])[0].tolist()
    return found
