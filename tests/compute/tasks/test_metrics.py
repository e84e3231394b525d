"""Metrics on literals and against the libraries' own; the paired bootstrap against a loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from advisor.compute.tasks import bootstrap
from advisor.compute.tasks.bootstrap import RESAMPLES, draws, resampled
from advisor.compute.tasks.classes import answers, statistics
from advisor.compute.tasks.metrics import value
from advisor.facts.tasks import PROBLEM_TYPES, Metric

LABELS = [1, 1, 0, 0]
SCORES = [[0.1, 0.9], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]  # answers 1, 0, 0, 1: half are right


def of(metric: Metric, labels: Sequence[float], scores: Any) -> float:
    return value(metric, statistics(metric, labels, scores))


def ratio_interval(metric: Metric, labels: Any, scores: Any, base: Any, seed: int = 0) -> tuple[float, float] | None:
    return bootstrap.ratio_interval(metric, *(statistics(metric, labels, one) for one in (scores, base)), seed)


def by_library(metric: Metric, labels: Any, scores: Any) -> float:
    """The value that scikit-learn or scipy give; 0 where a correlation is undefined."""
    found, many = answers(scores), np.asarray(scores).shape[1]
    if metric == "accuracy":
        return float(accuracy_score(labels, found))
    if metric == "f1":
        average = "binary" if many == 2 else "macro"
        return float(f1_score(labels, found, labels=range(many), average=average, zero_division=0))
    if metric == "matthews":
        return float(matthews_corrcoef(labels, found))
    if min(np.ptp(labels), np.ptp(found)) == 0:
        return 0.0
    return float((pearsonr if metric == "pearson" else spearmanr)(labels, found).statistic)


def test_on_literals() -> None:
    assert answers(SCORES).tolist() == [1, 0, 0, 1]
    assert [of(metric, LABELS, SCORES) for metric in PROBLEM_TYPES["single_label_classification"]] == [0.5, 0.5, 0.0]
    three = [[9, 0, 0], [0, 9, 0], [0, 9, 0], [0, 0, 9]]
    assert of("f1", [0, 1, 2, 2], three) == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)
    numbers = [[1.0], [2.0], [3.0], [10.0]]
    assert answers(numbers).tolist() == [1, 2, 3, 10]
    assert of("spearman", [1, 2, 3, 4], numbers) == pytest.approx(1)
    assert of("pearson", [1, 2, 3, 4], numbers) == pytest.approx(14 / 250**0.5)


def test_answers_that_are_all_alike_correlate_with_nothing() -> None:
    for metric in PROBLEM_TYPES["regression"]:
        assert of(metric, [1, 2, 3], [[4.0], [4.0], [4.0]]) == 0
    assert of("matthews", LABELS, [[1, 0]] * 4) == 0


ROWS = st.integers(2, 12)


@settings(deadline=None, max_examples=60)
@given(st.data(), ROWS, st.integers(2, 4))
def test_values_are_the_libraries_classes(data: st.DataObject, rows: int, many: int) -> None:
    labels = data.draw(arrays(np.int64, rows, elements=st.integers(0, many - 1)))
    scores = np.eye(many)[data.draw(arrays(np.int64, rows, elements=st.integers(0, many - 1)))]
    for metric in PROBLEM_TYPES["single_label_classification"]:
        assert of(metric, labels, scores) == pytest.approx(by_library(metric, labels, scores), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.data(), ROWS)
def test_values_are_the_libraries_numbers(data: st.DataObject, rows: int) -> None:
    number = st.integers(0, 5).map(float)
    labels, given_ = (data.draw(arrays(np.float64, rows, elements=number)) for _ in range(2))
    for metric in PROBLEM_TYPES["regression"]:
        found = of(metric, labels, given_[:, None])
        assert found == pytest.approx(by_library(metric, labels, given_[:, None]), abs=1e-9)


@pytest.mark.parametrize("metric", [*PROBLEM_TYPES["single_label_classification"], *PROBLEM_TYPES["regression"]])
def test_each_draw_is_the_metric_of_the_rows_that_were_drawn(metric: Metric) -> None:
    random = np.random.default_rng(0)
    numbers = metric in PROBLEM_TYPES["regression"]
    labels = random.normal(size=30) if numbers else random.integers(3, size=30)
    scores = random.normal(size=(30, 1 if numbers else 3))
    found = resampled(metric, statistics(metric, labels, scores), seed=4)
    for draw, rows in zip(found[:50], np.concatenate(list(draws(30, 4)))[:50], strict=True):
        assert draw == pytest.approx(by_library(metric, labels[rows], scores[rows]), abs=1e-9)


def right(shares: list[bool]) -> np.ndarray:
    """Scores of rows with label 1 that are right where it says so."""
    return np.array([[0, 1] if one else [1, 0] for one in shares])


def test_the_interval_is_of_pairs() -> None:
    """872 rows, 92 % and 90 % right. Answers that differ in few rows give a narrow interval, others a wide one."""
    labels, base = np.ones(872), [row < 802 for row in range(872)]
    nested = [row < 785 for row in range(872)]
    crossed = [row >= 87 for row in range(872)]
    low, high = ratio_interval("accuracy", labels, right(nested), right(base)) or (0, 0)
    assert low < 785 / 802 < high
    assert (low, high) == pytest.approx((0.9682, 0.9887), abs=0.003)  # 17 of 802 rows lost, binomial
    wide = ratio_interval("accuracy", labels, right(crossed), right(base)) or (0, 0)
    assert wide[1] - wide[0] > 2 * (high - low)


def test_the_interval_is_the_same_each_time_and_moves_with_the_seed() -> None:
    labels, random = np.ones(50), np.random.default_rng(0)
    one, other = right(list(random.random(50) < 0.8)), right(list(random.random(50) < 0.9))
    assert RESAMPLES >= 2000
    assert ratio_interval("accuracy", labels, one, other) == ratio_interval("accuracy", labels, one, other)
    assert ratio_interval("accuracy", labels, one, other) != ratio_interval("accuracy", labels, one, other, seed=1)


def test_many_rows_are_drawn_in_parts_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(40) % 2
    one, other = np.eye(2)[labels ^ (np.arange(40) < 8)], np.eye(2)[labels ^ (np.arange(40) < 4)]
    whole = ratio_interval("f1", labels, one, other)
    monkeypatch.setattr("advisor.compute.tasks.bootstrap.AT_ONCE", 1000)
    assert ratio_interval("f1", labels, one, other) == whole


@settings(deadline=None, max_examples=25)
@given(st.lists(st.booleans(), min_size=30, max_size=60), st.lists(st.booleans(), min_size=60, max_size=60))
def test_properties_of_the_interval(model: list[bool], base: list[bool]) -> None:
    base = base[: len(model)]
    labels = np.ones(len(model))
    found = ratio_interval("accuracy", labels, right(model), right(base))
    if found is None:
        assert sum(base) < 10  # only where some draw may miss every right answer
        return
    low, high = found
    assert 0 <= low <= high
    assert low <= sum(model) / sum(base) <= high or min(sum(base), sum(model)) < 10
    assert ratio_interval("accuracy", labels, right(base), right(base)) == (1, 1)


def test_no_share_of_a_baseline_that_may_be_nothing() -> None:
    scores = np.eye(2)[np.arange(40) // 2 % 2]
    assert ratio_interval("matthews", np.arange(40) % 2, scores, scores) is None
