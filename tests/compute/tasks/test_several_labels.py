"""Several labels: metrics against scikit-learn, thresholds, losses and what is recorded, on literals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.tasks.appraisal import Rows, appraise
from advisor.compute.tasks.metrics import value
from advisor.compute.tasks.registry import task_of
from advisor.compute.tasks.several_labels import SeveralLabels, thresholds
from advisor.records.answers import Labels

TASK = task_of("text-classification", ("news", "sport", "art"), "multi_label_classification")
GOLD = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [1, 0, 1]])
SCORES = np.array([[2, -1, -1], [-1, 3, 1], [1, -2, -1], [-1, -1, 2], [1, -1, -3], [0.5, -1, -0.5]])
TABLE = np.concatenate([SCORES, GOLD], axis=1)


def test_several_labels_are_a_task_of_their_own() -> None:
    assert isinstance(TASK, SeveralLabels) and TASK.tag == "text-classification"
    assert TASK.options()["problem_type"] == "multi_label_classification"
    assert type(task_of("text-classification", ("a", "b"), "regression")) is not SeveralLabels


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_f1_is_scikit_learns(average: str) -> None:
    found = value(f"{average}_f1", TASK.statistics(f"{average}_f1", (), TABLE))  # type: ignore[arg-type]
    assert found == pytest.approx(f1_score(GOLD, SCORES > 0, average=average))


def test_the_best_constant_answer_is_some_of_the_most_frequent_labels() -> None:
    found = appraise(Rows(TASK, [0] * 6, ("micro_f1", "macro_f1")), TABLE, None)
    always = [f1_score(GOLD, np.tile(one, (6, 1)), average="micro") for one in ([1, 0, 0], [1, 1, 0], [1, 1, 1])]
    assert found.above_constant.value == pytest.approx(found.accuracy - max(always))
    assert "always answering the 3 most frequent labels" in found.above_constant.source
    assert found.worst_class_recall.value is None


def test_thresholds_give_the_highest_micro_f1_of_any() -> None:
    random = np.random.default_rng(0)
    gold = (random.random((60, 2)) < 0.3).astype(float)
    scores = gold * 1.5 + random.normal(size=gold.shape) - 2  # far too low: no label would be given
    found = thresholds(scores, gold)
    reached = f1_score(gold, scores > found, average="micro")
    grid = [(one, other) for one in np.sort(scores[:, 0]) for other in np.sort(scores[:, 1])]
    best = max(f1_score(gold, scores > np.array(pair) - 1e-9, average="micro") for pair in grid[::7])
    assert reached >= best - 0.02 and reached > f1_score(gold, scores > 0, average="micro", zero_division=0.0)


def test_a_label_that_no_selection_row_has_keeps_its_threshold() -> None:
    assert thresholds(SCORES, np.zeros_like(GOLD, dtype=float)) == [0.0, 0.0, 0.0]
    assert thresholds(GOLD - 0.5, GOLD.astype(float)) == [0.0, 0.0, 0.0]  # nothing to win


def test_losses_are_those_of_each_label_by_itself() -> None:
    scores, gold = torch.tensor(SCORES, dtype=torch.float), torch.tensor(GOLD)
    batch = Batch({}, gold, torch.arange(6))
    wanted = -(gold * scores.sigmoid().log() + (1 - gold) * (1 - scores.sigmoid()).log()).mean()
    assert float(TASK.hard_loss(scores, batch)) == pytest.approx(float(wanted), rel=1e-5)
    assert float(TASK.divergence(scores, scores, 2.0)) == pytest.approx(0, abs=1e-6)
    own, other = scores.sigmoid(), (scores + 1).sigmoid()
    divergence = (other * (other / own).log() + (1 - other) * ((1 - other) / (1 - own)).log()).mean()
    assert float(TASK.divergence(scores, scores + 1)) == pytest.approx(float(divergence), rel=1e-4)


def test_rows_without_labels_get_the_teachers() -> None:
    rows = Encoded(((1, 2), (3,)), ((0, 0, 0), -1))
    assert TASK.labelled(rows, [torch.tensor([[1.0, -1.0, 2.0]]), torch.tensor([[-1.0, -1.0, -2.0]])]).labels == (
        (1, 0, 1),
        (0, 0, 0),
    )
    assert TASK.collate(rows, [0, 1], 0).labels.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_an_answer_names_every_label_above_its_threshold() -> None:
    rows = Encoded(((1, 2),), ((0, 0, 0),))
    raw = torch.tensor([[1.0, -1.0, 0.5]])
    (answer,) = TASK.answer(lambda **_: raw, [TASK.collate(rows, [0], 0)], rows, ["a text"])
    assert isinstance(answer, Labels) and answer.labels == ("news", "art")
    assert answer.scores["sport"] < 0.5 < answer.scores["art"]
