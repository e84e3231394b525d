"""Tasks by the Hub's pipeline tags: how each is measured, and which architectures can do it.

GLUE's tasks are known by the names of their data; others are judged by the first metric of their task.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Tag = Literal[
    "text-classification",
    "token-classification",
    "question-answering",
    "text-generation",
    "summarization",
    "translation",
    "image-classification",
    "audio-classification",
    "automatic-speech-recognition",
]
# What the labels of a text are, in the words of transformers' configs.
ProblemType = Literal["single_label_classification", "multi_label_classification", "regression"]
Metric = Literal[
    "accuracy",
    "f1",
    "matthews",
    "pearson",
    "spearman",
    "micro_f1",
    "macro_f1",
    "entity_f1",
    "token_accuracy",
    "answer_f1",
    "exact_match",
    "bits_saved_per_byte",
    "bits_per_byte",
    "rouge_l",
    "rouge_1",
    "rouge_2",
    "bleu",
    "chrf",
    "length_ratio",
    "word_accuracy",
]
Metrics = tuple[Metric, ...]
USUAL: Tag = "text-classification"
_CLASSES: Metrics = ("accuracy", "f1", "matthews")
ANY = ("encoder", "decoder", "encoder-decoder")
# A text classifier is measured by what its labels are.
PROBLEM_TYPES: Mapping[str, Metrics] = {
    "single_label_classification": _CLASSES,
    "multi_label_classification": ("micro_f1", "macro_f1"),
    "regression": ("pearson", "spearman"),
}


class Task(NamedTuple):
    """What is true of a task wherever it is run. metrics: the first counts. kinds: architectures that can do it.

    stock_class: of transformers, with which its models load. asked: what a loaded model is asked, as Python.
    """

    metrics: Metrics
    kinds: tuple[str, ...]
    stock_class: str
    asked: str


_OF_TEXTS: Metrics = tuple(one for each in PROBLEM_TYPES.values() for one in each)
TASKS: Mapping[str, Task] = {
    "text-classification": Task(_OF_TEXTS, ANY, "AutoModelForSequenceClassification", '["a text"]'),
    "token-classification": Task(
        ("entity_f1", "token_accuracy"),
        ("encoder", "decoder"),
        "AutoModelForTokenClassification",
        '["Anna lives in Berlin"]',
    ),
    "question-answering": Task(
        ("answer_f1", "exact_match"),
        ("encoder", "decoder"),
        "AutoModelForQuestionAnswering",
        '["Where does Anna live?"], ["Anna lives in Berlin."]',
    ),
    "text-generation": Task(
        ("bits_saved_per_byte", "bits_per_byte"), ("decoder",), "AutoModelForCausalLM", '["A text that goes on"]'
    ),
    "summarization": Task(
        ("rouge_l", "rouge_1", "rouge_2", "length_ratio"),
        ("encoder-decoder",),
        "AutoModelForSeq2SeqLM",
        '["a long text"]',
    ),
    "translation": Task(("bleu", "chrf", "length_ratio"), ("encoder-decoder",), "AutoModelForSeq2SeqLM", '["a text"]'),
    "image-classification": Task(_CLASSES, ("encoder",), "AutoModelForImageClassification", '["picture.jpg"]'),
    "audio-classification": Task(
        _CLASSES, ("encoder", "encoder-decoder"), "AutoModelForAudioClassification", '["recording.wav"]'
    ),
    "automatic-speech-recognition": Task(
        ("word_accuracy",), ("encoder-decoder",), "AutoModelForSpeechSeq2Seq", '["recording.wav"]'
    ),
}
SPEECH = "automatic-speech-recognition"
TO_TEXT = ("summarization", "translation")  # tasks that write one text for another
WRITERS = ("text-generation", "summarization", "translation", SPEECH)  # tasks whose models write
OF_WRITERS = ("onnxruntime", "pytorch")  # int8 backends that keep a cache of what was written
PERCEIVED = ("image-classification", "audio-classification", SPEECH)  # images and sounds
# Settings of a recipe that some tasks alone have, by where they stand.
OF_TASKS = {
    ("data", "pair"): ("text-classification", "question-answering"),
    ("data", "prefix"): TO_TEXT,
    ("data", "source_lang"): (*TO_TEXT, SPEECH),
    ("data", "target_lang"): TO_TEXT,
    ("training", "max_new_tokens"): WRITERS,
    ("training", "beams"): (*TO_TEXT, SPEECH),
    ("training", "image_size"): ("image-classification",),
    ("training", "max_seconds"): ("audio-classification", SPEECH),
}
# Metrics that are reported beside others: more of them is not better, so nothing can be chosen or gated by them.
BESIDE: Metrics = ("bits_per_byte", "length_ratio")
# By the end of the names of transformers' classes; others classify texts.
OF_TOKENS = ("token-classification", "question-answering")  # tasks that score each token
OF_CLASS = {
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForImageClassification": "image-classification",
    "ForAudioClassification": "audio-classification",
    "WhisperForConditionalGeneration": "automatic-speech-recognition",
}
# Where a config keeps what a text-to-text model is for, and what its pipelines do: T5's own convention.
PARAMS = "task_specific_params"
# What a run keeps there of a task's settings; a config may come from anybody.
KEPT = {
    **{"prefix": str, "source_lang": str, "target_lang": str},
    **{"beams": int, "max_new_tokens": int, "unanswerable": bool},
}


def task_of_config(config: Mapping[str, Any]) -> str:
    """The pipeline tag of what a checkpoint was made for: as its config says it, else by its class."""
    said, named = config.get("task"), config.get("architectures")
    if isinstance(said, str):
        return said
    if written := [tag for tag in config.get(PARAMS) or {} if tag in WRITERS]:
        return str(written[0])
    names = named if isinstance(named, list) else []
    found = (tag for end, tag in OF_CLASS.items() for name in names if str(name).endswith(end))
    return next(found, USUAL)


def settings_of_config(config: Mapping[str, Any], tag: str) -> dict[str, Any]:
    """The settings with which a model was judged, as a run saves them."""
    params = config.get(PARAMS)
    found = params.get(tag) if isinstance(params, Mapping) else None
    given = found if isinstance(found, Mapping) else {}
    return {name: value for name, value in given.items() if isinstance(value, KEPT.get(name, ()))}


# What the names of earlier versions may mean, and what the labels of two of them were.
OLDER: Mapping[str, tuple[Tag, ...]] = {
    "classification": ("text-classification",),
    "regression": ("text-classification",),
    "language-modelling": ("text-generation",),
    "generation": ("summarization", "translation", "text-generation"),
}
OLDER_LABELS: Mapping[str, ProblemType] = {
    "classification": "single_label_classification",
    "regression": "regression",
}


def current(stated: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """What is stated of data, with a task's older name replaced where it can mean one task only.

    Example: {"task": "regression"} becomes {"task": "text-classification", "problem_type": "regression"}.

    Args:
        prefix: of the names of both, for example "data.".
    """
    found, task, problem_type = dict(stated), f"{prefix}task", f"{prefix}problem_type"
    older = str(found.get(task))
    meant = OLDER.get(older, ())
    if len(meant) == 1:
        found[task] = meant[0]
    if older in OLDER_LABELS and found.get(problem_type) is None:
        found[problem_type] = OLDER_LABELS[older]
    return found


def meanings(older: object) -> str:
    """What to say of an older name that can mean several tasks; empty where it is none."""
    meant = OLDER.get(older, ()) if isinstance(older, str) else ()
    return f"{older!r} can mean {', '.join(meant[:-1])} or {meant[-1]}" if len(meant) > 1 else ""


def refusal(task: str | None, kind: str | None) -> str:
    """Why a model of this architecture cannot do a task; empty where it can, or where one of them is not known."""
    able = TASKS[task].kinds if task and task in TASKS else ()
    if not able or kind is None or kind in able:
        return ""
    return f"{task} cannot be done with this model: it is {_a(kind)}, and the task needs {' or '.join(map(_a, able))}"


def int8_backends(task: str | None, backends: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some int8 backends that can serve a task."""
    return tuple(name for name in backends if task not in WRITERS or name in OF_WRITERS)


def no_int8(task: str | None, backends: tuple[str, ...]) -> str:
    """Why none of these int8 backends can serve a task; empty where one can, or where there are none anyway."""
    if not backends or int8_backends(task, backends):  # that no backend has the scheme is for the step to say
        return ""
    return f"{' and '.join(backends)} cannot serve {task}: a model that writes is served by {' or '.join(OF_WRITERS)}"


def _a(kind: str) -> str:
    return f"{'a' if kind == 'decoder' else 'an'} {kind}"


class Known(NamedTuple):
    """A published task. metrics: its own, the one that counts first."""

    name: str
    metrics: Metrics
    left_out: str = ""


_ACCURACY: Metrics = ("accuracy",)
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


def possible(task: str | None, problem_type: str | None = None) -> Metrics:
    """The metrics that a task can be measured by. problem_type: None for a text classifier's of any kind."""
    if task in (None, USUAL) and problem_type in PROBLEM_TYPES:
        return PROBLEM_TYPES[problem_type or ""]
    return TASKS[task or USUAL].metrics


def metrics(source: str | None, task: str | None, problem_type: str | None = None) -> Metrics:
    """The metrics of some data, the one that counts first."""
    own = found.metrics if (found := known(source)) else ()
    able = possible(task, problem_type)
    first = tuple(one for one in own if one in able)
    return (*first, *(one for one in able if one not in first))


def problem_of(metric: str) -> str | None:
    """What the labels of texts are that a metric measures; None for one of another task."""
    return next((name for name, own in PROBLEM_TYPES.items() if metric in own), None)


def left_out_of_means(source: str | None) -> str:
    """Why a result on this data has no part in a mean over tasks; empty where it has."""
    return found.left_out if (found := known(source)) else ""
