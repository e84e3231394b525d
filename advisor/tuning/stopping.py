"""When a search ends: the goals are met for certain, nothing improves, or searching on cannot pay back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.records.search import Point
from advisor.tuning.front import Measure, hypervolume
from advisor.tuning.goals import Goals

PATIENCE = 2  # rounds in which nothing that was measured has enlarged the area of the front
LEAST_GAIN = 0.01  # share of that area below which a round has gained nothing


def goals_met(goals: Goals, points: Sequence[Point]) -> str:
    """The first point that meets all goals with every seed on the report rows; "" where none does.

    With a goal of accuracy alone there is always something greener to look for.
    """
    if set(goals) <= {"relative_accuracy"}:
        return ""
    one = next((one for one in points if one.met), None)
    met = "meets every goal by the nearer end of its interval, with every seed, on the report rows"
    return f"trial {one.trial} {met}" if one else ""


def nothing_improves(found: Mapping[int, Measure], rounds: Mapping[int, int], last: int, first: int = 0) -> str:
    """Said where the last rounds have not enlarged the front.

    Args:
        rounds: in which each trial was measured; it may have been tried before. last: the number of the last round.
        first: the one before these goals: no patience was lost until then.
    """
    if last < first + PATIENCE:
        return ""
    before = [one for number, one in found.items() if rounds[number] <= last - PATIENCE]
    earlier, now = hypervolume(before), hypervolume(list(found.values()))
    if now - earlier > LEAST_GAIN * now:
        return ""
    return f"nothing has improved in the last {PATIENCE} rounds"


def cannot_pay_back(requests: int | None, g_per_1000: float | None, best: float, least: float, next_g: float) -> str:
    """Said where a round emits more than the best that is left could save.

    Args:
        requests: that the model will answer; None: not known. g_per_1000: of the baseline. best, least: shares of its
            emissions, of the best trial that meets the goals, and the least that is expected of an untried recipe.
        next_g: CO2e of the next round.
    """
    if requests is None or g_per_1000 is None:
        return ""
    saving = requests / 1000 * g_per_1000 * max(0.0, best - least)
    if next_g <= saving:
        return ""
    return (
        f"searching on cannot pay back: the next round emits about {next_g:.2g} g CO2e, and {requests:,} requests "
        f"could save {saving:.2g} g at best"
    )
