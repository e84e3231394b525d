"""Imbalanced labels are announced, with a metric that sees through them."""

from __future__ import annotations

from advisor.compute.tasks.balance import imbalance

SPAM = [0] * 87 + [1] * 13


def test_a_frequent_class_is_announced_with_another_metric() -> None:
    said = imbalance("accuracy", SPAM, ("ham", "spam"))
    assert "'ham' has 87.0% of the report rows" in said and "accuracy 0.870" in said
    assert "data: {metric: matthews}" in said and "kept_beyond_chance" in said
    assert "f1 0.8" in imbalance("f1", [1] * 68 + [0] * 32, ("no", "yes"))  # MRPC's share


def test_nothing_is_said_of_balanced_labels_or_of_a_metric_that_sees_through() -> None:
    assert imbalance("accuracy", [0, 1] * 50, ("a", "b")) == ""
    assert imbalance("matthews", SPAM, ("ham", "spam")) == ""
    assert imbalance("pearson", [0.1, 0.5], ("score",)) == ""
