"""Stated: what callers of advice and search say of their data and goals, refused where it makes no sense."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from advisor.api.arguments import Arguments
from advisor.facts.tasks import OF_TASKS, PROBLEM_TYPES, TASKS, meanings
from advisor.recipe.recipe import DataSource

if TYPE_CHECKING:
    from advisor.facts.facts import Goal

DEVICES = ("cpu", "cuda", "mps", "edge", "auto")
MOST = 1e12  # of a target
LIMITS = ("max_samples", "max_eval_samples", "max_unlabelled")
LANGUAGES = ("source_lang", "target_lang")


class Stated(NamedTuple):
    """What the caller says of the data. rows: source, columns and limits; the counts as `advise` names them."""

    rows: DataSource
    samples: int | None
    eval_samples: int | None
    unlabelled: int | None


def refuse_nonsense(data: Stated, goal: Goal, device: str, function: str = "advisor.advise") -> None:
    """Raise an AdviseError with everything that is wrong with the arguments of this function."""
    arguments = Arguments(function)
    if (data.samples is None) == (data.rows.source is None):
        arguments.wrong("expected either samples or data", "samples=3000")
    least_eval = 0 if data.rows.source is None else 1
    for name, least in (("samples", 1), ("eval_samples", least_eval), ("unlabelled", 0)):
        arguments.whole(name, getattr(data, name), least)
    arguments.whole("requests", goal.requests, 1)
    for name, least in zip(LIMITS, (1, 1, 0), strict=True):
        arguments.whole(name, getattr(data.rows, name), least)
    arguments.number("min_accuracy", goal.relative_accuracy, 0.01, 1)
    most = {"max_emissions": goal.relative_emissions, "max_size_mb": goal.size_mb, "max_latency_ms": goal.latency_ms}
    for name, value in most.items():
        arguments.number(name, value, 1e-9, MOST)
    arguments.choice("device", device, DEVICES)
    task, problem_type = data.rows.task, data.rows.problem_type
    if several := meanings(task):
        arguments.wrong(f"task: {several}", "give the one that is meant")
    else:
        arguments.choice("task", task, TASKS)
    arguments.choice("problem_type", problem_type, PROBLEM_TYPES)
    _languages(arguments, data.rows)
    if problem_type and task not in (None, "text-classification"):
        arguments.wrong(f"problem_type: it is one of text-classification, and the task is {task}")
    arguments.refuse()


def _languages(arguments: Arguments, rows: DataSource) -> None:
    for name in LANGUAGES:
        language, tasks = getattr(rows, name), OF_TASKS["data", name]
        if language == "":
            arguments.wrong(f"{name}: expected the code of a language, got ''", f"{name}='en_XX'")
        elif language and rows.task not in tasks:
            what = f"{name}: it is for {' and '.join(tasks)}, and the task is {rows.task or 'not given'}"
            arguments.wrong(what, "task='translation'")
