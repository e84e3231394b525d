"""Was the run made by the recipe that is to be shipped? Every part that decides the model, each difference by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError
from advisor.facts.tasks import PERCEIVED, metrics
from advisor.inspection import probe
from advisor.recipe.recipe import ModelSource, Recipe
from advisor.records.results import RunResult
from advisor.records.run_folder import model_sha256
from advisor.records.training_settings import Training

TOKENS, SECONDS = "training.max_tokens", "training.max_seconds"
LIMITS = ("max_samples", "max_eval_samples", "max_unlabelled")


def differences(
    theirs: Recipe, ours: Recipe, result: RunResult, facts: Mapping[str, Any], any_seed: bool = False
) -> list[str]:
    """What differs, in words. Names, waivers, and where the data lies may differ.

    Args:
        theirs: that is to be shipped. ours: the run's. facts: of the run. any_seed: the run is one of several seeds.
    """
    left, right = _effect(theirs, any_seed), _effect(ours, any_seed)
    # What is not stated followed the data, and of images and sounds the model's positions.
    if left[TOKENS] == Training().max_tokens < right[TOKENS] or ours.data.task in PERCEIVED:
        right[TOKENS] = left[TOKENS]
    if left[SECONDS] is None and ours.data.task == "audio-classification":
        right[SECONDS] = None
    found = [
        _differ(name, left.get(name), right.get(name))
        for name in dict.fromkeys([*left, *right])
        if left.get(name) != right.get(name)
    ]
    models = [*_model(theirs.model, ours.model, result, facts), *_student(theirs, ours, result)]
    return [*models, *_task(theirs, result, facts), *found]


def _effect(recipe: Recipe, any_seed: bool) -> dict[str, Any]:
    """All that the recipe itself decides, with its defaults, by dotted name."""
    found: dict[str, Any] = {"device": recipe.device, "order of steps": ", ".join(recipe.step_names)}
    for step in recipe.steps:
        found |= {f"{step.name}.{name}": value for name, value in asdict(step).items()}
    found |= {f"training.{name}": value for name, value in asdict(recipe.training).items()}
    found |= {f"gates.{name}": str(bound) for name, bound in recipe.gate_bounds().items()}
    found |= {f"data.{name}": getattr(recipe.data, name) for name in LIMITS}
    found.pop("distillation.student", None)  # compared as models are
    if any_seed:
        found.pop("training.seed")
    return found


def _model(theirs: ModelSource, ours: ModelSource, result: RunResult, facts: Mapping[str, Any]) -> Iterator[str]:
    there, family = _at_hand(theirs), facts.get("model.family")
    expected = theirs.family or (there.facts.family if there else None)
    if expected and family and expected != family:
        yield _differ("model.family", expected, family)
    recorded = result.provenance.get("model_sha256")
    if recorded and there and there.folder and (now := model_sha256(there.folder)):
        if now != recorded:
            yield f"model.source (the files of {theirs.source} are not those that the run began with)"
    elif not _same_name(theirs.source, ours.source):
        yield _differ("model.source", theirs.source, ours.source)
    others = [name for name in asdict(theirs) if name not in ("source", "family")]
    for name in others:
        one, other = getattr(theirs, name), getattr(ours, name)
        if one != other:
            yield _differ(f"model.{name}", one, other)


def _student(theirs: Recipe, ours: Recipe, result: RunResult) -> Iterator[str]:
    """Another given student, by its files where they are here, else by its name."""
    one, other = theirs.student, ours.student
    there = _at_hand(ModelSource(one)) if one else None
    recorded = result.provenance.get("student_sha256")
    if one and other and recorded and there and there.folder and (now := model_sha256(there.folder)):
        if now != recorded:
            yield f"distillation.student (the files of {one} are not those that the run began with)"
    elif one != other and not (one and other and _same_name(one, other)):
        yield _differ("distillation.student", one, other)


def _at_hand(source: ModelSource) -> probe.Model | None:
    try:
        return probe.named(source)
    except AdviseError:
        return None


def _same_name(one: str, other: str) -> bool:
    """The same source, or a local copy that is named like it: /models/opt-125m for facebook/opt-125m."""
    if one == other:
        return True
    local = any("/" not in name or name.startswith(("/", ".", "~")) for name in (one, other))
    return local and Path(one).name == Path(other).name


def _task(theirs: Recipe, result: RunResult, facts: Mapping[str, Any]) -> Iterator[str]:
    """Task, metric and labels: what the recipe says, or its default, against what was measured."""
    labels, data = facts.get("data.labels"), theirs.data
    for name in ("task", "problem_type"):
        stated, measured_as = getattr(data, name), facts.get(f"data.{name}")
        if stated and measured_as and stated != measured_as:
            yield _differ(f"data.{name}", stated, measured_as)
    task, problem_type = data.task or facts.get("data.task"), data.problem_type or facts.get("data.problem_type")
    metric = data.metric or metrics(data.source, task, problem_type)[0]
    measured = result.steps[-1].metric
    if metric != measured and (data.metric or data.source):
        yield _differ("data.metric", metric, measured)
    if data.labels and labels and data.labels != labels:
        yield _differ("data.labels", data.labels, labels)


def _differ(name: str, theirs: object, ours: object) -> str:
    return f"{name} ({_word(theirs)}, in the run {_word(ours)})"


def _word(value: object) -> str:
    return "nothing" if value is None else str(value)
