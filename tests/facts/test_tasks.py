"""Which metric counts for which data."""

from __future__ import annotations

from typing import get_args

import pytest

from advisor.facts.tasks import (
    GLUE,
    OF_WRITERS,
    OLDER,
    PROBLEM_TYPES,
    TASKS,
    WRITERS,
    Tag,
    current,
    int8_backends,
    known,
    left_out_of_means,
    meanings,
    metrics,
    no_int8,
    refusal,
    settings_of_config,
)

TEXTS, CLASSES = "text-classification", "single_label_classification"


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
    assert metrics("data/cola", TEXTS, CLASSES) == ("matthews", "accuracy", "f1")
    assert metrics("data/mrpc", TEXTS, CLASSES)[:2] == ("f1", "accuracy")
    assert metrics("data/stsb", TEXTS, "regression") == ("pearson", "spearman")
    assert metrics("reviews.csv", TEXTS, CLASSES)[0] == "accuracy"
    assert metrics("reviews.csv", TEXTS, "regression")[0] == "pearson"
    assert metrics("reviews.csv", TEXTS, "multi_label_classification")[0] == "micro_f1"
    assert metrics("data/stsb", TEXTS, CLASSES) == PROBLEM_TYPES[CLASSES]  # scores that were made classes
    assert metrics("data/stsb", "summarization") == TASKS["summarization"].metrics


def test_every_pipeline_tag_has_a_line_and_every_kind_of_model_a_task() -> None:
    assert tuple(TASKS) == get_args(Tag)
    assert all(one.metrics and one.kinds for one in TASKS.values())
    assert {kind for one in TASKS.values() for kind in one.kinds} == {"encoder", "decoder", "encoder-decoder"}


def test_older_names_are_read_where_they_can_mean_one_task_only() -> None:
    assert {name: current({"task": name}) for name in OLDER} == {
        "classification": {"task": TEXTS, "problem_type": CLASSES},
        "regression": {"task": TEXTS, "problem_type": "regression"},
        "language-modelling": {"task": "text-generation"},
        "generation": {"task": "generation"},
    }
    assert meanings("generation") == "'generation' can mean summarization, translation or text-generation"
    assert not meanings("classification")
    assert current({"data.task": "regression", "data.labels": 1}, "data.")["data.task"] == TEXTS


@pytest.mark.parametrize(
    ("task", "kind", "able"),
    [
        ("text-generation", "encoder", False),
        ("text-generation", "encoder-decoder", False),
        ("text-generation", "decoder", True),
        ("summarization", "encoder-decoder", True),
        ("text-classification", "encoder-decoder", True),
        ("summarization", None, True),
        (None, "encoder", True),
    ],
)
def test_the_architecture_decides_which_tasks_a_model_can_do(task: str | None, kind: str | None, able: bool) -> None:
    assert (not refusal(task, kind)) == able


@pytest.mark.parametrize("task", WRITERS)
def test_int8_of_models_that_write_is_served_by_runtimes_that_keep_a_cache(task: str) -> None:
    known = ("onnxruntime", "openvino", "pytorch")
    assert int8_backends(task, known) == OF_WRITERS and not no_int8(task, known)
    assert no_int8(task, ("openvino",)).startswith(f"openvino cannot serve {task}: a model that writes is served by")
    assert int8_backends("audio-classification", known) == known


def test_wnli_alone_has_no_part_in_means() -> None:
    assert [name for name in GLUE if left_out_of_means(f"glue/{name}")] == ["wnli"]


def test_settings_of_a_strange_config_that_no_run_keeps_are_left_out() -> None:
    kept = {"prefix": "summarize: ", "beams": 2}
    own = {**kept, "names": ["a"], "problem_type": "regression", "max_new_tokens": "many", "image_size": 7}
    assert settings_of_config({"task_specific_params": {"summarization": own}}, "summarization") == kept
    assert settings_of_config({"task_specific_params": [1]}, "summarization") == {}
