"""Token classification: a tag for each word, judged by the entities that the tags name."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForTokenClassification

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.batches import Batch, Encoded, padded
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.data.tagged_words import read_tagged, split_words
from advisor.compute.data.tokenizing import beginnings, refused_in_words, require_places
from advisor.compute.tasks import labelled_tokens
from advisor.compute.tasks.classes import Counted
from advisor.compute.tasks.entities import OUTSIDE, Chunk, chunks
from advisor.compute.tasks.metrics import Floats, f1_of_rows
from advisor.compute.tasks.scorer import IGNORED
from advisor.compute.tasks.task import Answerer, Task
from advisor.facts.tasks import Metric
from advisor.records.answers import Answer, Entity, Tagged

# What is recorded of each row; behind it for each kind of entity how many are right, there, and answered.
RIGHT, PREDICTED, GOLD, HITS, WORDS, OUTSIDES = range(6)
OF_ALL = 6
OF_METRIC = {"entity_f1": (RIGHT, PREDICTED, GOLD), "token_accuracy": (HITS, WORDS)}


class Detail(NamedTuple):
    """Of one row. tags: numbers of all words' tags; scored: the words that have a position, by number."""

    tags: tuple[int, ...]
    scored: tuple[int, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenClassification(Task):
    """A word's tag is read at its first token. Words behind the last token that fits get O. names: O is the first."""

    tag: ClassVar[str] = "token-classification"
    takes_words: ClassVar[bool] = True

    def stock_class(self, text_to_text: bool = False) -> Any:
        return AutoModelForTokenClassification

    @classmethod
    def read(cls, source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        return read_tagged(source, files, named)

    def encode(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        if not len(rows):
            return Encoded((), ())
        require_places(processor)
        with refused_in_words(processor):
            texts = beginnings([" ".join(words) for words in rows.texts], processor, max_tokens)
            found = processor(texts, truncation=True, max_length=max_tokens, return_offsets_mapping=True)
        given = zip(rows.texts, rows.labels, found["offset_mapping"], strict=True)
        labels, details = zip(*(_placed(*one) for one in given), strict=True)
        return Encoded(tuple(map(tuple, found["input_ids"])), labels, details)

    def collate(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Batch:
        inputs = padded([rows.tokens[row] for row in numbers], pad)
        labels = torch.full_like(inputs["input_ids"], IGNORED)
        for place, row in enumerate(numbers):
            labels[place, : len(rows.labels[row])] = torch.tensor(rows.labels[row], dtype=torch.long)
        return Batch(inputs, labels, torch.tensor(numbers))

    def labelled(self, rows: Encoded, scores: Sequence[Tensor]) -> Encoded:
        pairs = zip(rows.labels, scores, strict=True) if scores else ()
        return replace(rows, labels=tuple(_given(*pair) for pair in pairs) or rows.labels)

    def positions(self, raw: Tensor, batch: Batch) -> Tensor:
        return labelled_tokens.positions(raw, batch)

    def counts(self, batch: Batch) -> list[int]:
        return labelled_tokens.counts(batch)

    def hard_loss(self, scores: Tensor, batch: Batch) -> Tensor:
        labels = batch.labels[batch.labels != IGNORED].to(scores.device)
        return functional.cross_entropy(scores, labels, reduction="sum") / max(1, len(labels))

    def recorded(self, scores: Tensor, batch: Batch, rows: Encoded) -> Tensor:
        given = scores.argmax(dim=1).split(self.counts(batch))
        pairs = zip(given, batch.rows.tolist(), strict=True)
        return torch.tensor([self._row(rows.details[row], own.tolist()) for own, row in pairs], dtype=torch.float32)

    def _row(self, detail: Detail, given: Sequence[int]) -> tuple[int, ...]:
        answered = _spread(detail, given)
        wanted, found = (set(self._chunks(one)) for one in (detail.tags, answered))
        hits = sum(one == other for one, other in zip(detail.tags, answered, strict=True))
        of_all = len(wanted & found), len(found), len(wanted), hits, len(answered), detail.tags.count(0)
        by_kind = [Counter(one.kind for one in some) for some in (wanted & found, wanted, found)]
        return (*of_all, *(counts[kind] for kind in self._kinds() for counts in by_kind))

    def _kinds(self) -> list[str]:
        return list(dict.fromkeys(name[2:] for name in self.names if name != OUTSIDE))

    def told(self, scores: Tensor, batch: Batch, rows: Encoded) -> Sequence[str]:
        given = scores.argmax(dim=1).split(self.counts(batch))
        pairs = zip(batch.rows.tolist(), given, strict=True)
        return [self._named(_spread(rows.details[row], own.tolist()), rows.details[row].words) for row, own in pairs]

    def _named(self, tags: Sequence[int], words: Sequence[str]) -> str:
        found = (f"{one.kind}: {' '.join(words[one.first : one.end])}" for one in self._chunks(tags))
        return "; ".join(found) or "no entity"

    def label_in_words(self, label: Any, text: Any) -> str:
        return self._named(label, text)

    def counted_by_kind(self, labels: Sequence[Any], table: ArrayLike) -> Counted | None:
        kinds, sums = self._kinds(), np.asarray(table, dtype=np.float64).sum(axis=0)
        if len(sums) != OF_ALL + 3 * len(kinds):  # a run of before kinds were counted
            return None
        return Counted(kinds, sums[OF_ALL:].reshape(-1, 3))

    def row_values(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        """F1 of the row's entities, or the share of its words."""
        if metric != "entity_f1":
            return Task.row_values(self, metric, labels, table)
        right, given, wanted = np.asarray(table, dtype=np.float64)[:, [RIGHT, PREDICTED, GOLD]].T
        return f1_of_rows(right, given, wanted)

    def _chunks(self, tags: Sequence[int]) -> list[Chunk]:
        return chunks(self.names[tag] for tag in tags) if any(tags) else []

    def statistics(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        found: Floats = np.asarray(table, dtype=np.float64)[:, OF_METRIC[metric]]
        return found

    def constants(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Iterator[Floats]:
        """Each word gets O: no entity is right or predicted, and the words with O are hits."""
        nothing = np.array(table, dtype=np.float64)
        nothing[:, [RIGHT, PREDICTED]], nothing[:, HITS] = 0, nothing[:, OUTSIDES]
        nothing[:, OF_ALL::3] = nothing[:, OF_ALL + 2 :: 3] = 0
        yield nothing

    # Answers

    @classmethod
    def asked(cls, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
        words = [split_words(text) for text in texts]
        wrong = [place for place, own in enumerate(words) if own is None]
        faults = [
            Fault(f"texts[{place}]: expected a text or a list of words, got {texts[place]!r:.60}") for place in wrong
        ]
        faults += [Fault("pairs: words are tagged text by text, there are no pairs")] if pairs is not None else []
        if faults:
            raise AdviseError(*faults)
        given = tuple(own for own in words if own is not None)
        return Rows(given, None, tuple((0,) * len(own) for own in given))

    def answer(self, model: Answerer, batches: Iterable[Batch], rows: Encoded, asked: Sequence[Any]) -> list[Answer]:
        scores = self.scored(model, batches, rows)
        return [self._tagged(*one) for one in zip(scores, rows.details, asked, strict=True)]

    def _tagged(self, scores: Tensor, detail: Detail, asked: Any) -> Tagged:
        best = scores.softmax(dim=1).max(dim=1) if len(scores) else None
        tags = _spread(detail, best.indices.tolist() if best else [])
        sure = dict(zip(detail.scored, best.values.tolist() if best else [], strict=True))
        text = asked if isinstance(asked, str) else " ".join(detail.words)
        places = list(_places(text, detail.words))
        found = []
        for kind, first, end in self._chunks(tags):
            start, stop = places[first][0], places[end - 1][1]
            some = [sure[word] for word in range(first, end) if word in sure]
            found.append(Entity(kind, text[start:stop], start, stop, sum(some) / len(some)))
        return Tagged(detail.words, tuple(self.names[tag] for tag in tags), tuple(found))


def _placed(
    words: Sequence[str], tags: Sequence[int], places: Sequence[tuple[int, int]]
) -> tuple[tuple[int, ...], Detail]:
    """The labels of the tokens, and what is needed to read answers. places: of each token in the words joined."""
    ends = list(accumulate(len(word) + 1 for word in words))  # one behind the blank that follows each word
    labels: list[int] = []
    scored: list[int] = []
    for start, end in places:
        word = bisect_right(ends, end - 1) if end > start else len(words)  # some tokenizers count the blank before
        first = word < len(words) and (not scored or word > scored[-1])
        labels.append(tags[word] if first else IGNORED)
        scored += [word] if first else []
    return tuple(labels), Detail(tuple(tags), tuple(scored), tuple(words))


def _given(labels: Sequence[int], scores: Tensor) -> tuple[int, ...]:
    """The labels with the teacher's answers where words begin."""
    answers = iter(scores.argmax(dim=1).tolist())
    return tuple(label if label == IGNORED else next(answers) for label in labels)


def _spread(detail: Detail, given: Sequence[int]) -> list[int]:
    """A tag for every word: O for those without a position."""
    tags = [0] * len(detail.tags)
    for word, tag in zip(detail.scored, given, strict=True):
        tags[word] = tag
    return tags


def _places(text: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where each word stands in the text."""
    end = 0
    for word in words:
        start = text.index(word, end)
        end = start + len(word)
        yield start, end


TASK = TokenClassification
