"""Mistakes that people make in recipes, and what to write instead of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from advisor.base.errors import suggest
from advisor.base.validation import UNKNOWN_KEY, Hints, Mistake
from advisor.base.yamlfile import Path_
from advisor.recipe.assembly import (
    BESIDE,
    KEYS,
    NO_LIST,
    NO_MAPPING,
    NO_SETTINGS,
    NO_STEP,
    TOO_DEEP,
    TWICE,
    UNKNOWN_STEP,
)
from advisor.recipe.recipe import AS_BOUND, DataSource, ModelSource, Targets
from advisor.recipe.steps import STEPS
from advisor.records.training_settings import Training

PARTS: Mapping[str, type] = {"data": DataSource, "training": Training, "model": ModelSource, "goal": Targets}
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
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def remedy(mistake: Mistake) -> str:
    """What to write instead, where recipes know more than their types do; else empty."""
    own = BY_KIND.get(mistake.kind)
    return own(mistake) if own else instead(mistake.path, mistake.got)


def elsewhere(path: Path_) -> str:
    """Where an unknown key belongs, if it is one of another part."""
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
        return "leave policy out where no pack made the recipe"
    if len(path) == 1 and (name in PARTS or name in EXAMPLES):
        return f"write `{name}: {_example(name, got)}`"
    if name == "device":
        return _device(got)
    if name.endswith("keep") and not isinstance(got, int):
        return "give how many stay, as a whole number"
    if name in SIZES and isinstance(got, float) and got < 1:
        return "give the size that stays, as a whole number"
    return "give how many there are" if name == "labels" and isinstance(got, list) else ""


def _example(part: str, got: Any) -> str:
    if part == "model" or (part == "data" and isinstance(got, str)):
        return f"{{source: {got if isinstance(got, str) else 'bert-base-uncased'}}}"
    return f"{{samples: {got if isinstance(got, int) else 25000}}}" if part == "data" else EXAMPLES[part]


def _device(got: Any) -> str:
    if got == "gpu":
        return "cuda is NVIDIA's GPU, mps a Mac's"
    one = "a recipe is for one device: cpu, cuda, mps or edge"
    return one if got == "auto" or isinstance(got, list) else ""


def bound(name: str, text: str) -> str:
    """The comparison that somebody meant to write for a target."""
    sign, numbers = AS_BOUND[name], NUMBER.findall(text)
    unit = {"size_mb": "MB", "latency_ms": "ms"}.get(name)
    letters = re.search(r"\d ?([A-Za-z]+)", text)
    if unit and letters and letters[1].lower() != unit.lower():
        return f'in {unit} and without the unit, as in "{sign} 50"'
    if not numbers:
        return f'write "{sign} number"'
    number = numbers[0].replace(",", ".")
    if "%" in text or (name == "relative_accuracy" and 2 <= float(number) <= 100):
        number = f"{float(number) / 100:g}"
    if name == "relative_accuracy" and float(number) > 1:
        return f'it is a share of the baseline\'s: "{sign} 1" at most'
    return f'write "{sign} {number}"' if float(number) > 0 else ""


def _whole(mistake: Mistake) -> str:
    if mistake.got is None:
        return "advise --model M --samples N --device D -o FILE writes a recipe"
    return "version: 1, then name, model, device and steps, each in a line of its own"


def _list(mistake: Mistake) -> str:
    """The steps are no list."""
    value, hint = mistake.got, "one step a line, as in `- finetune: {epochs: 3}`"
    if isinstance(value, dict) and any(name.startswith("-") for name in value):
        return "put a space after each dash: `- finetune:`"
    if isinstance(value, dict):
        return f"put `- ` before each step: {hint}"
    return "put a space after each dash: `- finetune:`" if isinstance(value, str) and value.startswith("-") else hint


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
    NO_MAPPING: _whole,
    TOO_DEEP: lambda one: f"take {one.path[0]}: out and move everything below it one level to the left",
    NO_LIST: _list,
    UNKNOWN_STEP: lambda one: suggest(one.got, STEPS),
    NO_STEP: _step,
    NO_SETTINGS: _settings,
    TWICE: lambda one: "keep one of the two",
    BESIDE: _beside,
}
HINTS = Hints(SYNONYMS, remedy)
