"""What a search leaves in search.json: every recipe that was tried, left out or chosen, with numbers and reasons.

Plain frozen values. Accuracy is what a model keeps of the fine-tuned baseline's metric on the same rows; time and
emissions are shares of the baseline's, measured on this machine while nothing else of the search ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from advisor.records.results import NOT_YET, Measured

SEARCH_VERSION = 1  # of search.json
SEARCH, PAGE = "search.json", "search.html"
RUNGS = ("0", "1/9", "1/3", "1")  # shares of the training steps of distillation and matrix pruning
Origin = Literal["advised", "level", "proposed"]
Status = Literal["running", "stopped", "measured", "failed", "refused"]
Choice = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What work took. seconds: of all steps and measurements, also where they ran at the same time.

    wh, g_co2: energy and CO2e as far as they were counted; uncounted: steps of which nobody could count them.
    """

    seconds: float = 0.0
    wh: float = 0.0
    g_co2: float = 0.0
    uncounted: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.seconds + other.seconds,
            self.wh + other.wh,
            self.g_co2 + other.g_co2,
            self.uncounted + other.uncounted,
        )


@dataclass(frozen=True, slots=True)
class Reached:
    """A trial at one rung. share: of the training steps, one of RUNGS. kept: on the selection rows.

    loss: mean loss on the selection rows; None where it was not computed. key: of the step in the store.
    """

    share: str
    kept: Measured
    loss: float | None
    key: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One recipe of the space, as far as it was tried.

    origin: the advised recipe, one of each level, or proposed by the sampler. round: in which it was tried first;
    measured_in: in which it was measured, None before. choices: its place in the space, a value for each axis. level:
    the white paper's, "" where nothing is cut. status: stopped before the last rung, measured, failed, or refused by a
    rule for goals that were given later; why: it stopped, failed or is refused. rungs: that it reached, in order. kept:
    after all of its training, on the selection rows. size_mb: of the weights on disk. relative_compute: exact share of
    the multiplications. meets: by goal, whether the nearer end of the interval meets it. spent: on this trial alone,
    not on what other trials had made already. folder: of its run, below the search's folder. further: what the other
    seeds keep on the selection rows, in the order of the seeds; empty before they are trained.
    """

    number: int
    origin: Origin
    round: int
    name: str
    level: str
    choices: Mapping[str, Choice]
    recipe: Mapping[str, Any]
    relative_compute: float | None
    status: Status = "running"
    why: str = ""
    rungs: tuple[Reached, ...] = ()
    kept: Measured = NOT_YET
    size_mb: Measured = NOT_YET
    time: Measured = NOT_YET
    emissions: Measured = NOT_YET
    latency_ms: Measured = NOT_YET
    g_per_1000: Measured = NOT_YET
    meets: Mapping[str, bool] | None = None
    spent: Spent = Spent()
    folder: str = ""
    measured_in: int | None = None
    further: tuple[Measured, ...] = ()


@dataclass(frozen=True, slots=True)
class Excluded:
    """A recipe of the space that was never tried. rule: that refuses it, "" where sizes or ranges rule it out."""

    name: str
    level: str
    choices: Mapping[str, Choice]
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class SeedOfPoint:
    """A point of the front with one seed, on the report rows. folder: of its run, below the search's folder."""

    seed: int
    folder: str
    kept: Measured
    size_mb: Measured
    time: Measured
    emissions: Measured
    latency_ms: Measured


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the front, measured anew with several seeds. recipe: its file, below the search's folder.

    meets: by goal, whether the nearer end of every seed's interval meets it. gives: for each goal that is missed, the
    value that would be met. warning: what is to be read before its numbers, as that the baseline is worth nothing; a
    point with one meets no goal. dominated: with the new measurements another point is better in every respect.
    refused: the rule that forbids it for goals that were given later; its file states the goals that allowed it.
    """

    trial: int
    name: str
    recipe: str
    seeds: tuple[SeedOfPoint, ...]
    meets: Mapping[str, bool]
    gives: Mapping[str, float]
    warning: str = ""
    dominated: bool = False
    refused: str = ""

    @property
    def note(self) -> str:
        """What is to be read before its numbers: why it meets no goal whatever they are."""
        return self.warning or self.refused

    @property
    def met(self) -> bool:
        return all(self.meets.values()) and not self.note


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two rungs order the same trials. tau: Kendall's, None below 3 trials. trials: that reached both."""

    lower: str
    higher: str
    tau: float | None
    trials: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the whole search is expected to take. basis: what that was computed from."""

    seconds: float
    wh: float | None
    g_co2: float | None
    basis: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A search as far as it has come.

    goals: by name, the bound as a recipe writes it. axes: of the space, with their values. budget: as it was given.
    excluded: recipes that cost nothing. front: of the trials by selection rows, on the report rows; before the search
    ends, those that seemed to meet the goals. frontier: numbers of the trials on the front so far. promoted: of each
    level's trials at a rung, the share that goes on. wall_seconds: by the clock, over all attempts. stopped: why it
    ended, "" while it lasts. space_sha256: of model, data, policy and what all trials share; a search goes on only in
    a folder of the same.
    nearest: what has to give where no point meets the goals. looked: trials that were measured on the report rows for
    these goals and this budget, also where a seed failed; asked_after: the round after which these were asked for.
    """

    model: str
    data: str
    device: str
    goals: Mapping[str, str]
    axes: Mapping[str, tuple[Choice, ...]]
    budget: str
    space_sha256: str
    seed: int = 0
    requests: int | None = None
    forecast: Forecast | None = None
    trials: tuple[Trial, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    frontier: tuple[int, ...] = ()
    front: tuple[Point, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    promoted: float = 1 / 3
    spent: Spent = Spent()
    wall_seconds: float = 0.0
    stopped: str = ""
    nearest: str = ""
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] | None = None
    version: int = SEARCH_VERSION
    looked: tuple[int, ...] = ()
    asked_after: int = 0

    @property
    def objective(self) -> Literal["emissions", "time"]:
        """What accuracy is weighed against: time where latency has a goal and emissions have none."""
        return "time" if "latency_ms" in self.goals and "relative_emissions" not in self.goals else "emissions"

    @property
    def run_folders(self) -> list[str]:
        """The folders of the front's runs, below the search's folder."""
        return [seed.folder for point in self.front for seed in point.seeds]

    @property
    def passed(self) -> bool:
        """Whether a point of the front meets every goal by the nearer ends of its intervals."""
        return any(point.met for point in self.front)
