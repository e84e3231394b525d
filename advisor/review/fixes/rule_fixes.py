"""Fixes: what to change in a recipe so that it no longer breaks a rule.

A fix is safe where the recipe cannot mean anything else: int8 comes last, since nothing can be trained
after it. All others change what the recipe does: dropping a forbidden step, adding a required one, moving a setting to
the end of its bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

from advisor.base.errors import PolicyError
from advisor.base.interval import Interval, Number, exact
from advisor.families.family import Family
from advisor.families.shape import Shape
from advisor.policy.judge import Violation, preferences
from advisor.policy.pack import Policy
from advisor.policy.view import RECIPE_STEPS, View
from advisor.recipe.plan import Plan, Problem
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps import STEPS
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.step import Step
from advisor.records.training_settings import Training
from advisor.review.findings import Edit, Fix, Path_

LAST = "quantization"  # nothing can be trained after it, so a recipe that goes on can only mean that it comes last
NATURAL = tuple(STEPS)
MOST_TRIED = 64  # values of a setting, from the given one away
MOST_COUNTED = 256  # blocks or increments; a measure hardly changes beyond, and each try plans the whole step


class Broken(NamedTuple):
    """A rule that a recipe breaks, with everything needed to fix it. plan: None where the config is not at hand."""

    violation: Violation
    recipe: Recipe
    policy: Policy
    view: View
    plan: Plan | None

    def fix(self) -> Fix | None:
        """How to fix it, or None: the fact is unknown, the rule only warns, or a person has to choose."""
        at, then = self.violation.at, self.violation.rule.then
        if not at or self.violation.undecided:
            return None
        if len(at) == 2:
            return self._setting(at[0], at[1])
        if at[0] not in self.recipe.step_names:
            return self._missing(at[0])
        if at[0] in then.forbid:
            return self._forbidden(at[0])
        return self._order(then.order)

    def _forbidden(self, step: str) -> Fix | None:
        if len(self.recipe.steps) == 1:
            return None
        return Fix(f"drop {step}", False, (Edit(("steps", self._index(step)), "remove"),))

    def _index(self, step: str) -> int:
        return self.recipe.step_names.index(step)

    def _missing(self, step: str) -> Fix:
        """Add a required step where it belongs, with the settings that rules prefer."""
        later = NATURAL[NATURAL.index(step) + 1 :]
        place = next((at for at, name in enumerate(self.recipe.step_names) if name in later), len(self.recipe.steps))
        settings = {name.split(".")[1]: value for name, value in self._wishes(step).items()}
        words = f"add {step}" + ("" if place == len(self.recipe.steps) else f" before {self.recipe.step_names[place]}")
        return Fix(words, False, (Edit(("steps", place), "insert", {step: settings}),))

    def _wishes(self, step: str) -> dict[str, Any]:
        """The settings of a step that rules prefer once it is there."""
        order = (*self.view.order, step)
        view = View({**self.view.values, RECIPE_STEPS: frozenset(order)}, order)
        try:
            wishes = preferences(self.policy, view)
        except PolicyError:  # two rules prefer different values, which `rules verify` reports
            return {}
        return {name: value for name, (value, _) in wishes.items() if name.startswith(f"{step}.")}

    def _order(self, pairs: Sequence[tuple[str, str]]) -> Fix | None:
        """Put the steps into the usual order; where a rule wants another, only the two after each other."""
        names = self.recipe.step_names
        wrong = [(first, later) for first, later in pairs if _comes_after(names, first, later)]
        if not wrong:
            return None
        if all(NATURAL.index(first) < NATURAL.index(later) for first, later in wrong):
            order = sorted(names, key=NATURAL.index)
        else:
            first, later = wrong[0]
            order = [name for name in names if name != later]
            order.insert(order.index(first) + 1, later)
        rest = [name for name in names if name != LAST]
        safe = rest == [name for name in order if name != LAST] and order[-1] == LAST
        words = f"move {LAST} to the end" if safe else f"put the steps in the order {', '.join(order)}"
        return Fix(words, safe, tuple(_moves(list(names), order)))

    def _setting(self, part: str, name: str) -> Fix | None:
        """Move a setting to the nearest value that its rule allows."""
        rule, full = self.violation.rule, f"{part}.{name}"
        interval, allowed = rule.limits.get(full), (rule.then.allow_only or {}).get(full)
        if part == "training":
            return self._training(name, interval, allowed)
        if part == "gates" or part not in self.recipe.step_names:
            return self._gate(name, interval)
        step = self.recipe.step(part)
        if allowed:
            return self._set(part, name, allowed[0]) if len(allowed) == 1 else None
        if interval is None or step is None:
            return None
        if name in step.measured:
            return self._measure(step, name, interval)
        kind = int if isinstance(getattr(step, name), int) else float
        value = nearest(interval, getattr(step, name), kind)
        return None if value is None else self._set(part, name, value)

    def _set(self, step: str, name: str, value: Any) -> Fix:
        path = ("steps", self._index(step), step, name)
        return Fix(f"set {name} to {value}", False, (Edit(path, "set", value),))

    def _training(self, name: str, interval: Interval | None, allowed: Sequence[Any] | None) -> Fix | None:
        """The same for a setting that all steps share; a recipe without such settings gets them."""
        given = getattr(self.recipe.training, name)
        value = nearest(interval, given, int) if interval else allowed[0] if allowed and len(allowed) == 1 else None
        if value is None:
            return None
        whole = self.recipe.training == Training()
        edit = Edit(("training",), "set", {name: value}) if whole else Edit(("training", name), "set", value)
        return Fix(f"set {name} to {value}", False, (edit,))

    def _gate(self, name: str, interval: Interval | None) -> Fix | None:
        if interval is None or self.recipe.gates is None or getattr(self.recipe.gates, name, None) is None:
            return None
        text = str(interval).replace(",", "")
        return Fix(f'set the gate {name} to "{text}"', False, (Edit(("gates", name), "set", text),))

    def _measure(self, step: Step, measure: str, interval: Interval) -> Fix | None:
        """Change the one number that brings a measure, such as the share of layers removed, into its bounds."""
        planned = next((one for one in self.plan.steps if one.step == step), None) if self.plan else None
        if self.plan is None or planned is None:
            return None
        for name, value in _tries(step, measure):
            try:
                other: Step = replace(step, **{name: value})
                after = other.resized(planned.family, planned.before)
                found = other.measures(planned.family, planned.before, after)[measure]
            except ValueError:  # a shape that the config cannot express
                continue
            if interval.holds(found):
                return self._set(step.name, name, value)
        return None


def _comes_after(names: Sequence[str], first: str, later: str) -> bool:
    return first in names and later in names and names.index(first) > names.index(later)


def _moves(names: list[str], order: Sequence[str]) -> Iterator[Edit]:
    """The moves that bring some steps into an order; one step to the end where that is enough."""
    for place, name in enumerate(order):
        at = names.index(name)
        if at == place:
            continue
        if [one for one in names if one != names[place]] == [one for one in order if one != names[place]]:
            yield Edit(("steps", place), "move", order.index(names[place]))
            return
        yield Edit(("steps", at), "move", place)
        names.insert(place, names.pop(at))


def _tries(step: Step, measure: str) -> Iterator[tuple[str, int]]:
    """Numbers of blocks or of increments near those that are given, of the settings that change a measure."""
    counts = [name for name in step.measured[measure] if name.endswith("keep") or name == "increments"]
    given = {name: getattr(step, name) for name in counts if getattr(step, name) is not None}
    for away in range(1, MOST_TRIED + 1):
        for name, value in given.items():
            if value + away <= MOST_COUNTED:
                yield name, value + away
            if away < value <= MOST_COUNTED:
                yield name, value - away


class Unfitting(NamedTuple):
    """A setting that the model's config cannot express. shape: of the model before any step."""

    problem: Problem
    recipe: Recipe
    family: Family
    shape: Shape

    def fix(self) -> Fix | None:
        """How to write what the config can express, or None: a person has to choose."""
        step, setting = self.recipe.step(self.problem.step), self.problem.setting
        if step is None or not setting or getattr(step, setting) is None:
            return None
        path = ("steps", self.recipe.step_names.index(step.name), step.name, setting)
        if isinstance(step, LayerRemoval):
            return self._stacks(step, path)
        if not isinstance(step, MatrixPruning) or not self.family.hidden_follows_heads:
            return None
        if setting == "heads":
            return Fix("remove heads, which has no effect here", False, (Edit(path, "remove"),))
        return self._whole_heads(step, path) if setting == "hidden_size" else None

    def _stacks(self, step: LayerRemoval, path: Path_) -> Fix | None:
        """Name the stacks that the model has."""
        stacks, given = [stack.name for stack in self.family.stacks], [step.encoder_keep, step.decoder_keep]
        if len(stacks) == 1 and path[-1] != "keep" and step.keep is None and None in given:
            same = path[-1] == f"{stacks[0]}_keep"
            return Fix(f"write keep instead of {path[-1]}", same, (Edit(path, "rename", "keep"),))
        if len(stacks) == 2 and path[-1] == "keep" and given == [None, None]:
            edits = (Edit(path, "rename", "encoder_keep"), Edit((*path[:-1], "decoder_keep"), "set", step.keep))
            return Fix(f"keep {step.keep} blocks of the encoder and of the decoder", False, edits)
        return None

    def _whole_heads(self, step: MatrixPruning, path: Path_) -> Fix | None:
        """The nearest width of whole heads that is narrower than the model's."""
        size, most = self.shape.head_size, self.shape.heads - 1
        heads = min(most, max(1, round((step.hidden_size or 0) / size)))
        if most < 1 or (step.hidden_size or 0) > self.shape.hidden_size:
            return None
        return Fix(f"set hidden_size to {heads * size}", False, (Edit(path, "set", heads * size),))


def nearest(interval: Interval, value: Any, kind: type) -> Number | None:
    """The end of an interval that is nearest to a number outside of it; None where it has no nearest one."""
    if not isinstance(value, int | float | Fraction):
        return None
    below = interval.low is not None and exact(value) <= interval.low
    end = interval.low if below else interval.high
    if end is None:
        return None
    if kind is int:
        whole = ceil(end) if below else floor(end)
        excluded = interval.without_low if below else interval.without_high
        return whole + (1 if below else -1) if excluded and whole == end else whole
    return float(end) if interval.holds(end) and interval.holds(float(end)) else None
