"""Answering: a step's model with its processor, loaded to answer what it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers.tokenization_utils_base import LARGE_INTEGER

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Encoded, padded
from advisor.compute.data.labels import Rows
from advisor.compute.data.tokenizing import token_ids
from advisor.compute.int8 import artefact
from advisor.compute.int8.backends import wrote
from advisor.compute.machine.device import named
from advisor.compute.structure import checkpoint
from advisor.compute.structure.loading_checks import CODE
from advisor.compute.structure.processors import pad_of, processor
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.task import Answerer, Task
from advisor.compute.tasks.writing import Writer
from advisor.compute.training.context import Context, judge_by
from advisor.families.family import Family
from advisor.records.answers import Answer
from advisor.records.training_settings import Training

NO_ROWS = Encoded((), ())


class Answering:
    """The model in a step's folder. threads: of an int8 model, all cores if 0. device: of a plain checkpoint.

    trust_remote_code: code that comes with the tokenizer may be executed.

    Raises:
        AdviseError: model or processor cannot be loaded, what an int8 model needs is not installed, or there is no such
            device.
    """

    def __init__(
        self, folder: Path, family: Family, task: Task, threads: int, device: str, trust_remote_code: bool
    ) -> None:
        int8 = wrote(folder) is not None
        place = torch.device("cpu") if int8 else named(device)
        with _with_remedy():
            if int8:
                self._processor = processor(task, folder, trust_remote_code)
                task.prepare(self._processor)
                loaded = artefact.read(folder, threads, self._processor)
                self._reader: Any = loaded
            else:
                options = {"trust_remote_code": trust_remote_code, "trained": True}
                loaded, self._processor = checkpoint.load(folder, family, task, **options)
                self._reader = _Plain(loaded.to(place).eval())
            self._model: Answerer = loaded if isinstance(loaded, Writer) else self._read
        pad = pad_of(self._processor)
        self._context = Context(family, task, place, Training(), NO_ROWS, NO_ROWS, pad=pad)

    def most_tokens(self) -> int | None:
        """What the tokenizer's files say that a text is cut to; None if they do not."""
        found = getattr(self._processor, "model_max_length", None)
        return found if isinstance(found, int) and 0 < found < LARGE_INTEGER else None

    def width(self) -> int:
        """How many scores the model gives at a position."""
        return int(self._read(**self._example()).shape[-1])

    def _example(self) -> Mapping[str, Tensor]:
        """Inputs that any model of the task can read."""
        task = self._context.task
        if task.example is None:
            return padded(token_ids(self._processor, ["a"], max_tokens=4), self._context.pad)
        rows = task.encode(task.asked([task.example], None), self._processor, 1)
        return task.collate(rows, [0], self._context.pad).inputs

    def answers(self, texts: Sequence[Any], pairs: Sequence[Any] | None, cut: int, size: int) -> list[Answer]:
        """The answers in the order of the texts, which are cut; texts of like length share a batch of this size."""
        task = self._context.task
        rows = task.encode(task.asked(texts, pairs), self._processor, cut)
        with torch.inference_mode():
            return task.answer(self._model, self._context.batches(rows, size=size), rows, texts)

    def table(self, rows: Rows, cut: int) -> Tensor:
        """What the model does on labelled rows, as its task records it: (rows, numbers)."""
        encoded = self._context.task.encode(rows, self._processor, cut)
        with torch.inference_mode():
            return judge_by(self._model, self._context, encoded).table

    def _read(self, **inputs: Any) -> Tensor:
        return torch.as_tensor(self._reader(**inputs))


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
