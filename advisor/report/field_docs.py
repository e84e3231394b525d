"""What each key of a recipe, a rule, a pack or a waiver means, in a line: for JSON Schemas and for editors.

A field that is not listed here is described by the docstring of its dataclass, as in `keep: blocks that stay.`
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

RATE, EPOCHS = "Highest learning rate of the schedule.", "Passes over the training rows; the best one is kept."
DISTILLED = {
    "temperature": "Softens both models' scores before they are compared; higher shows more of the unlikely answers.",
    "soft_weight": "Weight of the teacher's answers in the loss; the rest is that of the labels.",
    "hidden_weight": "Weight of the difference of hidden states in the loss; 0 compares answers alone.",
    "learning_rate": RATE,
}
BOUNDS = {
    "relative_accuracy": 'Bound on the accuracy as a share of the baseline\'s, as in ">= 0.95".',
    "relative_emissions": 'Bound on CO2e of serving as a share of the baseline\'s, as in "<= 0.5".',
    "size_mb": 'Bound on the size of the weights in MB, as in "<= 100".',
    "latency_ms": 'Bound on the median time of one request in ms, as in "<= 20".',
}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "Recipe": {
        "version": "Version of the format: 1.",
        "name": "A short name for the recipe.",
        "model": "Which model is made smaller.",
        "device": "Where the model will serve.",
        "steps": "What is done to the model, in order.",
        "data": "Which data it is trained and measured on, as far as known.",
        "goal": "What the smaller model should reach, relative to the fine-tuned one.",
        "gates": "Bounds that the measured model has to keep; by default the goal.",
        "training": "Settings that all steps share.",
        "policy": "The policy that made the recipe.",
        "waivers": "Dated permissions to break a rule.",
        "history": "The user's own past runs that narrowed what advice expected.",
        "hardware": "What the device offers, as far as known.",
    },
    "DataSource": {
        "source": "A file, a folder (Parquet, CSV, JSONL, images or sounds) or a Hub id.",
        "task": "What the model is asked, as a pipeline tag of the Hub.",
        "problem_type": "What the labels of text-classification are; by default what they look like.",
        "samples": "Training rows with labels.",
        "eval_samples": "Rows that the models are measured on.",
        "unlabelled_samples": "Further texts without labels, to distil on.",
        "labels": "Number of classes.",
        "max_samples": "Use at most so many training rows.",
        "max_eval_samples": "Use at most so many rows for the report, and to select by.",
        "max_unlabelled": "Use at most so many texts without a label.",
        "header": "Whether the first line of delimited text names the columns; by default it is looked at.",
        "text": "Column with the text, the image or the sound.",
        "pair": "Column with the second text of a pair, or with the context of a question.",
        "label": "Column with the class, the number or the text that is to be written.",
        "metric": "What accuracy means here; by default GLUE's for its tasks, else the first one of the task.",
        "mean_tokens": "Mean length of a text, in tokens.",
        "prefix": 'Written before each text that is read, as in "summarize: "; for summarization and translation.',
        "source_lang": "Language that is read or heard, by the tokenizer's code, as in en_XX or de; for summarization, "
        "translation and speech.",
        "target_lang": "Language that is written, by the tokenizer's code, as in de_DE; for summarization and "
        "translation.",
    },
    "Targets": BOUNDS,
    "Gates": {
        **BOUNDS,
        "kept_beyond_chance": "Bound on the share kept of what the baseline has beyond always giving one answer.",
        "worst_class_recall": "Bound on the recall of the class that the model knows worst.",
        "grams_per_1000": 'Bound on the CO2e of answering 1,000 requests in g, as in "<= 0.2".',
        "grams_to_make": 'Bound on the CO2e of all steps but the fine-tuning in g, as in "<= 50".',
    },
    "Hardware": {
        "memory_gb": "Memory of the device in GB.",
        "instruction_sets": "Instruction sets of its CPU that int8 uses.",
        "compute_capability": "Compute capability of an NVIDIA GPU, as in 8.0.",
    },
    "ModelSource": {
        "source": "A family's name, a folder with a checkpoint, or a Hub id.",
        "family": "The model type, where the source does not say it.",
        "revision": "Branch, tag or commit on the Hub.",
        "licence": "The model's licence, where no model card beside its config says it.",
    },
    "OwnRuns": {
        "runs": "How many past runs were alike in family, data size and device.",
        "sha256": "Hash of their ids in the ledger.",
        "relative_accuracy": "Range of the relative accuracy that advice then expected.",
        "relative_time": "Range of the relative time that advice then expected.",
        "relative_emissions": "Range of the relative emissions that advice then expected.",
    },
    "PolicyStamp": {
        "name": "Name of the rule pack.",
        "version": "Version of the rule pack.",
        "sha256": "Hash of the pack and of those that it extends.",
    },
    "StatedWaiver": {
        "rule": "The id of the rule.",
        "reason": "Why the rule may be broken.",
        "owner": "Who answers for it.",
        "until": "The last day, as in 2027-03-31; after it the finding counts again.",
        "approver": "Who approved it; a project may demand one.",
        "ticket": "Where it was decided; a project may demand one.",
    },
    "Training": {
        "batch_size": "Rows in one step of training.",
        "max_tokens": "Longer texts are cut; where it is not stated, `advise run` lets it follow the data.",
        "seed": "Seed of everything random.",
        "precision": "Of training: bf16 computes in bfloat16 with fp32 weights, auto does so where the device can.",
        "joined_texts": "Distil on at most so many texts more, of two training texts each.",
        "max_new_tokens": "Texts that are written, and the targets to learn from, are cut to so many tokens; for tasks "
        "that write.",
        "beams": "How many beams are followed while a text is written; 1 takes the most likely token each time.",
        "image_size": "Side in pixels that images are scaled to, a multiple of the model's patches; by default the "
        "model's own. For image-classification.",
        "max_seconds": "Longer sounds are cut, at most at what the model hears; where it is not stated, "
        "audio-classification lets it follow the data. For sounds.",
        "patience": "Epochs without a better one on the selection rows that end a training; 0 trains all epochs.",
    },
    "Finetune": {"epochs": EPOCHS, "learning_rate": RATE},
    "LayerRemoval": {
        "keep": "Blocks that stay.",
        "encoder_keep": "Blocks of the encoder that stay.",
        "decoder_keep": "Blocks of the decoder that stay.",
    },
    "Distillation": {"epochs": EPOCHS, **DISTILLED},
    "MatrixPruning": {
        "hidden_size": "Channels of the hidden states that stay.",
        "intermediate_size": "Neurons of each feed-forward block that stay.",
        "increments": "Cuts until the size is reached, with distillation after each.",
        **DISTILLED,
    },
    "Quantization": {"bits": "Bits of a weight: 8."},
    "RuleFile": {
        "id": "The rule's name; its file is called so too.",
        "title": "What it asks for, in the imperative.",
        "origin": "Where it comes from, as in R07.",
        "severity": "error fails a check, warning and note only if --fail-on says so.",
        "since": "The version of the pack that brought it.",
        "when": "Conditions that must all hold; an unknown fact counts against the recipe.",
        "because": "The reason, shown with every finding.",
        "evidence": "What the rule rests on.",
        "confidence": "How sure its authors are.",
        "examples": "Situations in which it applies and does not; advise rules test runs them.",
        "then": "What the rule does where it applies.",
        "enforced_by": "Tests or code that ensure it, where it asks nothing of a recipe.",
    },
    "Effects": {
        "forbid": "Steps that a recipe may not have.",
        "require": "Steps that a recipe must have.",
        "allow_only": "Settings and the values that they may take.",
        "limit": 'Settings, measures or gates and the interval that they must stay in, as in ">= 0.5".',
        "prefer": "Settings and the value that advice takes.",
        "order": "Pairs of steps: the first before the second.",
        "warn": "A remark.",
    },
    "Evidence": {
        "source": "A name in the pack's list of sources.",
        "at": "Where in the source.",
        "says": "What the source says, quoted.",
        "against": "Whether it speaks against the rule, which stands all the same.",
    },
    "Examples": {"fires": "Situations in which the rule applies.", "quiet": "Situations in which it does not."},
    "Manifest": {
        "name": "The pack's name.",
        "version": "The pack's version.",
        "description": "What the pack is for.",
        "sources": "What its evidence cites, by short name.",
        "extends": "Packs that it builds on: shipped ones by name, others by folder.",
        "disable": "Rules of those packs that do not count, each with the reason.",
        "override": "Rules of those packs that it changes, each with the reason.",
        "format": "Version of the format: 1.",
    },
    "MetaKey": {
        "about": "What the key says.",
        "type": "text, number or flag.",
        "required": "Whether every recipe has to state it.",
    },
    "Override": {
        "reason": "Why the rule is changed.",
        "severity": "The severity instead of the rule's own.",
        "limit": "Other intervals for what the rule limits.",
        "waiver_days": "The longest that a waiver for the rule may last, in days.",
    },
}
_NAMES = re.compile(r"(?:^|(?<=[.;,] )|(?<=\n))(`?[a-z_]+`?(?:, `?[a-z_]+`?)*): ")


def described(made: dict[str, Any]) -> dict[str, Any]:
    """A schema made of dataclasses, with a description for each property."""
    for part in (made, *made.get("$defs", {}).values()):
        fields = part.get("properties", {})
        words = {**of_docstring(part.get("description", ""), fields), **FIELDS.get(part.get("title", ""), {})}
        for name in fields.keys() & words.keys():
            fields[name] = {**fields[name], "description": words[name]}
    return made


def of_docstring(docstring: str, names: Mapping[str, Any]) -> dict[str, str]:
    """The words for each field that a docstring has some for.

    Args:
        names: of the fields; other words before a colon start nothing.
    """
    flat = "\n".join(" ".join(part.split()) for part in docstring.split("\n\n"))
    return {field: words.rstrip(" ;,") for fields, words in _entries(flat, names) for field in fields}


def _entries(text: str, names: Mapping[str, Any]) -> Iterator[tuple[list[str], str]]:
    found = [(one, one[1].replace("`", "").split(", ")) for one in _NAMES.finditer(text)]
    starts = [(one, fields) for one, fields in found if set(fields) <= set(names)]
    for (one, fields), after in zip_longest(starts, (one for one, _ in starts[1:])):
        yield fields, text[one.end() : after.start() if after else len(text)].split("\n", maxsplit=1)[0]
