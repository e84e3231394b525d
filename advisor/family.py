"""Family: where one kind of model keeps its sizes in `config.json`, and the shape of every weight.

One table of tensors serves three ends: the exact parameter count from the config alone, the slicing of
weights when a model is made smaller, and the proof that a resized model has the predicted shapes.
A name may hold the number of a block as `{encoder}` or `{decoder}`; axes are written in the tensor's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from advisor.errors import AdviseError, Fault
from advisor.facts import Kind, ModelFacts

Config = Mapping[str, Any]
Tensors = dict[str, str]
LARGEST = 10_000_000  # above this no size of any published model: a config that says so is broken


class Stack(NamedTuple):
    """A row of blocks of equal shape. `key`: where the config keeps their number."""

    name: str
    key: str


class Shape(NamedTuple):
    """The sizes that compression may change. `layers`: blocks by stack."""

    layers: Mapping[str, int]
    hidden_size: int
    heads: int
    head_size: int
    intermediate_size: int

    @property
    def attention(self) -> int:
        """Width of all heads together."""
        return self.heads * self.head_size

    @property
    def depth(self) -> int:
        return max(self.layers.values())


@dataclass(frozen=True, slots=True)
class Family:
    """A page of names for one `model_type` of transformers.

    head_size: the config's key where it is free; empty where heads x head size = hidden size.
    heads_alike: all blocks of a stack must keep the same heads. also_hidden: further keys that hold the hidden size.
    predicted_as: the group of ranges in `predict`; judged_as: another group by whose ranges a level is chosen.
    """

    model_type: str
    kind: Kind
    title: str
    checkpoint: str
    config: Config = field(repr=False)
    stacks: tuple[Stack, ...]
    hidden_size: str
    heads: str
    intermediate_size: str
    vocabulary: str
    tensors: Callable[[Config], Tensors] = field(repr=False)
    axes: Callable[[Config], Mapping[str, int]] = field(repr=False)
    head_size: str = ""
    tied: tuple[str, ...] = ()
    fused_projections: bool = False
    tied_embeddings: bool = True
    generative: bool = False
    heads_alike: bool = False
    predicted_as: str = ""
    judged_as: str = ""
    also_hidden: tuple[str, ...] = ()

    @property
    def hidden_follows_heads(self) -> bool:
        """True where the config can only say heads x head size = hidden size."""
        return not self.head_size

    def shape(self, config: Config, file: str = "config.json") -> Shape:
        """The sizes in a config.

        Raises:
            AdviseError: every size that is missing or makes no sense.
        """
        self._refuse_nonsense(config, file)
        heads, hidden = config[self.heads], config[self.hidden_size]
        return Shape(
            layers={stack.name: self._layers(config, stack) for stack in self.stacks},
            hidden_size=hidden,
            heads=heads,
            head_size=config[self.head_size] if self.head_size else hidden // heads,
            intermediate_size=config.get(self.intermediate_size) or 4 * hidden,
        )

    def _layers(self, config: Config, stack: Stack) -> int:
        # T5 before v1.1 says num_layers only: the decoder is as deep as the encoder.
        return int(config.get(stack.key) or config[self.stacks[0].key])

    def _refuse_nonsense(self, config: Config, file: str) -> None:
        optional = {self.intermediate_size, *(stack.key for stack in self.stacks[1:])}
        needed = [self.stacks[0].key, self.hidden_size, self.heads, self.vocabulary]
        needed += [self.head_size] if self.head_size else []
        faults = []
        for key in dict.fromkeys([*needed, *optional]):
            value = config.get(key)
            if value is None and key in optional:
                continue
            if value is None:
                faults.append(Fault(f"{key} is missing: a {self.model_type} config needs it", file))
            elif isinstance(value, bool) or not isinstance(value, int) or not 0 < value < LARGEST:
                faults.append(Fault(f"{key}: expected a whole number above 0, got {value!r}", file))
        if not faults and self.hidden_follows_heads and config[self.hidden_size] % config[self.heads]:
            size, heads = config[self.hidden_size], config[self.heads]
            faults.append(Fault(f"{self.hidden_size} {size} cannot be divided by {self.heads} {heads}", file))
        if faults:
            raise AdviseError(*faults)

    def resized(self, config: Config, shape: Shape) -> dict[str, Any]:
        """The config of the same model with another shape.

        Raises:
            ValueError: it would be a model of other tensors.
        """
        was = config[self.hidden_size]
        for key in self.also_hidden:
            if config.get(key) not in (None, was) and config[key] == shape.hidden_size:
                raise ValueError(
                    f"{self.hidden_size} {shape.hidden_size} equals {key}, so {self.title} would lose the projections "
                    "between them: choose another hidden_size, or other increments to pass it by"
                )
        changed = {stack.key: shape.layers[stack.name] for stack in self.stacks}
        changed |= {self.hidden_size: shape.hidden_size, self.heads: shape.heads}
        changed |= {self.intermediate_size: shape.intermediate_size}
        changed |= {key: shape.hidden_size for key in self.also_hidden if config.get(key) == was}
        return {**config, **changed}

    @property
    def size_keys(self) -> tuple[str, ...]:
        """The keys of the config that compression may change."""
        stacks = (stack.key for stack in self.stacks)
        return (*stacks, self.hidden_size, self.heads, self.intermediate_size, *self.also_hidden)

    def tensor_names(self, config: Config) -> dict[str, tuple[str, str, int]]:
        """Every tensor by its full name: its axes, and the stack and block it stands in ('' and 0 outside)."""
        layers = self.shape(config).layers
        found: dict[str, tuple[str, str, int]] = {}
        for pattern, axes in self.tensors(config).items():
            stack = next((name for name in layers if f"{{{name}}}" in pattern), "")
            for block in range(layers[stack]) if stack else (0,):
                found[pattern.replace(f"{{{stack}}}", str(block))] = (axes, stack, block)
        return found

    def sizes(self, config: Config, labels: int) -> dict[str, int]:
        """The length of every axis that the table of tensors names."""
        shape = self.shape(config)
        return {
            "hidden": shape.hidden_size,
            "attention": shape.attention,
            "3attention": 3 * shape.attention,
            "cross": shape.attention,
            "heads": shape.heads,
            "intermediate": shape.intermediate_size,
            "vocabulary": config[self.vocabulary],
            "labels": labels,
            **self.axes(config),
        }

    def parameters(self, config: Config, labels: int = 2) -> int:
        """The exact number of parameters of the task model, each tied weight counted once."""
        sizes, layers = self.sizes(config, labels), self.shape(config).layers
        total = 0
        for name, axes in self.tensors(config).items():
            count = 1
            for axis in axes.split():
                count *= sizes[axis]
            copies = [depth for stack, depth in layers.items() if f"{{{stack}}}" in name]
            total += count * (copies[0] if copies else 1)
        return total

    def matrices(self, config: Config) -> int:
        """How many weight matrices the blocks hold: what quantization has to reach."""
        layers = self.shape(config).layers
        found = {name: axes for name, axes in self.tensors(config).items() if len(axes.split()) == 2}
        return sum(depth for name in found for stack, depth in layers.items() if f"{{{stack}}}" in name)

    def facts(self, config: Config, labels: int = 2, file: str = "config.json") -> ModelFacts:
        """What the config says, as facts."""
        shape = self.shape(config, file)
        total = self.parameters(config, labels)
        return ModelFacts(
            family=self.model_type,
            kind=self.kind,
            layers=shape.depth,
            encoder_layers=shape.layers.get("encoder", 0),
            decoder_layers=shape.layers.get("decoder", 0),
            hidden_size=shape.hidden_size,
            heads=shape.heads,
            head_size=shape.head_size,
            intermediate_size=shape.intermediate_size,
            vocabulary=config[self.vocabulary],
            parameters=total,
            embedding_share=config[self.vocabulary] * shape.hidden_size / total,
            fused_projections=self.fused_projections,
            tied_embeddings=self.tied_embeddings,
            shared_layers=False,
            generative=self.generative,
        )


def narrowed(shape: Shape, *, hidden_size: int, heads: int, intermediate_size: int) -> Shape:
    """The same depth and head size at another width."""
    return shape._replace(hidden_size=hidden_size, heads=heads, intermediate_size=intermediate_size)


def linear(name: str, out: str, into: str, bias: bool = True) -> Tensors:
    """The tensors of a torch Linear: weight (out, into), bias (out)."""
    return {f"{name}.weight": f"{out} {into}"} | ({f"{name}.bias": out} if bias else {})


def conv1d(name: str, into: str, out: str) -> Tensors:
    """The tensors of GPT-2's Conv1D, which stores its weight the other way round: (into, out)."""
    return {f"{name}.weight": f"{into} {out}", f"{name}.bias": out}


def norm(name: str, bias: bool = True) -> Tensors:
    """The tensors of a normalisation over the hidden size."""
    return {f"{name}.weight": "hidden"} | ({f"{name}.bias": "hidden"} if bias else {})
