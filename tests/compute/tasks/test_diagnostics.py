"""Diagnostics: classes as scikit-learn has them, confusions, and which answers changed for better or worse."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from advisor.compute.tasks.appraisal import Rows
from advisor.compute.tasks.diagnostics import Given, Texts, diagnose
from advisor.compute.tasks.registry import task_of
from advisor.records.diagnostics import MOST_EXAMPLES, Confused

NAMES = ("no", "maybe", "yes")


def rows(labels: list[int], names: tuple[str, ...] = NAMES) -> tuple[Rows, Texts]:
    texts = tuple(f"text {row}" for row in range(len(labels)))
    return Rows(task_of("text-classification", names), labels, ("accuracy",)), Texts(texts, None)


def scores(answers: list[int], count: int = 3) -> Given:
    return Given(np.eye(count)[answers])


def test_classes_and_confusions_are_those_of_scikit_learn() -> None:
    dice = np.random.default_rng(0)
    labels, answers = (dice.integers(3, size=200).tolist() for _ in range(2))
    found = diagnose(*rows(labels), scores(answers), None)
    wanted = np.array(precision_recall_fscore_support(labels, answers))
    given = [(one.precision, one.recall, one.f1, one.rows) for one in found.classes]
    assert pytest.approx(wanted) == np.array(given).T
    assert found.confusion and np.array(found.confusion.counts).tolist() == confusion_matrix(labels, answers).tolist()
    first, second = found.confusion.pairs[:2]
    assert first.rows >= second.rows and first.label != first.answer
    assert sum(one.rows for one in found.confusion.pairs) == sum(a != b for a, b in zip(labels, answers, strict=True))


def test_of_many_classes_only_confusions_are_kept() -> None:
    names = tuple(f"class {n}" for n in range(31))
    found = diagnose(*rows([0, 1, 1, 2], names), scores([0, 2, 2, 2], 31), None)
    assert found.confusion and found.confusion.counts == () and found.confusion.names == ()
    assert found.confusion.pairs == (Confused("class 1", "class 2", 2),)
    assert len(found.classes) == 31 and found.classes[30].f1 == 0


def test_changed_answers_are_counted_and_the_worst_come_first() -> None:
    labels = [0] * 20 + [1] * 4 + [2] * 6
    before = [0] * 20 + [0] * 4 + [2] * 6
    after = [1] * 12 + [0] * 8 + [1] * 3 + [2] + [2] * 6
    found = diagnose(*rows(labels), scores(after), scores(before)).changed
    assert found and (found.rows, found.worse, found.better) == (16, 12, 3)
    assert len(found.examples) == MOST_EXAMPLES
    first, last = found.examples[0], found.examples[-1]
    assert (first.row, first.text, first.label, first.before, first.after) == (0, "text 0", "no", "no", "maybe")
    assert (first.value_before, first.value_after) == (1, 0)
    assert (last.label, last.before, last.after, last.value_after) == ("maybe", "no", "maybe", 1)


def test_a_regression_has_no_classes_and_shows_what_is_farthest_off() -> None:
    task = task_of("text-classification", ("score",), "regression")
    own = Rows(task, [1.0, 2.0], ("pearson",))
    found = diagnose(own, Texts(("a", "b"), None), Given([[1.5], [9.0]]), Given([[1.0], [2.0]]))
    assert found.classes == () and found.confusion is None and found.changed
    assert [(one.row, one.label, one.after, one.value_after) for one in found.changed.examples] == [
        (1, "2", "9", -7.0),
        (0, "1", "1.5", -0.5),
    ]


def test_images_and_sounds_are_shown_by_their_names() -> None:
    own = Rows(task_of("image-classification", NAMES), [0, 1], ("accuracy",))
    texts = Texts((b"a file", b"another"), None, ("test/no/1.png", "test/maybe/2.png"))
    found = diagnose(own, texts, scores([0, 2]), scores([0, 1])).changed
    assert found and [one.text for one in found.examples] == ["test/maybe/2.png"]


def test_tags_are_told_by_kind_of_entity_and_long_texts_are_cut() -> None:
    """One row: Anna is missed as a person now; Bonn stays a place. Recorded: of all, then PER, then LOC."""
    task = task_of("token-classification", ("O", "B-LOC", "B-PER"))
    own = Rows(task, [(2, 0, 1)], ("entity_f1", "token_accuracy"))
    words = ("Anna", "in" * 300, "Bonn")
    whole, part = [2, 2, 2, 3, 3, 1, 1, 1, 1, 1, 1, 1], [1, 1, 2, 2, 3, 1, 1, 1, 1, 0, 1, 0]
    given = (Given([part], ("LOC: Bonn",)), Given([whole], ("PER: Anna; LOC: Bonn",)))
    found = diagnose(own, Texts((words,), None), *given)
    assert [(one.name, one.recall, one.rows) for one in found.classes] == [("LOC", 1.0, 1), ("PER", 0.0, 1)]
    assert found.changed and found.changed.worse == 1
    (example,) = found.changed.examples
    assert len(example.text) == 200 and example.text.endswith("…")
    assert (example.label, example.after) == ("PER: Anna; LOC: Bonn", "LOC: Bonn")
    assert example.value_after == pytest.approx(2 / 3)


def test_labels_that_are_given_by_themselves_are_told_one_by_one() -> None:
    task = task_of("text-classification", ("art", "news"), "multi_label_classification")
    own = Rows(task, [(1, 0), (1, 1)], ("micro_f1",))
    table = [[2.0, -1.0, 1, 0], [-1.0, 3.0, 1, 1]]
    found = diagnose(own, Texts(("a", "b"), ("c", "d")), Given(table), Given([[2.0, -1, 1, 0], [1.0, 3.0, 1, 1]]))
    assert [(one.precision, one.recall) for one in found.classes] == [(1.0, 0.5), (1.0, 1.0)]
    assert found.confusion is None and found.changed
    (example,) = found.changed.examples
    assert (example.text, example.label, example.before, example.after) == ("b | d", "art, news", "art, news", "news")
