"""Tasks: which metric counts for which data. GLUE's tasks are known by name; others are judged by accuracy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Metric = Literal[
    "accuracy",
    "f1",
    "matthews",
    "pearson",
    "spearman",
    "bits_saved_per_byte",
    "bits_per_byte",
    "rouge_l",
    "rouge_1",
    "rouge_2",
    "bleu",
    "chrf",
    "length_ratio",
    "entity_f1",
    "token_accuracy",
    "answer_f1",
    "exact_match",
]
OF_TASK: dict[str, tuple[Metric, ...]] = {
    "classification": ("accuracy", "f1", "matthews"),
    "regression": ("pearson", "spearman"),
    "text-generation": ("bits_saved_per_byte", "bits_per_byte"),
    "summarization": ("rouge_l", "rouge_1", "rouge_2", "length_ratio"),
    "translation": ("bleu", "chrf", "length_ratio"),
    "token-classification": ("entity_f1", "token_accuracy"),
    "question-answering": ("answer_f1", "exact_match"),
}
# Tasks whose models write, and the architecture that does each.
WRITERS = {"text-generation": "decoder", "summarization": "encoder-decoder", "translation": "encoder-decoder"}
# Metrics that are reported beside others: more of them is not better, so nothing can be chosen or gated by them.
BESIDE: tuple[Metric, ...] = ("bits_per_byte", "length_ratio")


# By pipeline tag: transformers' class, and what a loaded model is asked.
LOADED = {
    "text-classification": ("AutoModelForSequenceClassification", '["a text"]'),
    "token-classification": ("AutoModelForTokenClassification", '["Anna lives in Berlin"]'),
    "question-answering": ("AutoModelForQuestionAnswering", '["Where does Anna live?"], ["Anna lives in Berlin."]'),
    "text-generation": ("AutoModelForCausalLM", '["A text that goes on"]'),
    "summarization": ("AutoModelForSeq2SeqLM", '["a long text"]'),
    "translation": ("AutoModelForSeq2SeqLM", '["a text"]'),
}
# By the end of the names of transformers' classes; others classify texts.
OF_TOKENS = ("token-classification", "question-answering")  # tasks that score each token
OF_CLASS = {
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
}
# Where a config keeps what a text-to-text model is for, and what its pipelines do: T5's own convention.
PARAMS = "task_specific_params"


def task_of_config(config: Mapping[str, Any]) -> str:
    """The pipeline tag of what a checkpoint was made for: as its config says it, else by its class."""
    said, named = config.get("task"), config.get("architectures")
    if isinstance(said, str):
        return said
    if written := [tag for tag in config.get(PARAMS) or {} if WRITERS.get(tag) == "encoder-decoder"]:
        return str(written[0])
    names = named if isinstance(named, list) else []
    found = (tag for end, tag in OF_CLASS.items() for name in names if str(name).endswith(end))
    return next(found, "text-classification")


def settings_of_config(config: Mapping[str, Any], tag: str) -> dict[str, Any]:
    """The settings with which a model that writes was judged, as a run saves them."""
    params = config.get(PARAMS)
    found = params.get(tag) if isinstance(params, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


class Known(NamedTuple):
    """A published task. metrics: its own, the one that counts first."""

    name: str
    metrics: tuple[Metric, ...]
    left_out: str = ""


_ACCURACY: tuple[Metric, ...] = ("accuracy",)
_WNLI = "its development set is made to mislead: most models do worse than the larger class (rule R12, V03)"
# Wang et al., GLUE (ICLR 2019), table 1.
GLUE = {
    one.name: one
    for one in (
        Known("cola", ("matthews",)),
        Known("mrpc", ("f1", "accuracy")),
        Known("qqp", ("f1", "accuracy")),
        Known("stsb", ("pearson", "spearman")),
        *(Known(name, _ACCURACY) for name in ("sst2", "mnli", "qnli", "rte")),
        Known("wnli", _ACCURACY, _WNLI),
    )
}


def known(source: str | None) -> Known | None:
    """The task that a data source is named after: the last of its folders or files with such a name.

    Example: "data/STS-B/train.parquet" is stsb, "glue/cola" cola, "colanders" nothing.
    """
    for part in reversed(re.split(r"[/\\]", source or "")):
        word = re.sub(r"[^a-z0-9]", "", part.split(".")[0].casefold())
        if word in GLUE:
            return GLUE[word]
    return None


def metrics(source: str | None, task: str) -> tuple[Metric, ...]:
    """The metrics of some data, the one that counts first."""
    own = found.metrics if (found := known(source)) else ()
    possible = OF_TASK.get(task, _ACCURACY)
    first = tuple(one for one in own if one in possible)
    return (*first, *(one for one in possible if one not in first))


def left_out_of_means(source: str | None) -> str:
    """Why a result on this data has no part in a mean over tasks; empty where it has."""
    return found.left_out if (found := known(source)) else ""
