"""Contradictions: what cannot be true of any recipe, though each single value is well formed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.base.errors import short
from advisor.base.validation import WRONG_WORD, Mistake
from advisor.facts.tasks import OF_TASKS, USUAL, possible
from advisor.families import registry
from advisor.recipe.recipe import DataSource, Recipe
from advisor.records.training_settings import Training

LIMITS = {"max_samples": "samples", "max_eval_samples": "eval_samples", "max_unlabelled": "unlabelled_samples"}
USUALLY = {"data": DataSource(), "training": Training()}
SHA256 = re.compile(r"[0-9a-f]{64}")


def contradictions(recipe: Recipe) -> Iterator[Mistake]:
    """Everything in a recipe that contradicts itself or what is known of all recipes."""
    if not recipe.name.strip():
        yield Mistake(("name",), "name: expected a name, got only spaces")
    family = recipe.model.family
    known = [*registry.names(), *registry.OTHERS.values()]
    if family is not None and family not in known:
        yield Mistake(("model", "family"), f"unknown family {short(family)!r}", WRONG_WORD, family, known)
    if recipe.policy and not SHA256.fullmatch(recipe.policy.sha256):
        message = f"policy.sha256: expected 64 hexadecimal digits, got {short(recipe.policy.sha256)!r}"
        yield Mistake(("policy", "sha256"), message)
    yield from of_other_tasks(recipe)
    for name, message in _data(recipe.data):
        yield Mistake(("data", name), f"data.{name}: {message}")


def of_other_tasks(recipe: Recipe) -> Iterator[Mistake]:
    """Settings that the recipe's task would not look at."""
    for (part, name), tasks in OF_TASKS.items():
        is_set = getattr(getattr(recipe, part), name) != getattr(USUALLY[part], name)
        if is_set and recipe.data.task not in (None, *tasks):
            what = f"{part}.{name}: {recipe.data.task} does not use it; it is for {' and '.join(tasks)}"
            yield Mistake((part, name), what)


def _data(data: DataSource) -> Iterator[tuple[str, str]]:
    labels = data.labels
    if data.problem_type and data.task not in (None, USUAL):
        yield "problem_type", f"{data.problem_type} is a kind of text-classification, and the task is {data.task}"
    if labels is not None and data.problem_type == "regression" and labels > 1:
        yield "labels", f"a regression has no classes, got {labels}"
    elif labels == 1 and "accuracy" in possible(data.task, data.problem_type):
        yield "labels", "a classification has at least 2 classes, got 1"
    if labels is not None and data.samples is not None and labels > data.samples:
        yield "labels", f"{labels:,} classes are more than the {data.samples:,} samples"
    for most, what in LIMITS.items():
        wanted, count = getattr(data, most), getattr(data, what)
        if wanted and count and wanted > count:
            yield most, f"{wanted:,} is above the {count:,} {what}"
    able = possible(data.task, data.problem_type)
    if data.metric and (data.task or data.problem_type) and data.metric not in able:
        yield "metric", f"{data.metric} does not measure {data.problem_type or data.task}: expected {' or '.join(able)}"
    yield from _columns(data)


def _columns(data: DataSource) -> Iterator[tuple[str, str]]:
    columns: dict[str, str] = {}
    for role in ("text", "pair", "label"):
        column = getattr(data, role)
        if column is not None and column in columns:
            yield role, f"{short(column)!r} is already the {columns[column]} column"
        elif column is not None:
            columns[column] = role
