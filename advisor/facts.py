"""The facts that rules decide on, each declared once: type, unit, domain and meaning.

Frozen dataclasses and not pydantic models: building one pydantic model costs more start-up time than the
whole of `advise --model t5 --samples 3000 --device cpu` may take (bench/README.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple

Kind = Literal["encoder", "decoder", "encoder-decoder"]
Value = str | int | float | bool | frozenset[str] | None

KINDS = ("encoder", "decoder", "encoder-decoder")
DEVICES = ("cpu", "cuda", "mps", "edge")
TASKS = ("classification", "regression", "generation", "language-modelling")
INSTRUCTION_SETS = ("avx2", "avx512_vnni", "avx_vnni", "amx", "arm_dotprod")


class Fact(NamedTuple):
    """What one fact is. `domain`: its values, or the lowest and highest number; empty means any word."""

    name: str
    type: Literal["category", "integer", "number", "flag", "set"]
    unit: str
    domain: tuple[Any, ...]
    about: str


def _fact(type_: str, about: str, *, unit: str = "", domain: tuple[Any, ...] = (), default: Any = None) -> Any:
    return field(default=default, metadata={"type": type_, "unit": unit, "domain": domain, "about": about})


def _size(about: str, unit: str = "") -> Any:
    return _fact("integer", about, unit=unit, domain=(0, math.inf))


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What `config.json` says of a model. None means that it does not say."""

    family: str | None = _fact("category", "the config's model_type, or other-encoder, other-decoder …")
    kind: Kind | None = _fact("category", "the architecture", domain=KINDS)
    layers: int | None = _size("blocks in the deepest stack", "layers")
    encoder_layers: int | None = _size("blocks of the encoder", "layers")
    decoder_layers: int | None = _size("blocks of the decoder", "layers")
    hidden_size: int | None = _size("width of the residual stream")
    heads: int | None = _size("attention heads in a block")
    head_size: int | None = _size("width of one head")
    intermediate_size: int | None = _size("width of the feed-forward part")
    vocabulary: int | None = _size("rows of the word embeddings", "tokens")
    parameters: int | None = _size("parameters with the task's head", "parameters")
    embedding_share: float | None = _fact("number", "share of the parameters in the word embeddings", domain=(0, 1))
    fused_projections: bool | None = _fact("flag", "query, key and value share one matrix")
    tied_embeddings: bool | None = _fact("flag", "input and output embeddings are one matrix")
    shared_layers: bool | None = _fact("flag", "one block is used for all layers")
    generative: bool | None = _fact("flag", "it was pre-trained to generate text")


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What is known of the data. None means that nobody said."""

    samples: int | None = _fact("integer", "labelled training examples", unit="examples", domain=(1, math.inf))
    eval_samples: int | None = _size("labelled examples for the report", "examples")
    unlabelled_samples: int | None = _fact(
        "integer", "task-like texts without labels", unit="examples", domain=(0, math.inf), default=0
    )
    distillation_texts: int | None = _size("derived: samples + unlabelled_samples", "examples")
    task: str | None = _fact("category", "what the model is to do", domain=TASKS)
    labels: int | None = _size("classes", "classes")
    mean_tokens: float | None = _fact("number", "mean length", unit="tokens", domain=(0, math.inf))


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """Where the model will serve. `cpu` and `edge` state that no GPU can be used there."""

    kind: str | None = _fact("category", "the kind of device", domain=DEVICES)
    instruction_sets: frozenset[str] | None = _fact("set", "what the CPU offers for int8", domain=INSTRUCTION_SETS)
    compute_capability: float | None = _fact("number", "of an NVIDIA GPU", domain=(0, math.inf))
    memory_gb: float | None = _fact("number", "memory of the device", unit="GB", domain=(0, math.inf))


@dataclass(frozen=True, slots=True)
class Goal:
    """What the user wants, relative to the fine-tuned baseline (=1). None means no such goal."""

    relative_accuracy: float = _fact(
        "number", "at least this share of the baseline's accuracy", domain=(0, 1), default=0.95
    )
    relative_emissions: float | None = _fact("number", "at most this share of its emissions", domain=(0, math.inf))
    size_mb: float | None = _fact("number", "at most this size on disk", unit="MB", domain=(0, math.inf))
    latency_ms: float | None = _fact("number", "at most this latency", unit="ms", domain=(0, math.inf))


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the policy decides on."""

    model: ModelFacts
    data: DataFacts
    device: DeviceFacts
    goal: Goal

    def values(self) -> dict[str, Value]:
        """Every fact by its full name, for example `data.samples`; None where it is unknown.

        A goal that was not set is no unknown: its bound is infinite.
        """
        found: dict[str, Value] = {}
        for group in fields(self):
            part = getattr(self, group.name)
            found |= {f"{group.name}.{item.name}": getattr(part, item.name) for item in fields(part)}
        samples, unlabelled = self.data.samples, self.data.unlabelled_samples
        known = samples is not None and unlabelled is not None
        found["data.distillation_texts"] = (samples or 0) + (unlabelled or 0) if known else None
        for name in ("relative_emissions", "size_mb", "latency_ms"):
            found[f"goal.{name}"] = math.inf if found[f"goal.{name}"] is None else found[f"goal.{name}"]
        return found


def declared() -> dict[str, Fact]:
    """Every fact's declaration by its full name."""
    groups = (("model", ModelFacts), ("data", DataFacts), ("device", DeviceFacts), ("goal", Goal))
    return {
        f"{group}.{item.name}": Fact(f"{group}.{item.name}", **item.metadata)
        for group, holder in groups
        for item in fields(holder)
    }
