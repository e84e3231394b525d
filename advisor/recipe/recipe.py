"""Recipe: what to do to a model, in order; written as YAML with a reason for each part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from advisor.base.constraints import FORBID_EXTRA, Amount, Bound
from advisor.base.frozen import frozen, made, names
from advisor.base.interval import Interval, show
from advisor.facts.facts import DeviceFacts, Goal
from advisor.facts.tasks import Metric, ProblemType, Tag
from advisor.recipe.flow_style import flow
from advisor.recipe.steps.step import Step
from advisor.records.training_settings import Training

if TYPE_CHECKING:
    Steps = tuple[Step, ...]
else:
    Steps = tuple[Any, ...]  # each step is validated by its own type, see assembly

Count = Annotated[int, Bound(gt=0)]
Rows = Annotated[int, Bound(gt=0), Amount()]
RowsOrNone = Annotated[int, Bound(ge=0), Amount()]
Text = Annotated[str, Bound(min_length=1)]
Device = Literal["cpu", "cuda", "mps", "edge"]
InstructionSet = Literal["avx2", "avx512_vnni", "avx_vnni", "amx", "arm_dotprod"]


@frozen
class ModelSource:
    """Which model: a Hub id, a folder, or the name of a family for its base checkpoint.

    revision, licence: what rules may ask for; the licence of a model card beside the config comes first.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    source: Annotated[str, Bound(min_length=1)]
    family: str | None = None
    revision: Text | None = None
    licence: Text | None = None


@frozen
class DataSource:
    """Which data, as far as known. task: the Hub's pipeline tag. max_samples: use at most so many training rows.

    max_eval_samples: and so many for the report, and to select by. max_unlabelled: and so many texts without a label.
    header: whether the first line of delimited text names the columns; by default it is looked at.
    problem_type: what the labels of text-classification are; by default what they look like.
    metric: what accuracy means here; by default GLUE's for its tasks, else the first of the task.
    mean_tokens: of a text, in the mean. prefix: before each text that a text-to-text model reads, as "summarize: ".
    source_lang: of what a model for many languages reads or hears, by its tokenizer's code (en_XX, de). target_lang:
    of the texts that it writes.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    source: str | None = None
    task: Tag | None = None
    problem_type: ProblemType | None = None
    samples: Rows | None = None
    eval_samples: RowsOrNone | None = None
    unlabelled_samples: RowsOrNone | None = None
    labels: Count | None = None
    max_samples: Rows | None = None
    max_eval_samples: Rows | None = None
    max_unlabelled: RowsOrNone | None = None
    header: bool | None = None
    text: str | None = None
    pair: str | None = None
    label: str | None = None
    metric: Metric | None = None
    mean_tokens: Annotated[float, Bound(ge=0)] | None = None
    prefix: Text | None = None
    source_lang: Text | None = None
    target_lang: Text | None = None


@frozen
class Hardware:
    """What the device offers, as far as known: memory in GB, instruction sets of a CPU, capability of an NVIDIA GPU."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    memory_gb: Annotated[float, Bound(ge=0)] | None = None
    instruction_sets: tuple[InstructionSet, ...] | None = None
    compute_capability: Annotated[float, Bound(ge=0)] | None = None

    def facts(self, kind: str) -> DeviceFacts:
        """A device of this kind as rules see it."""
        sets = None if self.instruction_sets is None else frozenset(self.instruction_sets)
        return DeviceFacts(kind, sets, self.compute_capability, self.memory_gb)


def to_hardware(device: DeviceFacts) -> Hardware:
    """What a recipe says of a device beside its kind."""
    sets: Any = None if device.instruction_sets is None else tuple(sorted(device.instruction_sets))
    return Hardware(device.memory_gb, sets, device.compute_capability)


@frozen
class Targets:
    """Bounds relative to the baseline: accuracy from below, the others from above, as quoted comparisons."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    relative_accuracy: str | None = None
    relative_emissions: str | None = None
    size_mb: str | None = None
    latency_ms: str | None = None

    def bounds(self) -> dict[str, Interval]:
        """The targets that are set."""
        given = {name: getattr(self, name) for name in names(self) if name in AS_BOUND}
        return {name: Interval.parse(text) for name, text in given.items() if text is not None}


@frozen
class Aims(Targets):
    """What a recipe is made for. requests: that the model will answer, against which its making is weighed."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    requests: Rows | None = None


@frozen
class Gates(Targets):
    """What the measured model has to show. Four bounds are for gates only, the first two from below.

    kept_beyond_chance: the share kept of what the baseline has beyond always giving the best single answer.
    worst_class_recall: the recall of the class that the model knows worst; no share of the baseline's.
    grams_per_1000: CO2e of answering 1,000 requests, in g. grams_to_make: CO2e of all steps but the fine-tuning, in g.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    kept_beyond_chance: str | None = None
    worst_class_recall: str | None = None
    grams_per_1000: str | None = None
    grams_to_make: str | None = None


@frozen
class StatedWaiver:
    """A waiver as people write it: the rule, why it may be broken, who is responsible, and its last day.

    where: a JSON pointer into the recipe (`/steps/*/layer_removal`), a glob of files, or both (`t5-*.yaml#/steps/1`).
    approver, ticket: a project may demand them.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    rule: Annotated[str, Bound(min_length=1)]
    reason: Annotated[str, Bound(min_length=1)]
    owner: Annotated[str, Bound(min_length=1)]
    until: str
    where: Annotated[str, Bound(min_length=1)] | None = None
    approver: Annotated[str, Bound(min_length=1)] | None = None
    ticket: Annotated[str, Bound(min_length=1)] | None = None


@frozen
class PolicyStamp:
    """The policy that made a recipe: enough to find it again."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    name: str
    version: str
    sha256: str


@frozen
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


@frozen
class Recipe:
    """A whole recipe. It holds each kind of step at most once.

    meta: what a company wants to know of every recipe, such as its owner; a rule pack declares the keys.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    version: Literal[1]
    name: Annotated[str, Bound(min_length=1)]
    model: ModelSource
    device: Device
    steps: Annotated[Steps, Bound(min_length=1)]
    data: DataSource = DataSource()
    goal: Aims = Aims()
    gates: Gates | None = None
    training: Training = Training()
    policy: PolicyStamp | None = None
    waivers: tuple[StatedWaiver, ...] = ()
    history: OwnRuns | None = None
    hardware: Hardware = Hardware()
    meta: Mapping[str, str | int | float | bool] = made(default_factory=dict)

    def step(self, name: str) -> Step | None:
        """The step of this name, or None."""
        return next((step for step in self.steps if step.name == name), None)

    @property
    def student(self) -> str | None:
        """The source of the given student that distillation names."""
        found: str | None = getattr(self.step("distillation"), "student", None)
        return found

    @property
    def step_names(self) -> tuple[str, ...]:
        return tuple([step.name for step in self.steps])  # a list is twice as fast here, and it is asked often

    def gate_bounds(self) -> dict[str, Interval]:
        """The bounds that a run has to meet: the gates, by default the goal."""
        return (self.gates or self.goal).bounds()


# Which side of each target is bounded.
AS_BOUND = {"relative_accuracy": ">=", "relative_emissions": "<=", "size_mb": "<=", "latency_ms": "<="}
AS_BOUND |= {"kept_beyond_chance": ">=", "worst_class_recall": ">=", "grams_per_1000": "<=", "grams_to_make": "<="}
SHARES = ("relative_accuracy", "kept_beyond_chance", "worst_class_recall")  # bounds of at most 1, measured on rows


def to_goal(aims: Aims) -> Goal:
    """The goal as numbers; what is not set keeps the default."""
    bounds = aims.bounds()
    ends = {name: float((bound.low if AS_BOUND[name] == ">=" else bound.high) or 0) for name, bound in bounds.items()}
    return Goal(**ends, requests=aims.requests)


def to_aims(goal: Goal) -> Aims:
    """The goal as a recipe writes it."""
    given = goal._asdict()
    bounds = {
        name: f"{AS_BOUND[name]} {show(value).replace(',', '')}"
        for name, value in given.items()
        if value is not None and name in AS_BOUND
    }
    return Aims(**bounds, requests=goal.requests)


def _given(part: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not None."""
    values = {name: getattr(part, name) for name in names(part)}
    return {name: list(one) if isinstance(one, tuple) else one for name, one in values.items() if one is not None}


def as_dict(recipe: Recipe, whole: bool = False) -> dict[str, Any]:
    """The recipe as plain values for JSON and YAML.

    Args:
        whole: state the settings of training that are as usual, too. Unless they are stated, `advise run` lets the
            length of texts follow the data.
    """
    parts: dict[str, Any] = {"version": recipe.version, "name": recipe.name, "model": _given(recipe.model)}
    parts |= {"meta": dict(recipe.meta), "data": _given(recipe.data), "device": recipe.device}
    parts |= {"hardware": _given(recipe.hardware), "goal": _given(recipe.goal)}
    parts["steps"] = [{step.name: _given(step)} for step in recipe.steps]
    parts |= {"gates": _given(recipe.gates)} if recipe.gates else {}
    usual = {} if whole else _given(Training())
    parts["training"] = {name: one for name, one in _given(recipe.training).items() if one != usual.get(name)}
    parts |= {"policy": _given(recipe.policy)} if recipe.policy else {}
    parts |= {"waivers": [_given(waiver) for waiver in recipe.waivers]} if recipe.waivers else {}
    parts |= {"history": _given(recipe.history)} if recipe.history else {}
    return {name: value for name, value in parts.items() if value != {}}


def as_yaml(recipe: Recipe, reasons: Mapping[str, str] | None = None, whole: bool = False) -> str:
    """The recipe as YAML, one line for each part, with the reason behind it as a comment.

    Args:
        reasons: comment by part or step name; a comment may not hold line breaks. whole: as of `as_dict`.
    """
    lines = []
    reasons = reasons or {}
    for name, value in as_dict(recipe, whole).items():
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
