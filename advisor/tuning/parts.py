"""What a search works with: the parts that take long, as the driver sees them. A replay brings others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import NamedTuple, Protocol

from advisor.recipe.recipe import Recipe
from advisor.records.results import Remark
from advisor.records.search import Point, SearchResult, Spent, Trial
from advisor.tuning.budget import Budget
from advisor.tuning.carrier import Carrier
from advisor.tuning.goals import Goals
from advisor.tuning.making import Measurements
from advisor.tuning.proposals import Sampler
from advisor.tuning.space import Place, Space

Event = Remark | Trial | Point | SearchResult


class Measuring(Protocol):
    """Measures one trial while nothing else of the search runs."""

    def trial(self, number: int, recipe: Recipe) -> Measurements: ...


class Estimates(Protocol):
    """Seconds that parts of the search will take (see `costs.Costs`), and their energy."""

    def trial(self, place: Place) -> float: ...
    def measured(self, place: Place) -> float: ...
    def further(self, places: Sequence[Place], tuned: bool = False) -> float: ...
    def end(self, places: Sequence[Place]) -> float: ...
    def together(self, seconds: float, most: float = ...) -> float: ...
    def wh(self, seconds: float) -> float | None: ...


class Search(Protocol):
    """A search while it lasts, as its end sees it."""

    record: SearchResult
    places: dict[int, Place]

    @property
    def parts(self) -> Parts: ...
    def keep(self, **changes: object) -> None: ...
    def spend(self, what: Spent) -> None: ...
    def wall(self) -> float: ...
    def recipe(self, number: int) -> Recipe: ...
    def further(self, numbers: Sequence[int]) -> Iterator[Event]: ...


class End(Protocol):
    """Measures what a search has found. look: at one trial before the end, as it seems to meet the goals."""

    def look(self, search: Search, number: int) -> Iterator[Event]: ...
    def run(self, search: Search) -> Iterator[Event]: ...


class Parts(NamedTuple):
    """What a search works with. objective: the field of a trial that is to be low. save: writes the record."""

    space: Space
    goals: Goals
    budget: Budget
    carrier: Carrier
    measuring: Measuring
    ending: End
    estimates: Estimates
    save: Callable[[SearchResult], None]
    objective: str = "emissions"
    sampler: Sampler = "gp"
    now: Callable[[], float] = monotonic
