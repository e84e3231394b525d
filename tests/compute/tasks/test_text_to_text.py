"""Texts that are written: recorded as sums, from which the corpus metrics follow exactly."""

from __future__ import annotations

import random

import numpy as np
import pytest
import tiny
import torch
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

from advisor.compute.data.labels import Rows
from advisor.compute.tasks.metrics import OF_SUMS, value
from advisor.compute.tasks.registry import task_of
from advisor.compute.tasks.translation import signatures

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "then", "it", "went", "home", "to", "sleep", "well", "."]


def written(seed: int, rows: int) -> tuple[list[str], list[str]]:
    """Texts that agree with their targets in some words."""
    random_ = random.Random(seed)
    targets = [random_.choices(WORDS, k=random_.randrange(1, 14)) for _ in range(rows)]
    texts = [[word for word in one if random_.random() < 0.8] + random_.choices(WORDS, k=2) for one in targets]
    return [" ".join(one) for one in texts], [" ".join(one) for one in targets]


@pytest.mark.parametrize(("seed", "rows"), [(0, 1), (1, 2), (2, 40)])
def test_bleu_and_chrf_are_those_of_sacrebleu(seed: int, rows: int) -> None:
    task, (texts, targets) = task_of("translation", ()), written(seed, rows)
    table = np.array([task.compared(*pair) for pair in zip(texts, targets, strict=True)])
    for metric, theirs in (("bleu", BLEU()), ("chrf", CHRF())):
        own = value(metric, task.statistics(metric, targets, table))
        assert own == pytest.approx(theirs.corpus_score(texts, [targets]).score, abs=1e-9)


@pytest.mark.parametrize(("text", "target"), [("", "a b c"), ("x y", "a b c"), ("a b", "a b"), ("the cat sat", "the")])
def test_bleu_and_chrf_at_their_edges(text: str, target: str) -> None:
    task = task_of("translation", ())
    table = np.array([task.compared(text, target)])
    assert value("bleu", task.statistics("bleu", [target], table)) == pytest.approx(
        BLEU().corpus_score([text], [[target]]).score
    )
    assert value("chrf", task.statistics("chrf", [target], table)) == pytest.approx(
        CHRF().corpus_score([text], [[target]]).score
    )


def test_a_metric_of_many_draws_is_that_of_each() -> None:
    task, (texts, targets) = task_of("translation", ()), written(3, 20)
    table = np.array([task.compared(*pair) for pair in zip(texts, targets, strict=True)])
    for metric in ("bleu", "chrf", "length_ratio"):
        own = task.statistics(metric, targets, table)
        both = OF_SUMS[metric](np.stack([own.sum(axis=0), own[:5].sum(axis=0)]))
        assert both.tolist() == pytest.approx([value(metric, own), value(metric, own[:5])])


def test_rouge_is_the_mean_of_the_rows_and_its_length_a_share() -> None:
    task, (texts, targets) = task_of("summarization", ()), written(4, 30)
    table = [task.compared(*pair) for pair in zip(texts, targets, strict=True)]
    scorer = RougeScorer(["rouge2"], use_stemmer=True)
    mean = np.mean([scorer.score(target, text)["rouge2"].fmeasure for text, target in zip(texts, targets, strict=True)])
    assert value("rouge_2", task.statistics("rouge_2", targets, table)) == pytest.approx(mean)
    words = [sum(len(one.split()) for one in side) for side in (texts, targets)]
    assert value("length_ratio", task.statistics("length_ratio", targets, table)) == pytest.approx(words[0] / words[1])


def test_signatures_say_how_to_get_the_same_numbers() -> None:
    assert "nrefs:1" in signatures() and "tok:13a" in signatures() and "nc:6" in signatures()


def test_positions_are_the_tokens_of_the_target_and_the_prefix_is_read() -> None:
    tokenizer = tiny.tokenizer("t5")
    task = task_of("summarization", (), prefix="summarize: ", max_new_tokens=4, unknown="left out")
    rows = task.encode(Rows(("a text", "b"), None, ("short", "a rather long target")), tokenizer, 16)
    assert tokenizer.decode(rows.tokens[0], skip_special_tokens=True).strip() == "summarize: a text"
    assert [len(one) <= 4 for one in rows.labels] == [True, True] and rows.details[1] == "a rather long target"
    batch = task.collate(rows, [0, 1], 0)
    assert task.counts(batch) == [len(one) for one in rows.labels]
    raw = torch.randn(2, batch.labels.shape[1], 400)
    scores = task.positions(raw, batch)
    assert torch.equal(scores[-1], raw[1, len(rows.labels[1]) - 1])
    assert torch.equal(task.counted("decoder", batch), batch.labels != -100)
