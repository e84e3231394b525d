"""Knowledge distillation: the student learns the outputs and hidden states of the unmodified fine-tuned teacher.

loss = soft_weight * temperature^2 * KL(teacher || student, both at the temperature)
     + (1 - soft_weight) * cross-entropy with the labels        (Hinton et al. arXiv 1503.02531)
     + hidden_weight * mean over the student's blocks of the mean squared difference of its states from those of the
       teacher's block that it imitates, both normalised       (as TinyBERT, arXiv 1909.10351, except for normalising)

Dropout is off. The student is the model that earlier steps have cut, or a given one: another, smaller checkpoint, with
its own tokenizer. Its hidden states are compared where they are as wide as the teacher's, of the same tokens.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, ClassVar

from advisor.base.constraints import Bound
from advisor.base.frozen import frozen
from advisor.families.family import Config
from advisor.families.shape import Shape, not_comparable
from advisor.recipe.steps.step import Step

if TYPE_CHECKING:
    from advisor.compute.tasks.scorer import Scorer
    from advisor.compute.training.context import Context
    from advisor.records.results import Progress


@frozen
class Distillation(Step):
    """Train the compressed model on the teacher's answers to all training rows and unlabelled texts.

    student: a given model to train instead: a checkpoint folder, a family's name, or a Hub id in the local cache.
    """

    name: ClassVar[str] = "distillation"
    distils: ClassVar[bool] = True
    temperature: Annotated[float, Bound(gt=0, le=100)] = 2.0
    soft_weight: Annotated[float, Bound(ge=0, le=1)] = 0.9
    hidden_weight: Annotated[float, Bound(ge=0, le=1000)] = 10.0
    epochs: Annotated[int, Bound(gt=0, le=1000)] = 5
    learning_rate: Annotated[float, Bound(gt=0, le=1)] = 1e-4
    student: Annotated[str, Bound(min_length=1)] | None = None

    def words(self) -> str:
        return "distilled" if self.student is None else f"distilled into {short_name(self.student)}"

    def notes(self, teacher: Shape, student: Shape, same_tokens: bool = True) -> tuple[str, ...]:
        why = not_comparable(teacher, student, same_tokens) if self.hidden_weight else ""
        return (f"{why}, so hidden states were not compared",) if why else ()

    def apply(self, student: Scorer, config: Config, context: Context) -> Generator[Progress, None, Scorer]:
        from advisor.compute.training.loop import Schedule, train
        from advisor.compute.training.losses import Weights, distillation_loss

        if not context.share:
            return student
        weights = Weights(self.temperature, self.soft_weight, self.hidden_weight)
        loss, context = yield from distillation_loss(context, weights, context.family.shape(config))
        schedule = Schedule("distil", self.learning_rate, self.epochs, dropout=False)
        return (yield from train(student, context, loss, schedule))


def short_name(source: str) -> str:
    """The last part of a model's source: `tinybert` of `models/tinybert/config.json`."""
    path = PurePath(source)
    return (path.parent if path.suffix == ".json" else path).name or source
