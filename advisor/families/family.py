"""Family: one `model_type` of transformers: the sizes of any config of it, and those of smaller models.

What its tensors are comes from its description, which is generated; what nobody can infer stands in its notes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from advisor.base.errors import AdviseError
from advisor.base.frozen import frozen, made, replace
from advisor.facts.facts import Kind, ModelFacts
from advisor.facts.tasks import PERCEIVED, TASKS
from advisor.families import counts, smaller_config
from advisor.families.config_checks import refuse_nonsense
from advisor.families.described.description import Description
from advisor.families.described.structure import Row, Structure, removable
from advisor.families.notes import Notes
from advisor.families.shape import Shape, Stack

T = TypeVar("T")
Config = Mapping[str, Any]
Blocks = Mapping[str, Sequence[int]]  # the numbers of the blocks that stay, by stack
MOST_REMEMBERED = 4096
LABELLED, WRITTEN = counts.LABELLED, counts.WRITTEN
OUTPUT = "lm_head.weight"


@frozen
class Family:
    """What the configs of one `model_type` mean. head: the Hub's name of the task; "" for text classification."""

    described: Description
    notes: Notes
    head: str = ""
    _memo: dict[Any, Any] = made(default_factory=dict, init=False)

    def __repr__(self) -> str:
        return f"Family({self.model_type!r})"

    @property
    def model_type(self) -> str:
        return self.described.model_type

    @property
    def title(self) -> str:
        return self.notes.title

    @property
    def checkpoint(self) -> str:
        """The Hub id of a base checkpoint, empty where none is known."""
        return self.notes.checkpoint

    @property
    def config(self) -> Config:
        """The config of the base checkpoint."""
        return self.notes.config

    @property
    def kind(self) -> Kind:
        if {"encoder", "decoder"} <= self.described.stacks.keys():
            return "encoder-decoder"
        return "decoder" if "decoder" in self.described.stacks else "encoder"

    @property
    def generative(self) -> bool:
        return self.kind != "encoder"

    @property
    def shared_layers(self) -> bool:
        """Whether all layers run the same block, so that removing some saves time and no parameter."""
        return bool(self.described.shared)

    @property
    def stacks(self) -> tuple[Stack, ...]:
        own = self._once("stacks", {}, lambda: self.described.stacks_of(self.task))
        found = (Stack(name, size.key) for name, size in self.described.stacks.items() if name in own)
        return tuple(stack for stack in found if stack.name != stack.key)  # the others count blocks within a layer

    @property
    def text_to_text(self) -> bool:
        """Whether it classifies by the word that it writes."""
        return self.notes.text_to_text

    @property
    def task(self) -> str:
        """The Hub's name of the task whose class is meant where none is named."""
        wanted = self.head or (WRITTEN if self.text_to_text else LABELLED)
        return wanted if wanted in self.described.tasks else next(iter(self.described.tasks))

    def for_task(self, task: str) -> Family:
        """The same family with the head of another task. task: the Hub's name, as descriptions have it."""
        if ("head", task) not in self._memo:
            self._memo["head", task] = replace(self, head=task)
        found: Family = self._memo["head", task]
        return found

    @property
    def executable(self) -> bool:
        """Whether `advise run` takes it."""
        if self.head == WRITTEN:
            return self.task == WRITTEN
        if self.head:
            known = self.head not in PERCEIVED or bool(self.notes.positions)
            return self.task == self.head and self.kind in TASKS[self.head].kinds and known
        return self.text_to_text or self.task == LABELLED

    @property
    def hidden_size(self) -> str:
        """The config's key of the hidden size; as well for the other sizes: empty where it has none."""
        return self._key("hidden")

    @property
    def heads(self) -> str:
        return self._key("heads")

    @property
    def intermediate_size(self) -> str:
        return self._key("ffn")

    @property
    def vocabulary(self) -> str:
        return self._key("vocab")

    def _key(self, name: str) -> str:
        size = self.described.sizes.get(name)
        return size.key if size else ""

    @property
    def hidden_follows_heads(self) -> bool:
        """Whether the config can only say heads x head size = hidden size."""
        return "hidden" not in self.described.cuts["possible"]

    @property
    def narrows(self) -> bool:
        """Whether its configs can express another hidden size."""
        return bool({"hidden", "hidden+heads"} & {*self.described.cuts["possible"]})

    @property
    def loses_heads(self) -> bool:
        """Whether its configs can express fewer heads."""
        return "heads" in self.described.cuts["possible"] or "hidden+heads" in self.described.cuts["possible"]

    @property
    def hidden_in_heads(self) -> bool:
        """Whether its class wants the hidden size to be a multiple of the heads, whatever their size."""
        return bool(self.described.cuts["multiples"].get("hidden") == "heads")

    @property
    def predicted_as(self) -> str:
        """The group of ranges in `predict`, empty where there is no evidence."""
        return self.notes.predicted_as

    @property
    def judged_as(self) -> str:
        """Another group by whose ranges a level is chosen."""
        return self.notes.judged_as

    @property
    def int8_as(self) -> str:
        """Another group for int8."""
        return self.notes.int8_as

    def precision(self, wanted: str) -> str:
        """The precision that training computes in, where a recipe wants this one."""
        return "fp32" if self.notes.fp32_only else wanted

    def shape(self, config: Config, file: str = "config.json") -> Shape:
        """The sizes in a config.

        Raises:
            AdviseError: every size that is missing or makes no sense.
        """
        return self._once(("shape", file), config, lambda: self._shape(config, file))

    def _once(self, what: Any, config: Config, compute: Callable[[], T]) -> T:
        """What a config says, computed once for equal configs: thousands of recipes start from the same few."""
        key: Any = (what, *config.items())
        try:
            hash(key)
        except TypeError:  # a list in the config has no hash
            key = (what, repr(config))
        if key not in self._memo:
            if len(self._memo) >= MOST_REMEMBERED:
                self._memo.clear()
            self._memo[key] = compute()
        found: T = self._memo[key]
        return found

    def refuse_nonsense(self, config: Config, file: str = "config.json") -> None:
        """Raise an AdviseError for every size of a config that is missing or makes no sense."""
        refuse_nonsense(self.described, self.notes.least, config, file)

    def _shape(self, config: Config, file: str) -> Shape:
        self.refuse_nonsense(config, file)
        structure = self.structure(config)
        return Shape(
            layers={stack.name: structure.stacks[stack.name].depth for stack in self.stacks},
            hidden_size=structure.sizes["hidden"],
            heads=structure.sizes["heads"],
            head_size=structure.sizes["head"],
            intermediate_size=structure.sizes["ffn"],
            together=structure.sizes["heads"] // structure.sizes.get("kv", structure.sizes["heads"]),
        )

    def structure(self, config: Config, labels: int = 2, task: str = "") -> Structure:
        """The tensors of the task's model. task: the Hub's name of one; errors as in `Description.structure`."""
        task = task or self.task
        return self._once((task, labels), config, lambda: self._structure(config, task, labels))

    def _structure(self, config: Config, task: str, labels: int) -> Structure:
        found = self.described.structure(config, task, labels)
        # Its config says so, until transformers saves it: then by the other key.
        says = False in (config.get("tie_word_embeddings"), config.get("scale_decoder_outputs"))
        own = says and "tie_word_embeddings" not in self.described.flags
        if task != WRITTEN or not own:
            return found
        # T5's class ties its output embeddings always; a checkpoint of T5 1.1 brings its own, and they stay its own.
        return replace(found, rows={**found.rows, OUTPUT: Row(("vocab", "hidden"))})

    def keeping(self, config: Config, blocks: Blocks) -> dict[str, Any]:
        """The config of the same model with these blocks only.

        Raises:
            ValueError: they cannot be removed, or the config does not say what each of its blocks is.
        """
        try:
            return smaller_config.with_blocks(self.described, config, self.structure(config), blocks)
        except AdviseError as error:
            raise ValueError(error.faults[0].message) from None

    def resized(self, config: Config, shape: Shape) -> dict[str, Any]:
        """The config of the same model with another shape; of its blocks the first stay.

        Raises:
            ValueError: it would be a model of other tensors, or its config cannot express it.
        """
        sizes = {"hidden": shape.hidden_size, "heads": shape.heads, "ffn": shape.intermediate_size}
        after = smaller_config.with_sizes(self.described, config, self.structure(config), sizes)
        return self.keeping(after, {stack: range(depth) for stack, depth in shape.layers.items()})

    def cuts(self, before: Config, after: Config) -> list[str]:
        """The names of the cuts that lead from one config to the other, as descriptions have them: `layers.encoder`."""
        was, now = self.structure(before), self.structure(after)
        stacks = [f"layers.{name}" for name, stack in was.stacks.items() if now.stacks[name].depth < stack.depth]
        # Whisper's encoder alone has no tensors of the decoder's sizes.
        sizes = {unit: size for unit, size in was.sizes.items() if removable(unit) and was.rows_of(unit)}
        return stacks + [unit for unit, size in sizes.items() if now.sizes[unit] < size]

    def parameters(self, config: Config, labels: int = 2, task: str = "") -> int:
        """The exact number of parameters of the task's model, each tied weight counted once."""
        return self._once(
            ("parameters", labels, task), config, lambda: self.structure(config, labels, task).parameters()
        )

    def compute(self, config: Config) -> int:
        """Multiplications for one token in the weight matrices of all blocks, a shared block once for each layer.

        Embeddings and head are left out (section 6 of the evidence register), and so are the products of attention
        itself, which grow with the text.
        """
        return self._once("compute", config, lambda: counts.multiplications(self.structure(config)))

    def longest(self, config: Config) -> int | None:
        """The most tokens of one text, for a model that learned a vector for each position; None for all others."""
        structure = self.structure(config)
        if not self.vocabulary or not counts.learns_positions(structure):
            return None
        return structure.sizes["positions"] - self.notes.spare_positions

    def embeddings(self, config: Config) -> int:
        """Parameters of the word embeddings alone; 0 for a model without words."""
        return next(iter(counts.vocabularies(self.structure(config))), 0)

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
            key_value_heads=shape.heads // shape.together,
            head_size=shape.head_size,
            intermediate_size=shape.intermediate_size,
            vocabulary=self.structure(config).sizes.get("vocab", 0),
            parameters=total,
            embedding_share=self.embeddings(config) / total,
            fused_projections=counts.is_fused(self.structure(config)),
            tied_embeddings=counts.ties(self.described.tasks, lambda task: self.structure(config, task=task)),
            shared_layers=self.shared_layers,
            sliding_window=counts.slides(config, self.described.lists),
            generative=self.generative,
        )
