"""Fine-tuning of the whole model on the task: the baseline of every comparison, and the teacher."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated, ClassVar

from advisor.base.constraints import Bound
from advisor.base.frozen import frozen
from advisor.families.family import Config
from advisor.recipe.steps.step import Step

if TYPE_CHECKING:
    from advisor.compute.tasks.scorer import Scorer
    from advisor.compute.training.context import Context
    from advisor.records.results import Progress


@frozen
class Finetune(Step):
    """Ordinary training with the labels. The epoch with the best selection accuracy is kept."""

    name: ClassVar[str] = "finetune"
    epochs: Annotated[int, Bound(gt=0, le=1000)] = 3
    learning_rate: Annotated[float, Bound(gt=0, le=1)] = 5e-5

    def words(self) -> str:
        return "fine-tuned"

    def apply(self, student: Scorer, config: Config, context: Context) -> Generator[Progress, None, Scorer]:
        from advisor.compute.training.loop import Schedule, train
        from advisor.compute.training.losses import label_loss

        schedule = Schedule("fine-tune", self.learning_rate, self.epochs)
        return (yield from train(student, context, label_loss(context), schedule))
