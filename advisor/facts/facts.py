"""The facts that rules decide on, each declared once: type, unit, domain and meaning.

Named tuples and not pydantic models: building one pydantic model costs more start-up time than the
whole of `advise --model t5 --samples 3000 --device cpu` may take (bench/README.md).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

from advisor.facts.tasks import PROBLEM_TYPES, TASKS

Kind = Literal["encoder", "decoder", "encoder-decoder"]
Value = str | int | float | bool | frozenset[str] | None

KINDS = ("encoder", "decoder", "encoder-decoder")
DEVICES = ("cpu", "cuda", "mps", "edge")
INSTRUCTION_SETS = ("avx2", "avx512_vnni", "avx_vnni", "amx", "arm_dotprod")


class Fact(NamedTuple):
    """What one fact is. `domain`: its values, or the lowest and highest number; empty means any word."""

    type: Literal["category", "text", "integer", "number", "flag", "set"]
    about: str
    unit: str = ""
    domain: tuple[Any, ...] = ()


def _size(about: str, unit: str = "") -> Fact:
    return Fact("integer", about, unit, (0, math.inf))


class ModelFacts(NamedTuple):
    """What `config.json` says of a model. None means that it does not say."""

    family: Annotated[str | None, Fact("category", "the config's model_type, or other-encoder, other-decoder …")] = None
    kind: Annotated[Kind | None, Fact("category", "the architecture", domain=KINDS)] = None
    layers: Annotated[int | None, _size("blocks in the deepest stack", "layers")] = None
    encoder_layers: Annotated[int | None, _size("blocks of the encoder", "layers")] = None
    decoder_layers: Annotated[int | None, _size("blocks of the decoder", "layers")] = None
    hidden_size: Annotated[int | None, _size("width of the residual stream")] = None
    heads: Annotated[int | None, _size("attention heads in a block")] = None
    key_value_heads: Annotated[int | None, _size("keys and values that the heads share; else as many as heads")] = None
    head_size: Annotated[int | None, _size("width of one head")] = None
    intermediate_size: Annotated[int | None, _size("width of the feed-forward part")] = None
    vocabulary: Annotated[int | None, _size("rows of the word embeddings", "tokens")] = None
    parameters: Annotated[int | None, _size("parameters with the task's head", "parameters")] = None
    embedding_share: Annotated[
        float | None, Fact("number", "share of the parameters in the word embeddings", domain=(0, 1))
    ] = None
    fused_projections: Annotated[bool | None, Fact("flag", "query, key and value share one matrix")] = None
    tied_embeddings: Annotated[bool | None, Fact("flag", "input and output embeddings are one matrix")] = None
    shared_layers: Annotated[bool | None, Fact("flag", "one block is used for all layers")] = None
    sliding_window: Annotated[bool | None, Fact("flag", "some layers attend to a window of the text only")] = None
    generative: Annotated[bool | None, Fact("flag", "it was pre-trained to generate text")] = None
    source: Annotated[str | None, Fact("text", "the Hub id or the folder")] = None
    revision: Annotated[str | None, Fact("text", "the commit or tag on the Hub")] = None
    licence: Annotated[str | None, Fact("text", "as its model card says, apache-2.0 for example")] = None


class DataFacts(NamedTuple):
    """What is known of the data. None means that nobody said."""

    samples: Annotated[
        int | None, Fact("integer", "labelled training examples", unit="examples", domain=(1, math.inf))
    ] = None
    eval_samples: Annotated[int | None, _size("labelled examples for the report", "examples")] = None
    unlabelled_samples: Annotated[
        int | None, Fact("integer", "task-like texts without labels", unit="examples", domain=(0, math.inf))
    ] = 0
    distillation_texts: Annotated[int | None, _size("derived: samples + unlabelled_samples", "examples")] = None
    task: Annotated[str | None, Fact("category", "the Hub's pipeline tag of what it does", domain=tuple(TASKS))] = None
    labels: Annotated[int | None, Fact("integer", "classes", unit="classes", domain=(1, math.inf))] = None
    mean_tokens: Annotated[float | None, Fact("number", "mean length", unit="tokens", domain=(0, math.inf))] = None
    source: Annotated[str | None, Fact("text", "the Hub id or the file")] = None
    problem_type: Annotated[
        str | None, Fact("category", "what the labels of text-classification are", domain=tuple(PROBLEM_TYPES))
    ] = None


class DeviceFacts(NamedTuple):
    """Where the model will serve. `cpu` and `edge` state that no GPU can be used there."""

    kind: Annotated[str | None, Fact("category", "the kind of device", domain=DEVICES)] = None
    instruction_sets: Annotated[
        frozenset[str] | None, Fact("set", "what the CPU offers for int8", domain=INSTRUCTION_SETS)
    ] = None
    compute_capability: Annotated[float | None, Fact("number", "of an NVIDIA GPU", domain=(0, math.inf))] = None
    memory_gb: Annotated[float | None, Fact("number", "memory of the device", unit="GB", domain=(0, math.inf))] = None


class Goal(NamedTuple):
    """What the user wants, relative to the fine-tuned baseline (=1). None means no such goal."""

    relative_accuracy: Annotated[
        float, Fact("number", "at least this share of the baseline's accuracy", domain=(0.01, 1))
    ] = 0.95
    relative_emissions: Annotated[
        float | None, Fact("number", "at most this share of its emissions", domain=(1e-9, math.inf))
    ] = None
    size_mb: Annotated[
        float | None, Fact("number", "at most this size on disk", unit="MB", domain=(1e-9, math.inf))
    ] = None
    latency_ms: Annotated[float | None, Fact("number", "at most this latency", unit="ms", domain=(1e-9, math.inf))] = (
        None
    )
    requests: Annotated[int | None, Fact("integer", "requests to answer", "requests", (1, math.inf))] = None


class Facts(NamedTuple):
    """All that the policy decides on."""

    model: ModelFacts
    data: DataFacts
    device: DeviceFacts
    goal: Goal
    meta: tuple[tuple[str, Value], ...] = ()  # keys and values that a company declares, see the manifest of its pack

    def values(self) -> dict[str, Value]:
        """Every fact by its full name, for example `data.samples`; None where it is unknown.

        A goal that was not set is no unknown: its bound is infinite.
        """
        found: dict[str, Value] = {}
        for group in ("model", "data", "device", "goal"):
            found |= {f"{group}.{name}": value for name, value in getattr(self, group)._asdict().items()}
        found |= {f"meta.{name}": value for name, value in self.meta}
        samples, unlabelled = self.data.samples, self.data.unlabelled_samples
        known = samples is not None and unlabelled is not None
        found["data.distillation_texts"] = (samples or 0) + (unlabelled or 0) if known else None
        for name in ("relative_emissions", "size_mb", "latency_ms"):
            found[f"goal.{name}"] = math.inf if found[f"goal.{name}"] is None else found[f"goal.{name}"]
        return found


@cache
def declared() -> dict[str, Fact]:
    """Every fact's declaration by its full name."""
    groups = (("model", ModelFacts), ("data", DataFacts), ("device", DeviceFacts), ("goal", Goal))
    return {
        f"{group}.{name}": hint.__metadata__[0]
        for group, holder in groups
        for name, hint in get_type_hints(holder, include_extras=True).items()
    }
