"""Step: the settings of one compression step, what it does to a model's shape, and how it is run."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from advisor.base.constraints import FORBID_EXTRA
from advisor.base.frozen import frozen
from advisor.base.interval import Number
from advisor.families.family import Config, Family
from advisor.families.shape import Shape

if TYPE_CHECKING:
    from advisor.compute.tasks.scorer import Scorer
    from advisor.compute.training.context import Context
    from advisor.records.results import Progress


class Unfit(ValueError):
    """Settings that do not fit a model: what is wrong with each, by name; "" is the step as a whole."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        self.wrong = dict(wrong)
        super().__init__("; ".join(self.wrong.values()))


@frozen
class Step:
    """One step of a recipe.

    structural: it changes shapes, so that distillation has to follow. distils: it learns from the teacher.
    measured: the names that `measures` gives, each with the settings that decide it.
    """

    name: ClassVar[str] = ""
    structural: ClassVar[bool] = False
    distils: ClassVar[bool] = False
    measured: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA

    @classmethod
    def cutting(cls, family: Family) -> tuple[str, ...]:
        """The settings by which this step can cut models of a family; none for a step that cuts nothing."""
        return ()

    def resized(self, family: Family, config: Config) -> dict[str, Any]:
        """The config after this step.

        Raises:
            Unfit: settings do not fit the model; says which, expected and got.
            ValueError: no setting of this step would fit it.
        """
        return dict(config)

    def measures(self, family: Family, before: Config, after: Config) -> Mapping[str, Number]:
        """Numbers that rules may use beside the settings, for example the removed share."""
        return {}

    def scored_rows(self, family: Family, before: Config, after: Config) -> int:
        """Rows that the model has to answer before the step can choose what to remove."""
        return 0

    def words(self) -> str:
        """The step in a few words, for a table."""
        return self.name.replace("_", " ")

    def notes(self, teacher: Shape, student: Shape, same_tokens: bool = True) -> tuple[str, ...]:
        """Notes on its result beside the numbers.

        Args:
            teacher, student: the shapes of the teacher, and of the model after this step.
            same_tokens: both read the texts as the same tokens.
        """
        return ()

    def apply(self, student: Scorer, config: Config, context: Context) -> Generator[Progress, None, Scorer]:
        """Run the step: yields its progress, returns the model.

        Args:
            student: the model so far; it is not used afterwards.
            config: the config that the plan predicts for the model after this step.
            context: rows, tokenizer, teacher and training settings.
        """
        raise TypeError(f"{self.name} cannot be run")
