"""Forecast: how much of a run is done, and how long the rest will take; made before it starts, corrected as it goes.

Work is counted in multiplications for each row (`Family.compute`), so that a pass through the smaller model of a later
step counts less. How fast this machine does them is measured on the steps themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from time import monotonic
from typing import NamedTuple, TypeVar

from advisor.families.shape import not_comparable
from advisor.recipe.plan import Plan, PlannedStep
from advisor.records.results import SCORE, TEACHER, Progress

PASSES = 3  # a training step is a pass forward and one backward, which costs twice as much
SERVED_ROWS = 1_000  # passes through each model for its latency, beside the seconds in which it is measured
EXPORT_SECONDS = 15.0
SETTLED = 2.0  # seconds after which a step's own pace is believed
Result = TypeVar("Result")


class Part(NamedTuple):
    """A part of a run: multiplications, and seconds beside them that follow no size.

    teacher: those of `work` that come first, while the teacher answers. scored: those that come last, while the
    finished model answers the report rows. paced: it goes by its multiplications, as int8's search does not.
    """

    work: float
    seconds: float = 0.0
    teacher: float = 0.0
    scored: float = 0.0
    paced: bool = True


class Rows(NamedTuple):
    """Numbers of rows to train on, to select by, and to report on; and of texts without labels, to distil on.

    tokens: of the rows to train on and those texts. states_bytes: see `Context`. alone: stacks of which only the first
    position counts.
    """

    train: int
    selection: int
    report: int
    unlabelled: int = 0
    tokens: int = 0
    states_bytes: int = 0
    alone: frozenset[str] = frozenset()


def parts(plan: Plan, rows: Rows, measuring: float) -> list[Part]:
    """A part for each step of the plan, and one for serving all models at the end.

    Args:
        measuring: seconds that each model is measured for; 0 where none is served.
    """
    found = [_part(plan, step, rows) for step in plan.steps]
    # Steps that change no shape are served as one.
    shapes = {(step.family.compute(step.after), step.step.name == "quantization") for step in plan.steps}
    served = sum(compute for compute, _ in shapes) * SERVED_ROWS
    # The baseline is measured twice; beside int8, two fp32 models in its runtime.
    exported = 2 * any(int8 for _, int8 in shapes)
    seconds = measuring * (len(shapes) + 1 + exported) + EXPORT_SECONDS * exported
    return [*found, Part(served, seconds) if measuring else Part(0)]


def _part(plan: Plan, planned: PlannedStep, rows: Rows) -> Part:
    before, after = planned.family.compute(planned.before), planned.family.compute(planned.after)
    epochs = getattr(planned.step, "epochs", 0)
    # While matrices are pruned, half of the epochs go on the way from the old shape to the new one.
    texts = rows.train + (rows.unlabelled if planned.step.distils else 0)
    epoch = (before + 3 * after) / 4 * (PASSES * texts + rows.selection)
    first, each = _taught(plan, planned, rows)
    taught = first * plan.family.compute(plan.teacher) * texts
    asked = each * plan.family.compute(plan.teacher) * texts * epochs
    exported = EXPORT_SECONDS if planned.step.name == "quantization" else 0.0
    chosen = before * planned.step.scored_rows(planned.family, planned.before, planned.after)
    work = epochs * epoch + taught + asked + chosen + after * (rows.selection + rows.report)
    return Part(work, exported, taught, after * rows.report, planned.step.name != "quantization")


def _taught(plan: Plan, planned: PlannedStep, rows: Rows) -> tuple[bool, bool]:
    """Whether the teacher answers all texts before a step, and whether it answers with every batch.

    Before the first step that distils, and again where its hidden states are learned; where these do not fit in a file,
    with every batch instead.
    """
    from advisor.compute.training.teacher import states_bytes

    shape, taught_by = planned.family.shape(planned.before), plan.family.shape(plan.teacher)
    # Whether a given student makes the same tokens of the texts is known only later.
    learns = getattr(planned.step, "hidden_weight", 0) > 0 and not not_comparable(taught_by, shape, same_tokens=True)
    width = taught_by.hidden_size
    taken = states_bytes(width, shape.layers, rows.train + rows.unlabelled, rows.tokens, rows.alone)
    fits = taken <= rows.states_bytes
    first = next((one.step for one in plan.steps if one.step.distils), None)
    return planned.step is first or (learns and fits), learns and not fits


class Clock:
    """Follows the parts of a run and forecasts the rest."""

    def __init__(self, found: Sequence[Part], now: Callable[[], float] = monotonic) -> None:
        self.parts, self.now, self.started = found, now, now()
        self.done_work = self.done_seconds = self.share = 0.0
        self.part, self.counted = -1, ("", 0)  # the label and total by which units are counted
        self.found = self.label_found = self.last = 0.0  # shares at which part and count were found, and the latest
        self.gained = 0.0  # the share of this part that went by under our eyes
        self.begun = self.label_begun = self.started

    def watch(self, part: int, work: Generator[Progress, None, Result]) -> Generator[Progress, None, Result]:
        """The same progress, with what is known of the whole run."""
        while True:
            try:
                progress = next(work)
            except StopIteration as end:
                self.finish(part)
                result: Result = end.value
                return result
            run, remaining = self.ahead(part, progress)
            yield replace(progress, run=run, remaining=remaining, whole=self.whole())

    def finish(self, part: int) -> None:
        """A part has ended; its pace counts, unless it was over when it was found."""
        if self.part == part and self.gained > 0 and self.parts[part].paced:
            self.done_work += self.parts[part].work * min(1.0, self.gained)
            self.done_seconds += self.now() - self.begun
        self.part = -1

    def ahead(self, part: int, progress: Progress) -> tuple[float, float | None]:
        """Share of the whole run that is done, and seconds that it will still take, None while nobody can know."""
        now, share = self.now(), self._share(part, progress)
        if part != self.part:
            self.part, self.counted, self.found, self.gained, self.begun = part, ("", 0), share, 0.0, now
        counted = progress.label, progress.total
        if counted != self.counted:
            # What lies between two labels was done before, in a run that was killed. A new total is another count: the
            # search for what int8 leaves in fp32 begins with units that took longer.
            self.begun = self.begun if self.gained else now
            self.counted, self.label_found, self.label_begun, self.last = counted, share, now, share
        self.gained, self.last = self.gained + share - self.last, share
        here = self._here(now, share)
        pace = self._pace(now)
        if here is None:
            return self.share, None
        remaining = here + sum(self._seconds(one, pace or 0.0) for one in range(part + 1, len(self.parts)))
        self.share = max(self.share, (now - self.started) / ((now - self.started) + remaining or 1))
        return self.share, remaining

    def whole(self) -> float | None:
        """Seconds of all parts, also of those that were done before; None while nobody can know."""
        pace = self._pace(self.now())
        return None if pace is None else sum(self._seconds(one, pace) for one in range(len(self.parts)))

    def _share(self, part: int, progress: Progress) -> float:
        """The share of a part that is done."""
        done = progress.done / max(1, progress.total)
        own = self.parts[part]
        taught, scored = own.teacher / (own.work or 1), own.scored / (own.work or 1)
        if progress.label == TEACHER:
            return done * taught
        return 1 - scored + done * scored if progress.label == SCORE else taught + done * (1 - taught - scored)

    def _here(self, now: float, share: float) -> float | None:
        """Seconds that this part will still take: by its own pace, or as forecast where it shows none."""
        taken, gained = now - self.label_begun, share - self.label_found
        whole = taken / gained if taken >= SETTLED and gained > 0 else None
        if not self.done_work:
            return None if whole is None else whole * (1 - share)
        forecast = self._seconds(self.part, self.done_seconds / self.done_work) * (1 - self.found)
        if whole is None or whole < forecast / 2:  # something small beside the part's own work
            return max(0.0, forecast - (now - self.begun))
        return whole * (1 - share)

    def _pace(self, now: float) -> float | None:
        """Seconds for a unit of work, by the parts that are over; by the first part itself while it lasts."""
        if self.done_work:
            return self.done_seconds / self.done_work
        gained = self.gained * self.parts[self.part].work if self.parts[self.part].paced else 0
        return (now - self.begun) / gained if gained > 0 else None

    def _seconds(self, part: int, pace: float) -> float:
        return self.parts[part].work * pace + self.parts[part].seconds
