"""What the page and the terminal say of a search: states of trials, the front, what was left out, what it took."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from advisor.base.rounding import rounded
from advisor.records.break_even import break_even_of_search
from advisor.records.measuring import TIME_DERIVED, is_time_derived
from advisor.records.results import Measured
from advisor.records.search import Choice, Excluded, Point, SearchResult, Trial
from advisor.report.progress import span
from advisor.report.style import plural
from advisor.runs import summary

State = Literal["front", "dominated", "stopped", "failed", "running", "refused"]
STATES: tuple[State, ...] = ("front", "dominated", "stopped", "failed", "running", "refused")
Cost = Callable[[Any], Measured]  # of a trial, a row or a seed
SIZES = "sizes and ranges"  # what rules out a recipe that no rule refuses


def state(trial: Trial, result: SearchResult) -> State:
    """How a trial stands now: measured ones are on the front or dominated."""
    if trial.status != "measured":
        return trial.status
    return "front" if trial.number in result.frontier else "dominated"


def kept(trial: Trial) -> Measured:
    """The accuracy that a trial keeps on the selection rows, at the last rung that it reached."""
    if trial.kept.value is None and trial.rungs:
        return trial.rungs[-1].kept
    return trial.kept


def counts(result: SearchResult) -> str:
    """The trials by state, in words. Example: "12 recipes tried: 3 on the front, 9 stopped"."""
    found = Counter(state(trial, result) for trial in result.trials)
    words = [f"{found[one]} {'on the front' if one == 'front' else one}" for one in STATES if found[one]]
    return f"{plural(len(result.trials), 'recipe')} tried{': ' if words else ''}{', '.join(words)}"


def has_ended(result: SearchResult) -> bool:
    """Whether the front is that on the report rows: before, single recipes at most were looked at there."""
    return bool(result.stopped and result.front)


class FrontRow(NamedTuple):
    """A point of the front. seeds: how many measured it on the report rows; 0: once, on the selection rows.

    Values are means over seeds; their intervals reach from the lowest to the highest end of any seed's. recipe: its
    file, "" while the search lasts. meets: by goal; empty without goals. warning: a point with one meets no goal.
    """

    trial: int
    words: str
    seeds: int
    kept: Measured
    size_mb: Measured
    time: Measured
    emissions: Measured
    latency_ms: Measured
    recipe: str
    meets: dict[str, bool]
    warning: str = ""
    dominated: bool = False

    @property
    def met(self) -> bool:
        return all(self.meets.values()) and not self.warning


def front(result: SearchResult) -> list[FrontRow]:
    """The front on the report rows, or so far on the selection rows; the cheapest first."""
    rows = [_ended(point) for point in result.front if has_ended(result)] or [
        _so_far(trial) for trial in result.trials if trial.number in result.frontier
    ]
    return sorted(rows, key=lambda row: _order(cost(result)[1](row).value))


def cost(result: SearchResult) -> tuple[Literal["emissions", "time"], Cost]:
    """What accuracy is weighed against: as the goals say, and time where no trial has emissions."""
    if result.objective == "emissions" and any(trial.emissions.value is not None for trial in result.trials):
        return "emissions", lambda one: one.emissions
    return "time", lambda one: one.time


def over(values: Sequence[Measured]) -> Measured:
    """The mean over seeds with the widest ends; what one seed did not measure has no mean."""
    missing = next((one for one in values if one.value is None), None)
    if missing or not values:
        return missing or Measured(why_not="no seed was measured")
    ends = [one.interval for one in values]
    known = [one for one in ends if one is not None]
    widest = (min(low for low, _ in known), max(high for _, high in known)) if len(known) == len(ends) else None
    mean = statistics.fmean(one.value for one in values if one.value is not None)
    return Measured(mean, source=values[0].source, interval=widest)


def _ended(point: Point) -> FrontRow:
    seeds = point.seeds
    return FrontRow(
        point.trial, point.name, len(seeds), over([one.kept for one in seeds]), over([one.size_mb for one in seeds]),
        over([one.time for one in seeds]), over([one.emissions for one in seeds]),
        over([one.latency_ms for one in seeds]), point.recipe, dict(point.meets), point.note,
        point.dominated,
    )  # fmt: skip


def _so_far(trial: Trial) -> FrontRow:
    return FrontRow(
        trial.number, trial.name, 0, trial.kept, trial.size_mb, trial.time, trial.emissions, trial.latency_ms, "",
        dict(trial.meets or {}),
    )  # fmt: skip


def _order(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0.0


class Goal(NamedTuple):
    """A goal. points: on the front that meet it; of: points of the front."""

    name: str
    bound: str
    points: int
    of: int


def goals(result: SearchResult) -> list[Goal]:
    """Each goal with the number of points of the front that meet it by the nearer end of their interval."""
    rows = front(result)
    return [
        Goal(name, bound, sum(row.meets.get(name, False) and not row.warning for row in rows), len(rows))
        for name, bound in result.goals.items()
    ]


class ExcludedBy(NamedTuple):
    """All that one rule, or sizes and ranges, left out. reasons: different ones, in order."""

    rule: str
    reasons: tuple[str, ...]
    recipes: tuple[Excluded, ...]


def excluded(result: SearchResult) -> list[ExcludedBy]:
    """What was never tried, by the rule that refuses it; the rule that refuses most first."""
    groups: dict[str, list[Excluded]] = {}
    for one in result.excluded:
        groups.setdefault(one.rule or SIZES, []).append(one)
    found = [
        ExcludedBy(rule, tuple(dict.fromkeys(one.reason for one in members)), tuple(members))
        for rule, members in groups.items()
    ]
    return sorted(found, key=lambda group: -len(group.recipes))


class CostRow(NamedTuple):
    """What the search took of one quantity, beside what was forecast of it."""

    quantity: str
    spent: str
    forecast: str


def costs(result: SearchResult) -> Iterator[CostRow]:
    """Time, energy and CO2e so far, and their forecast."""
    spent, said, how = result.spent, result.forecast, derived(result)
    missing = f", {plural(spent.uncounted, 'step')} not counted" if spent.uncounted else ""
    counted = spent.wh > 0 or not spent.uncounted
    yield CostRow("time by the clock", span(result.wall_seconds), span(said.seconds) if said else "")
    yield CostRow("time of work", span(spent.seconds), "")
    for name, value, forecast, unit in (
        ("energy", spent.wh, said.wh if said else None, "Wh"),
        ("CO2e", spent.g_co2, said.g_co2 if said else None, "g"),
    ):
        words = f"{value:.3g} {unit}{missing}" if counted else "not counted"
        yield CostRow(name + how, words, f"{forecast:.3g} {unit}" if forecast is not None else "")


def derived(result: SearchResult) -> str:
    """What is to be read beside energy, CO2e and emissions where they are processor time under another name."""
    return f", {TIME_DERIVED}" if any(is_time_derived(one.emissions) for one in result.trials) else ""


def paid_back(result: SearchResult) -> str:
    """When the model that meets the goals, else the cheapest of the front, has saved what all of the search emitted."""
    rows = front(result)
    row = next((one for one in rows if one.met and one.recipe), rows[0] if rows else None)
    trial = next((one for one in result.trials if row and one.number == row.trial), None)
    if row is None or trial is None:
        return ""
    found = break_even_of_search(result.spent, trial.g_per_1000, trial.emissions)
    if found.value is None:
        return f"When {row.words} pays the whole search back is not known: {found.why_not or 'not measured'}"
    expected = f"; {result.requests:,} are expected" if result.requests else ""
    return (
        f"{row.words} pays the whole search back after {summary.paid_back(found)}: it emitted "
        f"{rounded(result.spent.g_co2, 3)} g CO2e{derived(result)}, failed and stopped recipes included{expected}"
    )


def verdict(result: SearchResult) -> str:
    """The search in one sentence: what was found, or what has to give."""
    rows = front(result)
    if not result.stopped:
        return "The search has not ended"
    met = next((row for row in rows if row.recipe and row.met), None)
    if met is None:
        return result.nearest or ("No point of the front meets all goals" if rows else "No recipe was measured")
    if not result.goals:
        return f"{plural(len(rows), 'recipe')} on the front"
    return f"{met.words} meets all goals"


def choice(value: Choice) -> str:
    """A value of an axis as people write it."""
    return {True: "yes", False: "no", None: "none"}[value] if isinstance(value, bool | None) else f"{value}"
