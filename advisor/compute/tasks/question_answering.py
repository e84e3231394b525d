"""Extractive question answering: the span of a context that answers a question, by SQuAD's rules.

A long context is read in windows that overlap. Each window is a row to learn from, and to be served; the answer to a
question is the best span of all its windows, and only questions are counted. The first token stands for "not here".
Where some questions have no answer (SQuAD 2.0, Rajpurkar et al. 2018), there is none if the first token scores higher
than the best span: in each window, and without a threshold on top.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForQuestionAnswering

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.answered_questions import Answer, read_questions
from advisor.compute.data.batches import Batch, Encoded, padded
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.data.tokenizing import beginnings, refused_in_words, require_places
from advisor.compute.tasks import squad
from advisor.compute.tasks.metrics import Floats
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.task import Answerer, Judged, Task
from advisor.compute.tasks.writing import keep_settings
from advisor.facts.tasks import Metric, settings_of_config
from advisor.records.answers import Answer as Spoken
from advisor.records.answers import Span

DOC_STRIDE = 128  # tokens by which two windows overlap, as transformers counts it
N_BEST, MOST_TOKENS = 20, 30  # starts and ends that are combined; tokens of an answer
LONGEST_QUESTION = 64  # tokens, as in BERT's own script
NEVER = -1e4  # the score of what is no token of the context: a probability of 0
NOT_HERE = 0  # the place of the first token
COLUMN = {"answer_f1": 0, "exact_match": 1}
NO_ANSWER = 2  # the column that is 1 for a question without one


class Detail(NamedTuple):
    """Of one window. question: its number; places: of each token in the context, None outside of it.

    width: tokens that any window may have. answers: those that count.
    """

    question: int
    places: tuple[tuple[int, int] | None, ...]
    width: int
    context: str
    answers: tuple[Answer, ...]


class Found(NamedTuple):
    """The best span of a window. score, none: logarithms of its probability, and of that of "not here"."""

    score: float
    start: int
    end: int
    none: float = -np.inf


class SpanScorer(Scorer):
    """A model with two scores for each token: that an answer begins there, and that it ends there."""

    def forward(self, **inputs: Any) -> Tensor:
        """(batch, tokens, 2) of the inputs of a batch."""
        cache = {"use_cache": False} if self.takes_cache else {}
        found = self.model(**inputs, **cache)
        return torch.stack([found.start_logits, found.end_logits], dim=-1).float()


@dataclass(frozen=True, slots=True)
class QuestionAnswering(Task):
    """Two positions a window, start and end, each a distribution over tokens.

    unanswerable: some questions have no answer, so that the model may give none.
    """

    tag: ClassVar[str] = "question-answering"
    in_windows: ClassVar[bool] = True
    why_no_constant: ClassVar[str] = (
        "no one span answers every question, so there is no constant answer to compare with"
    )
    unanswerable: bool = False

    def stock_class(self, text_to_text: bool = False) -> Any:
        return AutoModelForQuestionAnswering

    def scorer(self, model: Any, processor: Any) -> Scorer:
        if self.unanswerable or settings_of_config(model.config.to_dict(), self.tag):
            keep_settings(model, self.tag, unanswerable=self.unanswerable)
        return SpanScorer(model)

    @classmethod
    def read(cls, source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        return read_questions(source, files, named)

    def encode(self, rows: Rows, processor: Any, max_tokens: int) -> Encoded:
        if not len(rows):
            return Encoded((), ())
        found = list(_windows(rows, processor, max_tokens))
        tokens, labels, details = zip(*found, strict=True)
        return Encoded(tokens, labels, details)

    def collate(self, rows: Encoded, numbers: Sequence[int], pad: int) -> Batch:
        """labels: (batch, 2 + width): start, end, and 1 for each token that either may be."""
        inputs = padded([rows.tokens[row] for row in numbers], pad)
        labels = torch.zeros(len(numbers), 2 + rows.details[numbers[0]].width, dtype=torch.long)
        for place, row in enumerate(numbers):
            labels[place, :2] = torch.tensor(rows.labels[row])
            allowed = [one is not None for one in rows.details[row].places]
            labels[place, 2 : 2 + len(allowed)] = torch.tensor(allowed)
        labels[:, 2 + NOT_HERE] = 1
        return Batch(inputs, labels, torch.tensor(numbers))

    def labelled(self, rows: Encoded, scores: Sequence[Tensor]) -> Encoded:
        given = tuple(tuple(one.argmax(dim=1).tolist()) for one in scores)
        return replace(rows, labels=given or rows.labels)

    def positions(self, raw: Tensor, batch: Batch) -> Tensor:
        allowed = batch.labels[:, None, 2:].bool().to(raw.device)  # (batch, 1, width)
        scores = raw.new_full((len(raw), 2, allowed.shape[-1]), NEVER)
        scores[:, :, : raw.shape[1]] = raw.transpose(1, 2)
        return scores.masked_fill(~allowed, NEVER).flatten(0, 1)

    def counts(self, batch: Batch) -> list[int]:
        return [2] * len(batch.rows)

    def hard_loss(self, scores: Tensor, batch: Batch) -> Tensor:
        return functional.cross_entropy(scores, batch.labels[:, :2].flatten().to(scores.device))

    def judging(self, model: Answerer, batches: Iterable[Batch], rows: Encoded) -> Generator[int, None, Judged]:
        """What a model does on all questions: a row of the table for each of them."""
        best: dict[int, tuple[Found, Detail]] = {}
        own: list[Tensor] = []
        loss = 0.0
        for batch in batches:
            scores = self.positions(torch.as_tensor(model(**batch.inputs)), batch).float()
            loss += float(self.hard_loss(scores, batch)) * len(scores)
            own.append(scores.cpu())
            for row, found in zip(batch.rows.tolist(), _best(own[-1]), strict=True):
                _keep(best, found, rows.details[row])
            yield len(batch.rows)
        if not own:
            raise ValueError("there are no rows to score")
        answers = tuple(self._span(*best[one]).text for one in sorted(best))
        wanted = ([answer.text for answer in best[one][1].answers] for one in sorted(best))
        table = [self._row(*one) for one in zip(answers, wanted, strict=True)]
        told = tuple(text or "no answer" for text in answers) if self.unanswerable else answers
        return Judged(torch.tensor(table), loss / sum(map(len, own)), torch.cat(own), told)

    def _row(self, given: str, wanted: Sequence[str]) -> tuple[float, ...]:
        """F1 and exact match; where some questions have no answer, also whether this one has none."""
        scores = squad.best(given, wanted or [""])
        return (*scores, float(not wanted)) if self.unanswerable else scores

    def _span(self, found: Found, detail: Detail) -> Span:
        if self.unanswerable and found.none > found.score:
            return Span("", 0, 0, float(np.exp(found.none)))
        return _span(found, detail)

    def label_in_words(self, label: Any, text: Any) -> str:
        return " / ".join(dict.fromkeys(Answer(*one).text for one in label)) or "no answer"

    def protocol(self, max_tokens: int) -> str:
        if not self.unanswerable:
            return ""
        return "SQuAD 2.0's rules: no answer is given where its score exceeds the best span's, with a threshold of 0"

    def constants(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Iterator[Floats]:
        """No answer to any question, where that is one."""
        own = np.asarray(table, dtype=np.float64)
        if own.shape[1] > NO_ANSWER:
            yield np.repeat(own[:, [NO_ANSWER]], own.shape[1], axis=1)

    def constant(self, label: int) -> str:
        return "giving no answer to any question"

    def statistics(self, metric: Metric, labels: Sequence[Any], table: ArrayLike) -> Floats:
        scores = np.asarray(table, dtype=np.float64)[:, COLUMN[metric]]
        return np.stack([scores, np.ones(len(scores))], axis=1)

    # Answers

    @classmethod
    def asked(cls, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
        if pairs is None:
            raise AdviseError(Fault("pairs: expected the contexts to answer from", hint="predict(questions, contexts)"))
        named = (("texts", texts), ("pairs", pairs))
        blank = [f"{name}[{at}]" for name, some in named for at, one in enumerate(some) if not str(one).strip()]
        if blank:
            raise AdviseError(Fault(f"{blank[0]}: expected a text, got a blank one"))
        return Rows(tuple(texts), tuple(pairs), ((),) * len(texts))

    def answer(self, model: Answerer, batches: Iterable[Batch], rows: Encoded, asked: Sequence[Any]) -> list[Spoken]:
        best: dict[int, tuple[Found, Detail]] = {}
        scores = torch.cat(self.scored(model, batches, rows))
        for found, detail in zip(_best(scores), rows.details, strict=True):
            _keep(best, found, detail)
        return [self._span(*best[one]) for one in sorted(best)]


def longest_question(max_tokens: int) -> int:
    """The tokens of a question that are read in windows of so many."""
    return min(LONGEST_QUESTION, max_tokens // 3)


def _windows(rows: Rows, tokenizer: Any, max_tokens: int) -> Iterator[tuple[tuple[int, ...], tuple[int, int], Detail]]:
    """Tokens, label and detail of each window, question after question."""
    require_places(tokenizer)
    longest = longest_question(max_tokens)
    with refused_in_words(tokenizer):
        begun = beginnings([text.strip() for text in rows.texts], tokenizer, longest)
        questions = [_cut(text, tokenizer, longest) for text in begun]
    stride = min(DOC_STRIDE, (max_tokens - longest - 4) // 2)
    if stride < 1:
        raise AdviseError(
            f"windows of {max_tokens} tokens have no room for a question", hint="training: {max_tokens: 384}"
        )
    with refused_in_words(tokenizer):
        found = tokenizer(
            questions, list(rows.pairs or ()), truncation="only_second", max_length=max_tokens, stride=stride,
            return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
    for window, row in enumerate(found["overflow_to_sample_mapping"]):
        sides = found.sequence_ids(window)
        offsets = zip(found["offset_mapping"][window], sides, strict=True)
        places = tuple(tuple(place) if side == 1 and place[1] > place[0] else None for place, side in offsets)
        answers = tuple(Answer(*one) for one in rows.labels[row])
        detail = Detail(row, places, max_tokens, rows.pairs[row] if rows.pairs else "", answers)
        yield tuple(found["input_ids"][window]), _label(places, answers), detail


def _cut(question: str, tokenizer: Any, longest: int) -> str:
    """The question's first tokens; the blanks before it count as tokens with some tokenizers."""
    ends = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return question if len(ends) <= longest else question[: ends[longest - 1][1]]


def _label(places: Sequence[tuple[int, int] | None], answers: Sequence[Answer]) -> tuple[int, int]:
    """The first and last token of the first answer; that of "not here" where the window does not hold it whole."""
    if not answers:
        return NOT_HERE, NOT_HERE
    begin, stop = answers[0].start, answers[0].start + len(answers[0].text)
    inside = [at for at, one in enumerate(places) if one is not None and one[0] < stop and one[1] > begin]
    whole = inside and places[inside[0]][0] <= begin and places[inside[-1]][1] >= stop  # type: ignore[index]
    return (inside[0], inside[-1]) if whole else (NOT_HERE, NOT_HERE)


def _best(scores: Tensor) -> list[Found]:
    """The best span of each window. scores: (2 x windows, width)."""
    both = scores.masked_fill(scores <= NEVER / 2, -torch.inf).log_softmax(dim=1).unflatten(0, (-1, 2))
    none = both[:, :, NOT_HERE].sum(dim=1)
    both[:, :, NOT_HERE] = -torch.inf
    values, places = both.topk(min(N_BEST, both.shape[2]), dim=2)  # (windows, 2, best)
    totals = values[:, 0, :, None] + values[:, 1, None, :]
    length = places[:, 1, None, :] - places[:, 0, :, None] + 1
    totals = totals.masked_fill((length < 1) | (length > MOST_TOKENS), -torch.inf).flatten(1)
    score, which = totals.max(dim=1)
    width = values.shape[2]
    starts = places[:, 0].gather(1, (which // width)[:, None])[:, 0]
    ends = places[:, 1].gather(1, (which % width)[:, None])[:, 0]
    return [Found(*one) for one in zip(*(part.tolist() for part in (score, starts, ends, none)), strict=True)]


def _keep(best: dict[int, tuple[Found, Detail]], found: Found, detail: Detail) -> None:
    """Keep a window's span if it is better than those of the question's other windows.

    There is no answer only where no window has one, so the least score of "not here" stays.
    """
    before = best.get(detail.question)
    if before is None:
        best[detail.question] = found, detail
        return
    none = min(found.none, before[0].none)
    better, where = (found, detail) if found.score > before[0].score else before
    best[detail.question] = better._replace(none=none), where


def _span(found: Found, detail: Detail) -> Span:
    first, last = detail.places[found.start], detail.places[found.end]
    if found.score == -torch.inf or first is None or last is None:
        return Span("", 0, 0, 0.0)
    text, start = detail.context[first[0] : last[1]], first[0]  # with some tokenizers a token begins with a blank
    start += len(text) - len(text.lstrip())
    return Span(text.strip(), start, start + len(text.strip()), float(np.exp(found.score)))


TASK = QuestionAnswering
