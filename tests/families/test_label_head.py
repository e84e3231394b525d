"""A head's labels are matched with the data's by name, or taken by number only where nobody named them."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.families import registry
from advisor.families.family import Family
from advisor.families.heads import with_head
from advisor.families.label_head import head_labels, lacks, matching, order


def family(name: str = "bert", task: str | None = None) -> Family:
    found = with_head(registry.find(name), task)
    assert found
    return found


def config(*names: str, **more: Any) -> dict[str, Any]:
    named = {"id2label": {str(number): name for number, name in enumerate(names)}} if names else {}
    return {"architectures": ["BertForSequenceClassification"], **named, **more}


@pytest.mark.parametrize(
    ("own", "data", "expected"),
    [
        (("NEGATIVE", "POSITIVE"), ("negative", "positive"), (0, 1)),
        (("POSITIVE", "NEGATIVE"), ("negative", "positive"), (1, 0)),
        (("Not-Equivalent", "equivalent"), ("equivalent", "not_equivalent"), (1, 0)),
        (("LABEL_0", "LABEL_1"), ("negative", "positive"), (0, 1)),
        ((), ("negative", "positive"), (0, 1)),
        (("c", "a", "b"), ("a", "b", "c"), (1, 2, 0)),
        (("a", "A"), ("A", "a"), (1, 0)),
    ],
)
def test_labels_that_are_known(own: tuple[str, ...], data: tuple[str, ...], expected: tuple[int, ...]) -> None:
    assert order(config(*own), data, family()) == expected


@pytest.mark.parametrize(
    ("given", "data", "why"),
    [
        (config("bad", "good"), ("negative", "positive"), "its labels are bad, good, those of the data negative"),
        (config("negative", "positive"), ("0", "1"), "those of the data 0, 1"),  # whose order nobody knows
        (config("LABEL_0", "positive"), ("negative", "positive"), "its labels are LABEL_0, positive"),
        (config("a", "A"), ("a", "b"), "its labels are a, A"),
        (config(id2label={"0": "a", "2": "b"}), ("a", "b"), r"are a, and number 1 has no name \(id2label\), those"),
        (config("a", "b", "c"), ("a", "b"), "its head has 3 labels, the data have 2 labels"),
        (config(num_labels=1), ("a", "b"), "its head has 1 label, the data have 2 labels"),
        (config("a", "b", architectures=["BertForMaskedLM"]), ("a", "b"), "names no classification head"),
        ({"id2label": {"0": "a", "1": "b"}}, ("a", "b"), "names no classification head"),
    ],
)
def test_labels_that_are_not(given: dict[str, Any], data: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        order(given, data, family())


def test_how_they_are_matched_is_said() -> None:
    names = ("negative", "positive")
    assert matching(config("NEGATIVE", "POSITIVE"), names, family()) == "its labels are matched by name"
    assert matching(config("POSITIVE", "NEGATIVE"), names, family()).endswith("and numbered as the data's")
    assert "taken for the data's: 0 for negative, 1 for positive" in matching(config(), names, family())


def test_a_checkpoint_without_such_a_head_has_no_labels() -> None:
    assert head_labels({"architectures": ["BertModel"], "num_labels": 2}) is None
    assert head_labels(config(num_labels=5)) == 5


@pytest.mark.parametrize(
    ("name", "task", "class_"),
    [
        ("gpt2", "text-generation", "GPT2LMHeadModel"),
        ("llama", "text-generation", "LlamaForCausalLM"),
        ("t5", "summarization", "T5ForConditionalGeneration"),
        ("t5", "translation", "T5WithLMHeadModel"),
        ("marian", "translation", "MarianMTModel"),
        ("bert", "question-answering", "BertForQuestionAnswering"),
        ("whisper", "automatic-speech-recognition", "WhisperForConditionalGeneration"),
    ],
)
def test_a_task_without_labels_needs_its_class_alone(name: str, task: str, class_: str) -> None:
    own = family(name, task)
    assert lacks({"architectures": [class_]}, own) == "" and order({"architectures": [class_]}, (), own) == ()
    assert matching({"architectures": [class_]}, (), own) == ""
    for other in ("BertModel", "BertForSequenceClassification", None):
        with pytest.raises(ValueError, match=f"its config names no {own.described.tasks[own.task]}"):
            order({"architectures": other and [other]}, (), own)


def test_t5_answers_with_the_words_that_its_config_names_and_bart_with_its_head() -> None:
    words = {"id2label": {"0": "a", "1": "b"}, "architectures": ["T5ForConditionalGeneration"]}
    assert order(words, ("a", "b"), family("t5")) == (0, 1)
    with pytest.raises(ValueError, match="it answers with a, b, the labels of the data are b, a"):
        order(words, ("b", "a"), family("t5"))
    assert order(config("a", "b"), ("b", "a"), family("bart")) == (1, 0)
