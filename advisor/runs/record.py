"""Record: what the ledger keeps of a finished run, as plain frozen values. A run's id is the hash of its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from advisor.base.constraints import FORBID_EXTRA, Bound
from advisor.base.errors import AdviseError, Fault
from advisor.base.validation import adapter
from advisor.families.registry import OTHERS
from advisor.recipe.levels import level_of_shares
from advisor.recipe.plan import is_given
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.step import Step
from advisor.records.results import GateResult, Measured, Predicted, RunResult, StepResult
from advisor.runs.finished import Finished

Ends = tuple[float, float] | None
Count = Annotated[int, Bound(ge=-(2**63), lt=2**63)]  # what SQLite and Parquet hold as a whole number
Fact = str | int | float | bool | None | Sequence[str]


# A cut of as many multiplications is another thing, so what a given student keeps says nothing of it.
GIVEN = Measured(why_not="of a given student, which is no cut")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One predicted and measured number of a model. interval: of 95 %; predicted: low and high; None: unknown."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    name: str
    value: float | None
    why_not: str
    source: str
    interval: Ends
    predicted: Ends


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A model after one step. level: of the white paper, "" for none, None for a deeper cut than was studied."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    name: str
    words: str
    level: str | None
    int8: bool
    parameters: Count
    predicted_parameters: Count
    size_bytes: Count
    metric: str
    score: float
    seconds: float
    quantities: tuple[Quantity, ...]

    def quantity(self, name: str) -> Quantity | None:
        return next((one for one in self.quantities if one.name == name), None)


@dataclass(frozen=True, slots=True)
class GateRecord:
    """A gate of the run, and whether it held. value: None where it was not measured."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    name: str
    demanded: str
    value: float | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A finished run. finished: ISO 8601, UTC. samples, eval_samples: rows for training and report. facts: by name."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    finished: str
    name: str
    model: str
    family: str
    device: str
    train_on: str
    data: str
    data_sha256: str
    samples: Count | None
    eval_samples: Count
    machine: str
    seconds: float
    passed: bool
    summary: str
    policy: str
    policy_version: str
    policy_sha256: str
    recipe: str
    facts: Mapping[str, Fact]
    versions: Mapping[str, str]
    steps: Annotated[tuple[StepRecord, ...], Bound(min_length=1)]
    gates: tuple[GateRecord, ...]

    @property
    def id(self) -> str:
        return identity(self.content())

    @property
    def last(self) -> StepRecord:
        return self.steps[-1]

    def content(self) -> dict[str, Any]:
        """All fields as JSON can carry them."""
        found: dict[str, Any] = adapter(Record).dump_python(self, warnings=False)  # asdict takes ten times as long
        return found


def identity(content: Mapping[str, Any]) -> str:
    """A run's id: the hash of its content."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON of which there is one form only for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def of(run: Finished) -> Record:
    """The record of a finished run.

    Raises:
        AdviseError: a file of the run holds values of a wrong kind.
    """
    try:
        found = build(_made(run).content())
        assert found.id  # no number of it is NaN or infinite, which JSON cannot carry
    except (TypeError, ValueError) as error:
        what = str(error).replace("\n", ": ")
        raise AdviseError(Fault(f"cannot be recorded: {what}", str(run.folder))) from None
    return found


def _made(run: Finished) -> Record:
    result, facts = run.result, run.facts
    told, stamp = result.provenance, run.recipe.policy
    return Record(
        result.finished,
        result.name,
        result.model,
        _family(result, facts),
        result.device,
        result.train_on,
        str(run.recipe.data.source or told.get("data") or ""),
        str(told.get("data_sha256") or ""),
        facts.get("data.samples"),
        result.eval_samples,
        str(told.get("machine") or ""),
        float(result.seconds),
        result.passed,
        result.summary,
        stamp.name if stamp else "",
        stamp.version if stamp else "",
        stamp.sha256 if stamp else "",
        run.text,
        dict(facts),
        {str(name): str(version) for name, version in dict(told.get("versions") or {}).items()},
        tuple(_step(one, _done(one.name, run.recipe), facts) for one in result.steps),
        tuple(map(_gate, result.gates)),
    )


def _family(result: RunResult, facts: Mapping[str, Any]) -> str:
    """The name by which rules know it; its type where that is known by its kind alone, as Gemma and OLMo are."""
    named = facts.get("model.family")
    return str(result.family.lower() if named in (None, "", *OTHERS.values()) else named)


def _step(result: StepResult, done: Sequence[Step], facts: Mapping[str, Any]) -> StepRecord:
    given = any(map(is_given, done))
    return StepRecord(
        result.name,
        result.words,
        None if given else _level(done, facts),
        any(one.name == "quantization" for one in done),
        result.parameters,
        result.predicted_parameters,
        result.size_bytes,
        result.metric,
        float(result.accuracy),
        float(result.seconds),
        tuple(_quantities(result, result.predicted, given)),
    )


def _quantities(result: StepResult, said: Predicted, given: bool) -> Sequence[Quantity]:
    served = result.served
    return [
        _quantity("relative_accuracy", result.relative_accuracy, said.relative_accuracy),
        _quantity("relative_size", Measured(result.relative_size, source="weights on disk"), said.relative_size),
        _quantity("relative_compute", GIVEN if given else _exact(result.relative_compute)),
        _quantity("relative_time", served.time, said.relative_time),
        _quantity("relative_emissions", served.emissions, said.relative_emissions),
        _quantity("above_constant", result.above_constant),
        _quantity("kept_beyond_chance", result.kept_beyond_chance),
        _quantity("worst_class_recall", result.worst_class_recall),
        _quantity("latency_ms", served.latency_ms),
        _quantity("latency_p95_ms", served.latency_p95_ms),
        _quantity("throughput", served.throughput),
        _quantity("emissions_without_idle", served.emissions_without_idle),
        _quantity("wh_per_1000", served.wh_per_1000),
        _quantity("idle_wh_per_1000", served.idle_wh_per_1000),
        _quantity("g_per_1000", served.g_per_1000),
        _quantity("wh_to_make", result.cost.wh),
        _quantity("g_to_make", result.cost.g_co2),
    ]


def _exact(share: float | None) -> Measured:
    return Measured(share, "" if share is not None else "not known", "exact, of the multiplications in the blocks")


def _quantity(name: str, measured: Measured, predicted: Ends = None) -> Quantity:
    value = None if measured.value is None else float(measured.value)
    return Quantity(name, value, measured.why_not, measured.source, _floats(measured.interval), _floats(predicted))


def _floats(ends: Ends) -> Ends:
    return (float(ends[0]), float(ends[1])) if ends else None


def _gate(gate: GateResult) -> GateRecord:
    value = gate.measured.value
    return GateRecord(gate.name, gate.demanded, None if value is None else float(value), gate.passed)


def _done(step: str, recipe: Recipe) -> Sequence[Step]:
    """The steps of a recipe up to this one."""
    return recipe.steps[: recipe.step_names.index(step) + 1] if step in recipe.step_names else recipe.steps


def _level(done: Sequence[Step], facts: Mapping[str, Any]) -> str | None:
    """The level that the model has after these steps."""
    return level_of_shares(_kept(done, facts), any(one.name == "matrix_pruning" for one in done))


def _kept(done: Sequence[Step], facts: Mapping[str, Any]) -> float | None:
    """The share of the layers that stays in the stack that loses most; None where no layer was removed."""
    removal = next((one for one in done if isinstance(one, LayerRemoval)), None)
    if removal is None:
        return None
    stacks = {"layers": removal.keep, "encoder_layers": removal.encoder_keep, "decoder_layers": removal.decoder_keep}
    shares = [kept / facts[f"model.{stack}"] for stack, kept in stacks.items() if kept and facts.get(f"model.{stack}")]
    return min(shares, default=None)


def build(content: Any) -> Record:
    """A record of its plain content.

    Raises:
        ValueError: pydantic's, which says what is missing, unknown or of the wrong type.
    """
    found: Record = adapter(Record).validate_python(content)
    return found
