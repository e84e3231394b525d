"""Mistakes that people make in recipes, and what to write instead of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from advisor.base.errors import Fault, suggest
from advisor.base.validation import Hints
from advisor.base.yamlfile import Document, Path_
from advisor.recipe.recipe import AS_BOUND, SHARES, DataSource, ModelSource, Recipe, Targets
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


def elsewhere(path: Path_) -> str:
    """Where an unknown key belongs, if it is one of another part."""
    key = str(path[-1])
    if key in STEPS and len(path) == 1:
        return f"it is a step: write `- {key}:` below steps"
    for part, type_ in PARTS.items():
        if path[0] != part and key in _names(type_):
            return f"it belongs below {part}"
    if len(path) > 1 and key in _names(Recipe):
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


HINTS = Hints(SYNONYMS, elsewhere, instead)


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
    if "%" in text or (name in SHARES and 2 <= float(number) <= 100):
        number = f"{float(number) / 100:g}"
    if name in SHARES and float(number) > 1:
        whose = "" if name == "worst_class_recall" else " of the baseline's"
        return f'it is a share{whose}: "{sign} 1" at most'
    return f'write "{sign} {number}"' if float(number) > 0 else ""


def no_list(value: Any, document: Document) -> Fault:
    """The steps are no list."""
    hint = "one step a line, as in `- finetune: {epochs: 3}`"
    if isinstance(value, dict) and any(name.startswith("-") for name in value):
        hint = "put a space after each dash: `- finetune:`"
    elif isinstance(value, dict):
        hint = f"put `- ` before each step: {hint}"
    elif isinstance(value, str) and value.startswith("-"):
        hint = "put a space after each dash: `- finetune:`"
    return document.fault("steps: expected a list of steps", ("steps",), hint)


def no_step(entry: Any, document: Document, place: int) -> list[Fault]:
    """An item of the steps is not one step with its settings."""
    at: Path_ = ("steps", place)
    if isinstance(entry, str):
        return [document.fault(f"unknown step {entry}", at, suggest(entry, STEPS))]
    if isinstance(entry, dict) and (first := next(iter(entry), None)) in STEPS:
        return [_beside(first, name, document, at) for name in list(entry)[1:]]
    inside = list(entry.values()) if isinstance(entry, dict) else entry if isinstance(entry, list) else []
    named = next((one for one in inside if isinstance(one, str) and one in STEPS), "finetune")
    hint = f"write `- {named}: {EXAMPLES[named]}`"
    return [document.fault(f"steps.{place}: expected one step with its settings", at, hint)]


def _beside(step: str | None, name: str, document: Document, at: Path_) -> Fault:
    if name in STEPS:
        hint = f"write `- {name}:` in a line of its own"
        return document.fault(f"{name} stands in the same item as {step}", (*at, name), hint, key=True)
    hint = "indent it by two more spaces"
    return document.fault(f"{name} stands beside {step}, not below it", (*at, name), hint, key=True)


def no_settings(step: str, document: Document, place: int) -> Fault:
    """A step's settings are no mapping."""
    message = f"steps.{place}.{step}: expected settings"
    return document.fault(message, ("steps", place, step), f"write `{step}: {EXAMPLES[step]}`")


def too_deep(value: Mapping[str, Any], document: Document) -> list[Fault]:
    """The whole recipe stands below a word of its own."""
    (key, inner), *others = value.items()
    if others or key in _names(Recipe) or not isinstance(inner, dict) or len(set(inner) & set(_names(Recipe))) < 2:
        return []
    hint = f"take {key}: out and move everything below it one level to the left"
    return [document.fault(f"unknown key {key}", (key,), hint, key=True)]
