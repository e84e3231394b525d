"""Matrix pruning (structured pruning of linear layers): rows and columns are really removed, a few at a time.

Between the increments the student is distilled, as the white paper prunes "while fine-tuning" (section 5.1);
importance on task data decides what is removed. Only shapes that `config.json` can express. The loss is that of
`distillation`; of the teacher's hidden states the channels count that the student still has, so that no projection
between two widths has to be learned.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from fractions import Fraction
from itertools import pairwise
from math import gcd
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from advisor.base.constraints import Bound
from advisor.base.frozen import frozen
from advisor.base.interval import Number
from advisor.families.family import Config, Family
from advisor.families.shape import Shape, narrowed
from advisor.recipe.steps.step import Step, Unfit

if TYPE_CHECKING:
    from advisor.compute.tasks.scorer import Scorer
    from advisor.compute.training.context import Context
    from advisor.records.results import Progress

LARGEST_MULTIPLE = 128  # what int8 kernels of GPUs require (rule R30 of docs/evidence.md); no rule asks for more


@frozen
class MatrixPruning(Step):
    """Narrow the model to these sizes; sizes that are not given stay.

    heads: where the config says them apart from the hidden size (T5, Llama), in whole key-value groups; elsewhere the
    hidden size decides how many whole heads stay. `epochs`: of distillation, in all.
    """

    name: ClassVar[str] = "matrix_pruning"
    structural: ClassVar[bool] = True
    distils: ClassVar[bool] = True
    measured: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "removed_share": ("hidden_size", "intermediate_size", "heads"),
        "share_per_increment": ("increments",),
        "hidden_removed_share": ("hidden_size",),
        "intermediate_removed_share": ("intermediate_size",),
        "kernel_multiple": ("hidden_size", "intermediate_size"),
    }
    hidden_size: Annotated[int, Bound(gt=0)] | None = None
    heads: Annotated[int, Bound(gt=0)] | None = None
    intermediate_size: Annotated[int, Bound(gt=0)] | None = None
    increments: Annotated[int, Bound(gt=0, le=1000)] = 8
    epochs: Annotated[int, Bound(gt=0, le=1000)] = 8
    temperature: Annotated[float, Bound(gt=0, le=100)] = 2.0
    soft_weight: Annotated[float, Bound(ge=0, le=1)] = 0.9
    hidden_weight: Annotated[float, Bound(ge=0, le=1000)] = 10.0
    learning_rate: Annotated[float, Bound(gt=0, le=1)] = 1e-4

    @classmethod
    def cutting(cls, family: Family) -> tuple[str, ...]:
        possible = family.described.cuts["possible"]
        apart = not family.hidden_follows_heads and "heads" in possible
        found = {"hidden_size": family.narrows, "heads": apart, "intermediate_size": "ffn" in possible}
        whole = "." not in family.intermediate_size  # parts of a config, as CLIP's, cannot be changed
        return tuple(name for name, able in found.items() if able and whole)

    def target(self, family: Family, shape: Shape) -> Shape:
        """The shape to reach.

        Raises:
            Unfit: the config cannot express it, or it is not narrower; every setting that is wrong.
        """
        wanted = {
            "hidden_size": self.hidden_size or shape.hidden_size,
            "heads": self.heads or shape.heads,
            "intermediate_size": self.intermediate_size or shape.intermediate_size,
        }
        wrong: dict[str, str] = {}
        for size, value in wanted.items():
            if value > getattr(shape, size):
                wrong[size] = f"{size} {value} is larger than the model's {getattr(shape, size)}"
        if family.hidden_follows_heads:
            wanted["heads"] = wanted["hidden_size"] // shape.head_size
            wrong = {**self._heads(family, wanted["hidden_size"], shape), **wrong}
        else:
            wrong = {**_undivided(family, wanted["hidden_size"], wanted["heads"], shape), **wrong}
        after = narrowed(shape, **wanted)
        if after == shape and not wrong:
            wrong[""] = "nothing becomes narrower: give hidden_size, intermediate_size or (T5, Llama) heads"
        if wrong:
            raise Unfit(wrong)
        return after

    def _heads(self, family: Family, hidden: int, shape: Shape) -> dict[str, str]:
        """What is wrong where the hidden size alone decides the heads, by setting."""
        if hidden % shape.head_size:
            near = max(1, round(hidden / shape.head_size)) * shape.head_size
            size = shape.head_size
            return {"hidden_size": f"hidden_size {hidden} is not a multiple of the head size {size}: try {near}"}
        heads = hidden // shape.head_size
        if self.heads in (None, heads):
            return {}
        return {
            "heads": f"heads {self.heads} with hidden_size {hidden} removes nothing in {family.title}: "
            f"its config ties them, so hidden_size {hidden} means {heads} heads; leave heads out"
        }

    def resized(self, family: Family, config: Config) -> dict[str, Any]:
        *_, last = (family.resized(config, shape) for shape in self.schedule(family, config))  # every one has to exist
        return last

    def measures(self, family: Family, before: Config, after: Config) -> Mapping[str, Number]:
        """Shares of the parameters and of both widths; kernel_multiple: the power of two that divides both after it."""
        was, now = family.shape(before), family.shape(after)
        configs = [before, *(family.resized(before, shape) for shape in self.schedule(family, before))]
        counts = [family.parameters(config) for config in configs]
        cuts = [1 - later / earlier for earlier, later in pairwise(counts)]
        return {
            "removed_share": round(1 - counts[-1] / counts[0], 6),
            "share_per_increment": round(max(cuts), 6),
            "hidden_removed_share": 1 - Fraction(now.hidden_size, was.hidden_size),
            "intermediate_removed_share": 1 - Fraction(now.intermediate_size, was.intermediate_size),
            "kernel_multiple": gcd(now.hidden_size, now.intermediate_size, LARGEST_MULTIPLE),
        }

    def schedule(self, family: Family, before: Config) -> list[Shape]:
        """The shapes after each increment, in equal steps; the last is the target. Whole heads only."""
        first = family.shape(before)
        last = self.target(family, first)

        def between(size: str, place: int) -> int:
            high, low = getattr(first, size), getattr(last, size)
            return int(high - round((high - low) * place / self.increments))

        shapes = []
        for place in range(1, self.increments + 1):
            heads = nearest(between("heads", place), first.together)
            hidden = between("hidden_size", place)
            if family.hidden_follows_heads:
                hidden = heads * first.head_size
            elif family.hidden_in_heads:
                hidden = nearest(hidden, heads)
            width = between("intermediate_size", place)
            shapes.append(narrowed(first, hidden_size=hidden, heads=heads, intermediate_size=width))
        return shapes

    def words(self) -> str:
        return "matrix pruning"

    def apply(self, student: Scorer, config: Config, context: Context) -> Generator[Progress, None, Scorer]:
        from advisor.compute.training.gradual_pruning import cut, prune_in_increments
        from advisor.compute.training.loop import Schedule
        from advisor.compute.training.losses import Weights, distillation_loss

        before = student.model.config.to_dict()
        shapes = self.schedule(context.family, before)
        if not context.share:
            for shape in shapes:
                student = cut(student, context, shape)
            return student
        weights = Weights(self.temperature, self.soft_weight, self.hidden_weight)
        loss, context = yield from distillation_loss(context, weights, context.family.shape(before))
        schedule = Schedule("prune and distil", self.learning_rate, self.epochs, dropout=False)
        return (yield from prune_in_increments(student, context, shapes, loss, schedule))


def _undivided(family: Family, hidden: int, heads: int, shape: Shape) -> dict[str, str]:
    """What is wrong where heads and hidden size are said apart, by setting."""
    wrong: dict[str, str] = {}
    if heads % shape.together:
        near, each = nearest(heads, shape.together), shape.together
        wrong["heads"] = f"heads {heads}: each {each} heads share a key and value, and go together: try {near}"
    elif family.hidden_in_heads and hidden % heads:
        near = nearest(hidden, heads)
        wrong["hidden_size"] = f"hidden_size {hidden} cannot be divided by the {heads} heads: try {near}"
    return wrong


def nearest(size: int, of: int) -> int:
    """The multiple of a number, at least itself, that is nearest to a size."""
    return max(1, round(size / of)) * of
