"""Recipe: what to do to a model, in order; written as YAML with a reason for each part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from advisor.base.constraints import FORBID_EXTRA, Amount, Bound
from advisor.base.interval import Interval, show
from advisor.facts.facts import Goal
from advisor.facts.tasks import Metric
from advisor.recipe.steps.step import Step
from advisor.records.training_settings import Training

if TYPE_CHECKING:
    Steps = tuple[Step, ...]
else:
    Steps = tuple[Any, ...]  # each step is validated by its own type, see recipefile

Count = Annotated[int, Bound(gt=0)]
Rows = Annotated[int, Bound(gt=0), Amount()]
RowsOrNone = Annotated[int, Bound(ge=0), Amount()]
Device = Literal["cpu", "cuda", "mps", "edge"]
Task = Literal["classification", "regression", "generation", "language-modelling"]


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Which model: a Hub id, a folder, or the name of a family for its base checkpoint."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    source: Annotated[str, Bound(min_length=1)]
    family: str | None = None


@dataclass(frozen=True, slots=True)
class DataSource:
    """Which data, as far as known. `max_samples`: use at most so many training rows.

    metric: what accuracy means here; by default GLUE's for its tasks, else accuracy, or Pearson's correlation.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    source: str | None = None
    task: Task | None = None
    samples: Rows | None = None
    eval_samples: RowsOrNone | None = None
    unlabelled_samples: RowsOrNone | None = None
    labels: Count | None = None
    max_samples: Rows | None = None
    text: str | None = None
    pair: str | None = None
    label: str | None = None
    metric: Metric | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """Bounds relative to the baseline: accuracy from below, the others from above, as quoted comparisons."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    relative_accuracy: str | None = None
    relative_emissions: str | None = None
    size_mb: str | None = None
    latency_ms: str | None = None

    def bounds(self) -> dict[str, Interval]:
        """The targets that are set."""
        given = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: Interval.parse(text) for name, text in given.items() if text is not None}


@dataclass(frozen=True, slots=True)
class Gates(Targets):
    """What the measured model has to show. Two bounds are for gates only, both from below.

    kept_beyond_chance: the share kept of what the baseline has beyond always giving the best single answer.
    worst_class_recall: the recall of the class that the model knows worst; no share of the baseline's.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    kept_beyond_chance: str | None = None
    worst_class_recall: str | None = None


@dataclass(frozen=True, slots=True)
class StatedWaiver:
    """A waiver as people write it: the rule, why it may be broken, who answers for it, and the last day it holds.

    where: a JSON pointer into the recipe (`/steps/*/layer_removal`), a glob of files, or both (`t5-*.yaml#/steps/1`).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    rule: Annotated[str, Bound(min_length=1)]
    reason: Annotated[str, Bound(min_length=1)]
    owner: Annotated[str, Bound(min_length=1)]
    until: str
    where: Annotated[str, Bound(min_length=1)] | None = None


@dataclass(frozen=True, slots=True)
class PolicyStamp:
    """The policy that made a recipe: enough to find it again."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class OwnRuns:
    """The user's own past runs that narrowed what advice expected, and the ranges that it then expected.

    runs: how many were alike in family, data size and device. sha256: of their ids in the ledger.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    runs: Count
    sha256: str
    relative_accuracy: str | None = None
    relative_time: str | None = None
    relative_emissions: str | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe. Each kind of step stands in it at most once."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    version: Literal[1]
    name: Annotated[str, Bound(min_length=1)]
    model: ModelSource
    device: Device
    steps: Annotated[Steps, Bound(min_length=1)]
    data: DataSource = DataSource()
    goal: Targets = Targets()
    gates: Gates | None = None
    training: Training = Training()
    policy: PolicyStamp | None = None
    waivers: tuple[StatedWaiver, ...] = ()
    history: OwnRuns | None = None

    def step(self, name: str) -> Step | None:
        """The step of this name, or None."""
        return next((step for step in self.steps if step.name == name), None)

    @property
    def step_names(self) -> tuple[str, ...]:
        return tuple([step.name for step in self.steps])  # a list is twice as fast here, and it is asked often

    def gate_bounds(self) -> dict[str, Interval]:
        """What a run has to show: the gates, by default the goal."""
        return (self.gates or self.goal).bounds()


# Which side of each target is bounded.
AS_BOUND = {"relative_accuracy": ">=", "relative_emissions": "<=", "size_mb": "<=", "latency_ms": "<="}
AS_BOUND |= {"kept_beyond_chance": ">=", "worst_class_recall": ">="}
SHARES = ("relative_accuracy", "kept_beyond_chance", "worst_class_recall")  # bounds of at most 1, measured on rows


def to_goal(targets: Targets) -> Goal:
    """The goal as numbers; what is not set keeps the default."""
    bounds = targets.bounds()
    ends = {name: float((bound.low if AS_BOUND[name] == ">=" else bound.high) or 0) for name, bound in bounds.items()}
    return Goal(**ends)


def to_targets(goal: Goal) -> Targets:
    """The goal as a recipe writes it."""
    given = goal._asdict()
    return Targets(
        **{
            name: f"{AS_BOUND[name]} {show(value).replace(',', '')}"
            for name, value in given.items()
            if value is not None
        }
    )


def _given(part: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not None."""
    values = {item.name: getattr(part, item.name) for item in fields(part)}
    return {name: value for name, value in values.items() if value is not None}


def as_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values, as JSON and YAML carry it."""
    parts: dict[str, Any] = {"version": recipe.version, "name": recipe.name, "model": _given(recipe.model)}
    parts |= {"data": _given(recipe.data), "device": recipe.device, "goal": _given(recipe.goal)}
    parts["steps"] = [{step.name: _given(step)} for step in recipe.steps]
    parts |= {"gates": _given(recipe.gates)} if recipe.gates else {}
    parts |= {"training": _given(recipe.training)} if recipe.training != Training() else {}
    parts |= {"policy": _given(recipe.policy)} if recipe.policy else {}
    parts |= {"waivers": [_given(waiver) for waiver in recipe.waivers]} if recipe.waivers else {}
    parts |= {"history": _given(recipe.history)} if recipe.history else {}
    return {name: value for name, value in parts.items() if value != {}}


def as_yaml(recipe: Recipe, reasons: Mapping[str, str] | None = None) -> str:
    """The recipe as YAML, one line for each part, with the reason behind it as a comment.

    Args:
        reasons: comment by part or step name; a comment may not hold line breaks.
    """
    lines = []
    reasons = reasons or {}
    for name, value in as_dict(recipe).items():
        if name == "steps":
            lines.append("steps:")
            for step in value:
                ((key, settings),) = step.items()
                lines.append(_commented(f"  - {key}: {flow(settings)}", reasons.get(key, "")))
        else:
            lines.append(_commented(f"{name}: {flow(value)}", reasons.get(name, "")))
    return "\n".join(lines) + "\n"


def _commented(line: str, reason: str) -> str:
    return f"{line}  # {' '.join(reason.split())}" if reason else line


# Words that YAML 1.2, or 1.1 as other tools still read it, takes for something else when they stand without quotes.
NO_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")


def flow(value: Any) -> str:
    """A value in YAML's flow style. JSON strings are YAML strings; plain words need no quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and value.isascii() and value.isidentifier() and value.lower() not in NO_WORDS:
        return value
    written = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in written)
