"""Fine-tuning of the whole model on the task: the baseline of every comparison, and the teacher.

With 0 epochs the model is taken as it is: somebody has fine-tuned it for the task already.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from advisor.base.constraints import Bound
from advisor.base.frozen import frozen
from advisor.families.family import Config, Family
from advisor.families.label_head import lacks
from advisor.recipe.steps.step import Step, Unfit

if TYPE_CHECKING:
    from advisor.compute.tasks.scorer import Scorer
    from advisor.compute.training.context import Context
    from advisor.records.results import Progress


@frozen
class Finetune(Step):
    """Ordinary training with the labels. The epoch with the best selection accuracy is kept.

    epochs: 0 takes a model as it is that was fine-tuned for the task, and these labels, before.
    """

    name: ClassVar[str] = "finetune"
    epochs: Annotated[int, Bound(ge=0, le=1000)] = 3
    learning_rate: Annotated[float, Bound(gt=0, le=1)] = 5e-5

    @property
    def trains(self) -> bool:
        """Whether anything is trained."""
        return self.epochs > 0

    def resized(self, family: Family, config: Config) -> dict[str, Any]:
        """The same config.

        Raises:
            Unfit: the model is to be taken as it is, and its config shows nothing that was fine-tuned.
        """
        if not self.trains and (lacking := lacks(config, family)):
            raise Unfit({"epochs": f"0 epochs take the model as it is, but its config {lacking}: fine-tune it"})
        return Step.resized(self, family, config)

    def words(self) -> str:
        return "fine-tuned" if self.trains else "taken as it is"

    def apply(self, student: Scorer, config: Config, context: Context) -> Generator[Progress, None, Scorer]:
        from advisor.compute.training.loop import Schedule, train
        from advisor.compute.training.losses import label_loss

        if not self.trains:
            return student
        schedule = Schedule("fine-tune", self.learning_rate, self.epochs)
        return (yield from train(student, context, label_loss(context), schedule))
