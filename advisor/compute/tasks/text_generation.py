"""Text generation: causal language models, judged by how few bits they need for each byte of texts not seen before.

Bits per byte compares models whatever their tokens are: minus log2 of the probability of all tokens of the texts,
divided by the bytes of the texts in UTF-8. Each text is scored on its own, its first token after the one that begins
texts. A text longer than the context is read in windows that overlap by half, so that each token but those of the first
window has at least half a context before it. Each token counts once, and padding never.

A raw byte takes 8 bits, so what a model saves is 8 - bits per byte, and what a smaller model keeps of the baseline is
the share (8 - own) / (8 - baseline). A ratio of perplexities would depend on the length of tokens.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForCausalLM

from advisor.base.generators import result_of
from advisor.compute.data.batches import Batch, Encoded, padded
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.data.tokenizing import token_ids
from advisor.compute.data.written import read_alone
from advisor.compute.tasks.metrics import Floats
from advisor.compute.tasks.scorer import IGNORED, Scorer
from advisor.compute.tasks.task import Answerer, Judged, Task
from advisor.compute.tasks.writing import COMPARED_BY, SAME, CausalScorer, alone, chances, keep_settings
from advisor.facts.tasks import Metric
from advisor.records.answers import Answer, Continued

RAW = 8.0  # bits of a byte that nobody predicts
SIDE_BY_SIDE = 16  # texts that are continued together


@dataclass(frozen=True, slots=True)
class TextGeneration(Task):
    """Each token given those before it. A row that is encoded is a window of tokens, of which some are context alone.

    `Encoded` has in labels the place of the first token that counts, and in details the text's number and its bytes.
    max_new_tokens: with which a loaded model continues a text.
    """

    tag: ClassVar[str] = "text-generation"
    in_windows: ClassVar[bool] = True
    keeps_scores: ClassVar[bool] = False
    at_once: ClassVar[int] = 1
    joins_texts: ClassVar[bool] = False
    learns_from_texts_alone: ClassVar[bool] = True
    compared_by: ClassVar[str] = COMPARED_BY
    same_answers: ClassVar[str] = SAME
    max_new_tokens: int = 64

    def stock_class(self, text_to_text: bool = False) -> Any:
        return AutoModelForCausalLM

    def options(self) -> dict[str, Any]:
        return {}

    def scorer(self, model: Any, processor: Any) -> Scorer:
        keep_settings(model, self.tag, max_new_tokens=self.max_new_tokens)
        return CausalScorer(model, processor)

    @classmethod
    def read(cls, source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        return read_alone(source, files, named)

    def encode(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        """Each text in windows of its own."""
        tokens: list[tuple[int, ...]] = []
        labels: list[int] = []
        details: list[tuple[int, int]] = []
        for number, (text, ids) in enumerate(zip(rows.texts, _ids(rows, processor), strict=True)):
            size = max(1, len(text.encode()))
            first_token = _beginning(processor)
            for first, window in windows([first_token, *(ids or [first_token])], max_tokens):
                tokens.append(window)
                labels.append(first)
                details.append((number, 0 if details and details[-1][0] == number else size))
        return Encoded(tuple(tokens), tuple(labels), tuple(details))

    def encode_to_learn(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        """All texts one after the other, each after the token that begins texts, cut into blocks of `max_tokens`."""
        first = _beginning(processor)
        ids = [one for text in _ids(rows, processor) for one in (first, *text)]
        blocks = tuple(tuple(ids[at : at + max_tokens]) for at in range(0, len(ids) - 1, max_tokens))
        blocks = tuple(block for block in blocks if len(block) > 1)
        return Encoded(blocks, (1,) * len(blocks), tuple((number, 0) for number in range(len(blocks))))

    def collate(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Batch:
        """labels: (batch, tokens), a token where it counts."""
        inputs = padded([rows.tokens[row] for row in numbers], pad)
        places = torch.arange(inputs["input_ids"].shape[1])
        first = torch.tensor([rows.labels[row] for row in numbers])[:, None]
        counts = (places >= first) & inputs["attention_mask"].bool()
        return Batch(inputs, inputs["input_ids"].masked_fill(~counts, IGNORED), torch.tensor(numbers))

    def positions(self, raw: Tensor, batch: Batch) -> Tensor:
        return raw[:, :-1][(batch.labels[:, 1:] != IGNORED).to(raw.device)]

    def counts(self, batch: Batch) -> list[int]:
        found: list[int] = (batch.labels[:, 1:] != IGNORED).sum(dim=1).tolist()
        return found

    def hard_loss(self, scores: Tensor, batch: Batch) -> Tensor:
        return functional.cross_entropy(scores, _targets(batch).to(scores.device))

    def judging(self, model: Answerer, batches: Iterable[Batch], rows: Encoded) -> Generator[int, None, Judged]:
        """table: (texts, 2), the bits that a text takes, and its bytes."""
        places = {text: place for place, text in enumerate(dict.fromkeys(text for text, _ in rows.details))}
        table = torch.zeros(len(places), 2, dtype=torch.float64)
        positions = 0
        for text, size in rows.details:
            table[places[text], 1] += size
        for batch in batches:
            scores = self.positions(torch.as_tensor(model(**batch.inputs)), batch).float()
            lost = functional.cross_entropy(scores, _targets(batch).to(scores.device), reduction="none").cpu()
            for row, nats in zip(batch.rows.tolist(), lost.double().split(self.counts(batch)), strict=True):
                table[places[rows.details[row][0]], 0] += float(nats.sum()) / math.log(2)
            positions += len(lost)
            yield len(batch.rows)
        return Judged(table, float(table[:, 0].sum()) * math.log(2) / max(1, positions))

    def likeness(self, model: Answerer, batches: Iterable[Batch]) -> Tensor:
        raw = ((torch.as_tensor(model(**batch.inputs)), batch) for batch in batches)
        return torch.cat([chances(self.positions(scores, batch), _targets(batch)) for scores, batch in raw])

    def statistics(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        return np.asarray(table, dtype=np.float64)

    def constants(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Iterator[Floats]:
        """That of a model that predicts nothing: each byte takes 8 bits."""
        yield np.tile([RAW, 1.0], (len(labels), 1))

    def constant(self, label: int) -> str:
        return "a model that predicts nothing"

    @classmethod
    def asked(cls, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
        return alone(cls.tag, texts, pairs)

    def answer(self, model: Answerer, batches: Iterable[Batch], rows: Encoded, asked: Sequence[Any]) -> list[Answer]:
        if not isinstance(model, CausalScorer):
            raise TypeError(f"{self.tag} needs a model that writes, got {type(model).__name__}")
        table = result_of(self.judging(model, batches, rows)).table
        found = [
            model.continued(asked[at : at + SIDE_BY_SIDE], self.max_new_tokens)
            for at in range(0, len(asked), SIDE_BY_SIDE)
        ]
        texts = [text for some in found for text in some]
        return [Continued(text, bits / size) for text, (bits, size) in zip(texts, table.tolist(), strict=True)]

    def protocol(self, max_tokens: int) -> str:
        return (
            f"bits per byte of the report texts, each on its own: a context of {max_tokens:,} tokens, windows at a "
            f"stride of {stride(max_tokens):,}, the first token after the one that begins texts; time is that of "
            "reading such windows, not of writing"
        )


def windows(ids: Sequence[int], size: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Windows of at most `size` tokens that overlap by half, each with the place of the first token that counts in it.

    Every token but the first one, which begins the text, counts once.
    """
    start, done = 0, 1
    while done < len(ids):
        window = tuple(ids[start : start + size])
        yield done - start, window
        done, start = start + len(window), start + stride(size)


def stride(size: int) -> int:
    """How far the next window is: half of one."""
    return max(1, size // 2)


def _targets(batch: Batch) -> Tensor:
    wanted = batch.labels[:, 1:]
    return wanted[wanted != IGNORED]


def _ids(rows: Rows, processor: Any) -> list[list[int]]:
    return token_ids(processor, rows.texts) if len(rows) else []


def _beginning(processor: Any) -> int:
    """The token that begins texts, or the one that ends them where there is no such."""
    found = processor.bos_token_id if processor.bos_token_id is not None else processor.eos_token_id
    return int(found if found is not None else processor.pad_token_id)


TASK = TextGeneration
