"""Beyond chance: what a model knows more than one answer to every row, by hand and by brute force."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from advisor.compute.tasks import chance
from advisor.compute.tasks.appraisal import Rows, appraise
from advisor.compute.tasks.bootstrap import RESAMPLES, draws
from advisor.compute.tasks.classes import answers, constants, statistics
from advisor.compute.tasks.metrics import value
from advisor.compute.tasks.text_classification import TextClassification
from advisor.facts.tasks import Metric

HAM = [0] * 87 + [1] * 13  # labels of 100 messages: 13 are spam
SPAM = TextClassification(("ham", "spam"))


def best(metric: Metric, labels: Any, width: int) -> chance.Constant | None:
    return chance.best_constant(metric, partial(statistics, metric, labels), constants(metric, len(labels), width))


def of(metric: Metric, labels: Any, scores: Any) -> float:
    return value(metric, statistics(metric, labels, scores))


def scores(given: list[int], width: int = 2) -> np.ndarray:
    return np.eye(width)[given]


def right(share_of_spam: float) -> np.ndarray:
    """All ham and this share of the spam right."""
    found = round(13 * share_of_spam)
    return scores([0] * 87 + [1] * found + [0] * (13 - found))


def test_the_best_constant_answer_by_hand() -> None:
    labels = [1, 1, 0, 2, 1]
    found = [best("accuracy", labels, 3), best("f1", [1, 1, 0], 2), best("matthews", labels, 3)]
    wanted = [(1, 3 / 5), (1, 2 * 2 / (2 * 2 + 1)), (0, 0.0)]
    assert [(one.label, one.value) for one in found if one] == [(at, pytest.approx(reached)) for at, reached in wanted]
    assert best("pearson", [0.1, 0.2], 1) is None


def test_a_model_that_always_says_ham_knows_nothing() -> None:
    always = appraise(Rows(SPAM, HAM, ("accuracy",)), scores([0] * 100), right(1.0))
    assert always.above_constant.value == 0 and always.above_constant.interval == (0, 0)
    assert always.above_constant.source == "accuracy 0.87 against 0.87 for always answering 'ham'"
    assert always.relative_accuracy.value == pytest.approx(0.87)  # which a gate of 0.85 would let pass
    assert always.kept_beyond_chance.value == 0
    assert always.worst_class_recall.value == 0 and always.worst_class_recall.source == "'spam', 13 report rows"


def test_what_is_kept_beyond_chance_by_hand() -> None:
    found = appraise(Rows(SPAM, HAM, ("accuracy",)), right(6 / 13), right(12 / 13))
    assert found.kept_beyond_chance.value == pytest.approx(6 / 12)
    low, high = found.kept_beyond_chance.interval or (0, 0)
    assert low < 0.5 < high
    assert found.worst_class_recall.value == pytest.approx(6 / 13)


def test_a_worthless_baseline_has_nothing_to_keep() -> None:
    found = appraise(Rows(SPAM, HAM, ("accuracy",)), right(0.5), scores([0] * 100))
    assert found.kept_beyond_chance.value is None
    assert "cannot be told apart from a constant answer" in found.kept_beyond_chance.why_not


def test_a_correlation_says_that_it_has_no_constant_answer() -> None:
    labels = [float(number) for number in range(50)]
    found = appraise(
        Rows(TextClassification(("score",)), labels, ("pearson",)), np.array(labels)[:, None], np.array(labels)[:, None]
    )
    assert found.above_constant.value is None and "no constant answer" in found.above_constant.why_not
    assert found.worst_class_recall.value is None and "no classes" in found.worst_class_recall.why_not


def test_intervals_are_those_of_a_loop_over_the_same_draws() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(3, size=60)
    one, other = (np.eye(3)[np.where(random.random(60) < share, labels, 0)] for share in (0.6, 0.9))
    constant = best("f1", labels, 3)
    assert constant
    rows = np.concatenate(list(draws(60, 5)))
    assert rows.shape == (RESAMPLES, 60)
    always = np.tile(np.eye(3)[constant.label], (60, 1))
    gains = [
        [of("f1", labels[drawn], given[drawn]) - of("f1", labels[drawn], always[drawn]) for given in (one, other)]
        for drawn in rows[:]
    ]
    wanted = np.percentile([gain[0] for gain in gains], (2.5, 97.5))
    model, baseline = (statistics("f1", labels, each) for each in (one, other))
    assert chance.gain_interval("f1", model, constant, 5) == pytest.approx(tuple(wanted))
    kept = np.percentile([gain[0] / gain[1] for gain in gains], (2.5, 97.5))
    assert chance.kept_interval("f1", model, baseline, constant, 5) == pytest.approx(tuple(kept))


def test_the_interval_of_the_worst_class_is_that_of_a_loop() -> None:
    labels, given = np.array([0] * 12 + [1] * 5 + [2]), np.array([0] * 10 + [1] * 6 + [2, 2])
    wanted = []
    for rows in np.concatenate(list(draws(18, 3))):
        present = set(labels[rows])
        wanted.append(min(np.mean(given[rows][labels[rows] == one] == one) for one in present))
    ends = tuple(np.percentile(wanted, (2.5, 97.5)))
    assert chance.worst_class_interval(labels.astype(float), answers(np.eye(3)[given]), 3) == pytest.approx(ends)
