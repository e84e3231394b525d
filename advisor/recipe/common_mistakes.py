"""Common mistakes in recipes, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from advisor.base.errors import short, suggest
from advisor.base.validation import UNKNOWN_KEY, Hints, Mistake
from advisor.base.yamlfile import Path_
from advisor.recipe.assembly import (
    AMBIGUOUS,
    BESIDE,
    KEYS,
    MISREAD,
    NEWER,
    NO_LIST,
    NO_MAPPING,
    NO_SETTINGS,
    NO_STEP,
    TOO_DEEP,
    TWICE,
    UNKNOWN_STEP,
)
from advisor.recipe.recipe import AS_BOUND, SHARES, Aims, DataSource, ModelSource
from advisor.recipe.steps import STEPS
from advisor.records.training_settings import Training

PARTS: Mapping[str, type] = {"data": DataSource, "training": Training, "model": ModelSource, "goal": Aims}
EXAMPLES = {
    "finetune": "{epochs: 3}",
    "layer_removal": "{keep: 8}",
    "distillation": "{epochs: 9}",
    "matrix_pruning": "{hidden_size: 576, intermediate_size: 2304}",
    "quantization": "{bits: 8}",
    "goal": '{relative_accuracy: ">= 0.90"}',
    "gates": '{relative_accuracy: ">= 0.90"}',
    "training": "{batch_size: 32}",
    "policy": "{name: core, …} as `advise` wrote it, or leave it out",
}
SYNONYMS = {  # of other tools
    "id": "source", "name": "source", "path": "source", "checkpoint": "source", "type": "family", "dataset": "data",
    "lr": "learning_rate", "alpha": "soft_weight", "num_train_epochs": "epochs", "layers": "keep", "num_layers": "keep",
    "ffn": "intermediate_size", "ffn_dim": "intermediate_size", "d_ff": "intermediate_size", "d_model": "hidden_size",
    "num_heads": "heads", "max_length": "max_tokens", "train_batch_size": "batch_size", "backend": "backend",
}  # fmt: skip
SIZES = ("hidden_size", "intermediate_size", "heads")
OTHER_MEASURES = {  # keys that are near to ours and mean something else
    "relative_loss": 'relative_accuracy is the share that stays: a loss of 5 % is ">= 0.95"',
    "accuracy_loss": 'relative_accuracy is the share that stays: a loss of 5 % is ">= 0.95"',
    "latency_us": "latency_ms counts milliseconds, which are 1,000 microseconds",
    "latency_s": "latency_ms counts milliseconds: a second is 1_000",
    "size_gb": "size_mb counts megabytes: a gigabyte is 1_000",
    "size_kb": "size_mb counts megabytes, which are 1,000 kilobytes",
    "labelled_samples": "samples counts the labelled rows",
    "hard_weight": "soft_weight is what is left of 1 beside the weight of the hard labels",
}
DASHES = ("–", "—", "−", "•", "·")  # as chats and word processors write lists
LESS = re.compile(r"\b(?:loss|lose|losing|drop|less|lower|saved?|saving|reduc\w*|cut)\b|^\s*-")
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def remedy(mistake: Mistake) -> str:
    """What to write instead, where the recipe knows more than the type does; else empty."""
    own = BY_KIND.get(mistake.kind)
    return own(mistake) if own else instead(mistake.path, mistake.got)


def elsewhere(path: Path_) -> str:
    """Where an unknown key belongs, if another part has it."""
    key = str(path[-1])
    if key in STEPS and len(path) == 1:
        return f"it is a step: write `- {key}:` below steps"
    for part, type_ in PARTS.items():
        if path[0] != part and key in _names(type_):
            return f"it belongs below {part}"
    if len(path) > 1 and key in KEYS:
        return "it belongs at the top of the recipe"
    steps = [name for name, step in STEPS.items() if key in _names(step)]
    return f"it belongs to {' or '.join(steps)}, below steps" if steps else ""


def _names(type_: Any) -> list[str]:
    return [item.name for item in fields(type_)]


def instead(path: Path_, got: Any) -> str:
    """What to write instead of a value of the wrong kind, where the recipe knows more than the type does."""
    name = str(path[-1])
    if path[0] in ("goal", "gates") and name in AS_BOUND and len(path) == 2:
        return bound(name, str(got))
    if path == ("policy", "sha256"):
        return "remove policy unless a pack made the recipe"
    if len(path) == 1 and (name in PARTS or name in EXAMPLES):
        return f"write `{name}: {_example(name, got)}`"
    if name == "device":
        return _device(got)
    if name.endswith("keep") and not isinstance(got, int):
        return "give the number to keep, as a whole number"
    if name in SIZES and isinstance(got, float) and got < 1:
        return "give the remaining size, as a whole number"
    return "give the number of classes" if name == "labels" and isinstance(got, list) else ""


def _example(part: str, got: Any) -> str:
    if part == "model" or (part == "data" and isinstance(got, str)):
        return f"{{source: {short(got) if isinstance(got, str) else 'bert-base-uncased'}}}"
    return f"{{samples: {got if isinstance(got, int) else 25000}}}" if part == "data" else EXAMPLES[part]


def _device(got: Any) -> str:
    if got == "gpu":
        return "use cuda for an NVIDIA GPU, mps for a Mac"
    one = "a recipe is for one device: cpu, cuda, mps or edge"
    return one if got == "auto" or isinstance(got, list) else ""


def _may_be_a_loss(sign: str, text: str) -> bool:
    """Is a share of the accuracy so small that what is lost may be meant?"""
    number = float(NUMBER.findall(text)[0].replace(",", "."))
    return sign not in text and (number / 100 if number >= 1 or "%" in text else number) < 0.5


def bound(name: str, text: str) -> str:
    """The comparison to write for a target instead of a text."""
    sign, numbers = AS_BOUND[name], NUMBER.findall(text)
    unit = {"size_mb": "MB", "latency_ms": "ms", "grams_per_1000": "g", "grams_to_make": "g"}.get(name)
    if not unit and numbers and (LESS.search(text) or (name == "relative_accuracy" and _may_be_a_loss(sign, text))):
        return f'write the share of the baseline that stays: 5 % less is "{sign} 0.95"'
    letters = re.search(r"\d ?([A-Za-z]+)", text)
    if unit and letters and letters[1].lower() != unit.lower():
        return f'write it in {unit} without the unit, as in "{sign} 50"'
    if not numbers:
        return f'write "{sign} number"'
    number = numbers[0].replace(",", ".")
    if "%" in text or (name in SHARES and 2 <= float(number) <= 100):
        number = f"{float(number) / 100:g}"
    if name in SHARES and float(number) > 1:
        whose = "a share" if name == "worst_class_recall" else "relative to the baseline"
        return f'it is {whose}: at most "{sign} 1"'
    return f'write "{sign} {number}"' if float(number) > 0 else ""


def _whole(mistake: Mistake) -> str:
    if mistake.got is None:
        return "advise --model M --samples N --device D -o FILE writes a recipe"
    return "version: 1, then name, model, device and steps, each in a line of its own"


def _list(mistake: Mistake) -> str:
    """The steps are no list."""
    value, hint = mistake.got, "write one step per line, as in `- finetune: {epochs: 3}`"
    first = str(next(iter(value), "") if isinstance(value, dict | list) else value)[:1]
    if first in DASHES:
        return f"put `- ` before each step, a hyphen, where `{first}` stands: {hint}"
    if isinstance(value, dict) and any(name.startswith("-") for name in value):
        return "put a space after each dash: `- finetune:`"
    if isinstance(value, dict):
        return f"put `- ` before each step: {hint}"
    return "put a space after each dash: `- finetune:`" if first == "-" else hint


def _step(mistake: Mistake) -> str:
    """An item of the steps is not one step with its settings."""
    entry = mistake.got
    inside = list(entry.values()) if isinstance(entry, dict) else entry if isinstance(entry, list) else []
    named = next((one for one in inside if isinstance(one, str) and one in STEPS), "finetune")
    return f"write `- {named}: {EXAMPLES[named]}`"


def _settings(mistake: Mistake) -> str:
    step = str(mistake.path[-1])
    return f"write `{step}: {EXAMPLES[step]}`"


def _beside(mistake: Mistake) -> str:
    name = mistake.path[-1]
    return f"write `- {name}:` in a line of its own" if name in STEPS else "indent it by two more spaces"


BY_KIND: Mapping[str, Callable[[Mistake], str]] = {
    UNKNOWN_KEY: lambda one: elsewhere(one.path),
    NEWER: lambda one: "upgrade advise",
    NO_MAPPING: _whole,
    TOO_DEEP: lambda one: f"take {short(str(one.path[0]))}: out and unindent everything below it by one level",
    NO_LIST: _list,
    UNKNOWN_STEP: lambda one: suggest(one.got, STEPS),
    NO_STEP: _step,
    NO_SETTINGS: _settings,
    TWICE: lambda one: "keep one of the two",
    BESIDE: _beside,
    MISREAD: lambda one: f'write "{one.got}"',
    AMBIGUOUS: lambda one: f"write `task: {one.known[0]}`, or the one that is meant",
}
HINTS = Hints(SYNONYMS, OTHER_MEASURES, remedy)
