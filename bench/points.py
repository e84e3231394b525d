"""Points of the white paper's figures, from all measurements: each is a model, a data set and a level of the cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from result_runs import disturbed
from subjects import above_constant
from trials import HERE, read

FILES = ("targets", "served", "ablation", "real-models", "figures")
FIRST = "e5-small-en-12l"  # the model of every line that names none
NONE, TWO_THIRDS, A_THIRD, NARROW = LEVELS = ("no cut", "2/3", "1/3", "1/3, narrow")
INT8 = "int8"
A_THIRD_STEPS = {"distillation": A_THIRD, "matrix_pruning": NARROW}
# The levels that the steps of an arm reach. All other arms are variations, such as other losses or other layers.
ARMS: Mapping[str, Mapping[str, str]] = {
    "two thirds": {"distillation": TWO_THIRDS},
    "two thirds of small data": {"distillation": TWO_THIRDS},
    "a third and narrow": A_THIRD_STEPS,
    "a third and narrow int8": {"matrix_pruning": NARROW},
    "a third int8": {"distillation": A_THIRD},
}
# Where nothing longer was measured. The same steps in fewer epochs, on MRPC with its three seeds.
SHORTER: Mapping[tuple[str, str], Mapping[str, str]] = {("4 alternate by states", "mrpc"): A_THIRD_STEPS}


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one model, data set and level: a value for each seed. baselines: scores of the whole models.

    intervals: of the relative accuracy on the report rows. times: shares of the baseline's, as far as they were taken.
    verifies: whether every baseline is shown to be better than one constant answer; else shares of it say nothing.
    """

    relative: list[float] = field(default_factory=list)
    baselines: list[float] = field(default_factory=list)
    intervals: list[tuple[float, float]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)

    @property
    def verifies(self) -> bool:
        return all(self.shown)

    @property
    def accuracy(self) -> float:
        return mean(self.relative)

    @property
    def ends(self) -> tuple[float, float] | None:
        """The interval of one seed, or how far several lie apart. None: one seed whose interval was not kept."""
        if len(self.relative) > 1:
            return min(self.relative), max(self.relative)
        return self.intervals[0] if self.intervals else None


Key = tuple[str, str, str]  # model, data set, level


def gather(folder: Path = HERE / "results") -> dict[Key, Found]:
    """All points. A seed counts once: the file that comes first in FILES has it."""
    found: dict[Key, Found] = defaultdict(Found)
    lines = [line for name in FILES for line in read(folder / f"{name}.jsonl")]
    for line in lines:
        for step, level in ARMS.get(line["arm"], {}).items():
            _add(found[_key(line, level)], line, step)
    whole = set(found)
    for line in lines:
        for step, level in SHORTER.get((line["arm"], line["task"]), {}).items():
            if _key(line, level) not in whole:
                _add(found[_key(line, level)], line, step)
    return {key: one for key, one in found.items() if one.relative}


def _key(line: Mapping[str, Any], level: str) -> Key:
    return line.get("model", FIRST), line["task"], level


def _add(found: Found, line: Mapping[str, Any], name: str) -> None:
    """Add what a step found. A second run of a seed adds its time alone, and a noisy machine's time does not count."""
    if not (step := line["steps"].get(name)):
        return
    if "time" in step and not disturbed(line):
        found.times.append(step["time"])
    if line["seed"] in found.seeds:
        return
    found.seeds.append(line["seed"])
    found.relative.append(step["relative"])
    found.baselines.append(line["baseline"])
    found.sizes.append(step["size"])
    found.shown.append(_beats_a_constant(line, step))
    if step.get("interval"):
        found.intervals.append((step["interval"][0], step["interval"][1]))


def _beats_a_constant(line: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    """What the run found of its baseline; of older lines, whether 1.96 standard errors of its accuracy suffice."""
    if line.get("metric") == "pearson":
        return True  # one answer for all rows correlates with nothing
    if "beyond_chance" in step:
        return step["beyond_chance"] is not None
    above = above_constant(line["task"].partition("-")[0], line["baseline"])
    return above is None or above[1][0] > 0


def time_of(points: Mapping[Key, Found], key: Key) -> float | None:
    """A model's share of the time: on this data set, or else on others, as equal shapes take equal shares."""
    model, _, level = key
    if level == NONE:
        return 1.0
    own = points[key].times if key in points else []
    others = [one.times for (a, _, c), one in points.items() if (a, c) == (model, level) and one.times]
    times: Sequence[float] = own or [time for some in others for time in some]
    return mean(times) if times else None
