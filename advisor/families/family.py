"""Family: where one kind of model keeps its sizes in `config.json`, and the shape of every weight.

One table of tensors serves three ends: the exact parameter count from the config alone, the slicing of
weights when a model is made smaller, and the proof that a resized model has the predicted shapes.
A name may hold the number of a block as `{encoder}` or `{decoder}`, or as `{encoder:1}` where block 0 has no such
tensor; axes are written in the tensor's order. What several families have in common is in `tensors`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple, TypeVar

from advisor.base.frozen import frozen, made
from advisor.facts.facts import Kind, ModelFacts
from advisor.families.config_checks import refuse_nonsense
from advisor.families.shape import Shape

T = TypeVar("T")
Config = Mapping[str, Any]
Tensors = dict[str, str]
MOST_REMEMBERED = 4096
Blocks = Mapping[str, Sequence[int]]  # the numbers of the blocks that stay, by stack


class Stack(NamedTuple):
    """A row of blocks of equal shape. `key`: where the config keeps their number."""

    name: str
    key: str


@frozen
class Family:
    """A page of names for one `model_type` of transformers. Sizes have the names that most models give them.

    vocabulary: empty for a model without words. head_size: the config's key where it is free; empty where heads x
    head size = hidden size. usual_head_size: where that key may be missing; 0 for hidden size / heads. grouped: the
    key for the number of key-value heads. further: other numbers that the table needs, with the least they may be.
    heads_alike: all blocks of a stack must keep the same heads. also_hidden: further keys that hold the hidden size.
    also_by_block: keys that `follows` sets, block by block. fp32_only: its stock class overflows in bf16.
    spare_positions: rows of the table of positions that no token of a text takes. may_lack: beginnings of the names of
    tensors that a checkpoint may be without, beside the head for the labels. activation: the key of its name; gated:
    what may stand before the name.
    read: brings sizes to the top of a config of parts. follows: what else changes in a config (before, after, blocks).
    narrows: a step can narrow it. executable: `advise run` takes it.
    predicted_as: the group of ranges in `predict`; judged_as: another group by whose ranges a level is chosen;
    int8_as: another group for int8.
    """

    model_type: str
    kind: Kind
    title: str
    checkpoint: str
    config: Config
    stacks: tuple[Stack, ...]
    tensors: Callable[[Config], Tensors]
    axes: Callable[[Config], Mapping[str, int]]
    hidden_size: str = "hidden_size"
    heads: str = "num_attention_heads"
    intermediate_size: str = "intermediate_size"
    vocabulary: str = "vocab_size"
    head_size: str = ""
    usual_head_size: int | None = None
    grouped: str = ""
    further: Mapping[str, int] = made(default_factory=dict)
    tied: tuple[str, ...] = ()
    fused_projections: bool = False
    tied_embeddings: bool = True
    shared_layers: bool = False
    shared_block: str = ""
    generative: bool = False
    heads_alike: bool = False
    narrows: bool = True
    executable: bool = True
    predicted_as: str = ""
    judged_as: str = ""
    int8_as: str = ""
    also_hidden: tuple[str, ...] = ()
    also_by_block: tuple[str, ...] = ()
    fp32_only: bool = False
    spare_positions: int = 0
    may_lack: tuple[str, ...] = ()
    activation: str = "hidden_act"
    gated: str = ""
    read: Callable[[Config], Config] = lambda config: config
    follows: Callable[[Config, Config, Blocks], Mapping[str, Any]] = lambda *_: {}
    _memo: dict[Any, Any] = made(default_factory=dict, init=False)

    def __repr__(self) -> str:
        return f"Family({self.model_type!r})"  # its table of tensors says nothing to people

    @property
    def hidden_follows_heads(self) -> bool:
        """True where the config can only say heads x head size = hidden size."""
        return not self.head_size

    def shape(self, config: Config, file: str = "config.json") -> Shape:
        """The sizes in a config.

        Raises:
            AdviseError: every size that is missing or makes no sense.
        """
        return self._once(("shape", file), config, lambda: self._shape(self.read(config), file))

    def _once(self, what: Any, config: Config, compute: Callable[[], T]) -> T:
        """What a config says, computed once for equal configs: thousands of recipes start from the same few."""
        try:
            key = (what, *config.items())
            if key not in self._memo:
                if len(self._memo) >= MOST_REMEMBERED:
                    self._memo.clear()
                self._memo[key] = compute()
            found: T = self._memo[key]
            return found
        except TypeError:  # a list in the config has no hash
            return compute()

    def _shape(self, config: Config, file: str) -> Shape:
        refuse_nonsense(self, config, file)
        heads, hidden = config[self.heads], config[self.hidden_size]
        return Shape(
            layers={stack.name: self._layers(config, stack) for stack in self.stacks},
            hidden_size=hidden,
            heads=heads,
            head_size=(self.head_size and config.get(self.head_size)) or self.usual_head_size or hidden // heads,
            intermediate_size=config.get(self.intermediate_size) or 4 * hidden,
        )

    def _layers(self, config: Config, stack: Stack) -> int:
        # T5 before v1.1 says num_layers only: the decoder is as deep as the encoder.
        return int(config.get(stack.key) or config[self.stacks[0].key])

    def keeping(self, config: Config, blocks: Blocks, **widths: int) -> dict[str, Any]:
        """The config of the same model with these blocks only. widths: other values for some keys.

        Raises:
            ValueError: the config does not say what each of its blocks is.
        """
        after = {**config, **widths, **{stack.key: len(blocks[stack.name]) for stack in self.stacks}}
        return {**after, **self.follows(config, after, blocks)}

    def resized(self, config: Config, shape: Shape) -> dict[str, Any]:
        """The config of the same model with another shape; of its blocks the first stay.

        Raises:
            ValueError: it would be a model of other tensors, or no step can make it.
        """
        was = self.shape(config)
        if not self.narrows and shape._replace(layers=was.layers) != was:
            raise ValueError(f"no step can narrow {self.title} yet")
        for key in self.also_hidden:
            if config.get(key) not in (None, was.hidden_size) and config[key] == shape.hidden_size:
                raise ValueError(
                    f"{self.hidden_size} {shape.hidden_size} equals {key}, so {self.title} would lose the projections "
                    "between them: choose another hidden_size, or other increments to pass it by"
                )
        changed = {self.hidden_size: shape.hidden_size, self.heads: shape.heads}
        changed |= {self.intermediate_size: shape.intermediate_size}
        changed |= {self.head_size: shape.head_size} if self.head_size else {}
        changed |= {key: shape.hidden_size for key in self.also_hidden if config.get(key) == was.hidden_size}
        return self.keeping(config, {stack: range(depth) for stack, depth in shape.layers.items()}, **changed)

    @property
    def size_keys(self) -> tuple[str, ...]:
        """The keys of the config that compression may change."""
        stacks = (stack.key for stack in self.stacks)
        widths = (self.hidden_size, self.heads, self.intermediate_size, *self.also_hidden)
        return (*stacks, *widths, *self.also_by_block)

    def precision(self, wanted: str) -> str:
        """The precision that training computes in, where a recipe wants this one."""
        return "fp32" if self.fp32_only else wanted

    def tensor_names(self, config: Config) -> dict[str, tuple[str, str, int]]:
        """Every tensor by its full name: its axes, and the stack and block it belongs to ('' and 0 outside)."""
        layers = self.shape(config).layers
        found: dict[str, tuple[str, str, int]] = {}
        for pattern, axes in self._table(config).items():
            stack, mark, blocks = _place(pattern, layers)
            found |= {pattern.replace(mark, str(block)) if stack else pattern: (axes, stack, block) for block in blocks}
        return found

    def _table(self, config: Config) -> Tensors:
        return self.tensors(self.read(config))

    def sizes(self, config: Config, labels: int) -> dict[str, int]:
        """The length of every axis that the table of tensors names."""
        config, shape = self.read(config), self.shape(config)
        return {
            "hidden": shape.hidden_size,
            "attention": shape.attention,
            "3attention": 3 * shape.attention,
            "attention3": 3 * shape.attention,
            "cross": shape.attention,
            "groups": ((self.grouped and config.get(self.grouped)) or shape.heads) * shape.head_size,
            "heads": shape.heads,
            "head": shape.head_size,
            "intermediate": shape.intermediate_size,
            "vocabulary": config.get(self.vocabulary) or 0,
            "labels": labels,
            **self.axes(config),
        }

    def parameters(self, config: Config, labels: int = 2) -> int:
        """The exact number of parameters of the task model, each tied weight counted once."""
        return self._once(("parameters", labels), config, lambda: self._parameters(config, labels))

    def _parameters(self, config: Config, labels: int) -> int:
        sizes, layers = self.sizes(config, labels), self.shape(config).layers
        total = 0
        for name, axes in self._table(config).items():
            count = 1
            for axis in axes.split():
                count *= sizes[axis]
            total += count * len(_place(name, layers)[2])
        return total

    def compute(self, config: Config) -> int:
        """Multiplications for one token in the weight matrices of all blocks, a shared block once for each layer.

        Embeddings and head are left out (section 6 of the evidence register), and so are the products of attention
        itself, which grow with the text.
        """
        return self._once("compute", config, lambda: self._compute(config))

    def _compute(self, config: Config) -> int:
        sizes, shape = self.sizes(config, labels=0), self.shape(config)
        total = 0
        for name, axes in self._table(config).items():
            stack, _, blocks = _place(name, shape.layers)
            shared = self.shared_layers and self.shared_block in name
            times = len(blocks) if stack else shape.depth // (config.get("num_hidden_groups") or 1) if shared else 0
            total += times * prod(sizes[axis] for axis in axes.split()) if len(axes.split()) == 2 else 0
        return total

    def longest(self, config: Config) -> int | None:
        """The most tokens of one text, for a model that learned a vector for each position; None for all others."""
        learned = any("positions" in axes.split() for axes in self._table(config).values())
        return self.sizes(config, labels=0)["positions"] - self.spare_positions if learned and self.vocabulary else None

    def embeddings(self, config: Config) -> int:
        """Parameters of the word embeddings alone; 0 for a model without words."""
        sizes = self.sizes(config, labels=0)
        axes = next((axes for axes in self._table(config).values() if axes.startswith("vocabulary")), "")
        return prod(sizes[axis] for axis in axes.split()) if axes else 0

    def facts(self, config: Config, labels: int = 2, file: str = "config.json") -> ModelFacts:
        """What the config says, as facts."""
        shape = self.shape(config, file)
        total = self.parameters(config, labels)
        encoders = [depth for stack, depth in shape.layers.items() if stack != "decoder"]
        return ModelFacts(
            family=self.model_type,
            kind=self.kind,
            layers=shape.depth,
            encoder_layers=max(encoders, default=0),
            decoder_layers=shape.layers.get("decoder", 0),
            hidden_size=shape.hidden_size,
            heads=shape.heads,
            head_size=shape.head_size,
            intermediate_size=shape.intermediate_size,
            vocabulary=self.read(config).get(self.vocabulary) or 0,
            parameters=total,
            embedding_share=self.embeddings(config) / total,
            fused_projections=self.fused_projections,
            tied_embeddings=self.tied_embeddings and "lm_head.weight" not in self._table(config),
            shared_layers=self.shared_layers,
            generative=self.generative,
        )


def _place(pattern: str, layers: Mapping[str, int]) -> tuple[str, str, range]:
    """The stack that a tensor stands in, the mark for its block in the name, and the blocks; outside: block 0."""
    for stack, depth in layers.items():
        if f"{{{stack}}}" in pattern:
            return stack, f"{{{stack}}}", range(depth)
        if f"{{{stack}:1}}" in pattern:
            return stack, f"{{{stack}:1}}", range(1, depth)
    return "", "", range(1)
