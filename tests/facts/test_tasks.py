"""Which metric counts for which data."""

from __future__ import annotations

import pytest

from advisor.facts.tasks import GLUE, OF_TASK, known, left_out_of_means, metrics


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("data/cola", "cola"),
        ("/x/STS-B/train.parquet", "stsb"),
        ("C:\\data\\sst2\\", "sst2"),
        ("glue/mrpc", "mrpc"),
        ("cola.csv", "cola"),
        ("colanders", None),
        ("cola/mine", "cola"),
        ("", None),
        (None, None),
    ],
)
def test_a_task_is_known_by_the_name_of_its_source(source: str | None, name: str | None) -> None:
    found = known(source)
    assert (found.name if found else None) == name


def test_the_metric_that_counts_comes_first() -> None:
    assert metrics("data/cola", "classification") == ("matthews", "accuracy", "f1")
    assert metrics("data/mrpc", "classification")[:2] == ("f1", "accuracy")
    assert metrics("data/stsb", "regression") == ("pearson", "spearman")
    assert metrics("reviews.csv", "classification")[0] == "accuracy"
    assert metrics("reviews.csv", "regression")[0] == "pearson"
    assert metrics("data/stsb", "classification") == OF_TASK["classification"]  # scores that were made classes


def test_wnli_alone_has_no_part_in_means() -> None:
    assert [name for name in GLUE if left_out_of_means(f"glue/{name}")] == ["wnli"]
