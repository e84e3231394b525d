"""Goals and gates of a recipe, compared with each other and with what its steps are predicted to achieve."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.advice.prediction import predict
from advisor.advice.ranges import Range
from advisor.base.interval import Interval
from advisor.base.yamlfile import Document
from advisor.facts.facts import Facts
from advisor.policy.pack import Policy
from advisor.recipe.plan import Plan
from advisor.recipe.recipe import AS_BOUND, Recipe
from advisor.review.findings import Finding, Path_, Place, at

HOLD, REACH = "gates-hold-the-goal", "out-of-reach"  # the rules of these findings
BYTES = 4  # of a parameter in fp32

Broken = tuple[str, str, Path_]  # rule, message, the part to blame


def goal_findings(
    policy: Policy, recipe: Recipe, document: Document, facts: Facts, planned: Plan | None
) -> Iterator[Finding]:
    """Gates that are looser than the goal, and bounds that even the better end of the prediction misses."""
    for name, message, path in [*_loose(recipe), *(_out_of_reach(recipe, facts, planned) if planned else ())]:
        rule = policy.rule(name)
        if rule:
            mark = document.mark(path, key=len(path) == 1)
            where = Place(document.name, mark.line, mark.column, mark.end_line, mark.end_column)
            yield Finding(name, rule.severity, message, rule.because, where, path, at(document.value, path))


def _loose(recipe: Recipe) -> Iterator[Broken]:
    if recipe.gates is None:
        return
    gates = recipe.gates.bounds()
    for name, goal in recipe.goal.bounds().items():
        if name not in gates:
            yield HOLD, f"the goal {name} {_said(recipe, 'goal', name)} has no gate", ("gates",)
        elif not gates[name].within(goal):
            gate, wanted = (_said(recipe, part, name) for part in ("gates", "goal"))
            yield HOLD, f"the gate {gate} is looser than the goal {wanted}", ("gates", name)


def _said(recipe: Recipe, part: str, name: str) -> str:
    """A bound as the recipe writes it."""
    return str(getattr(getattr(recipe, part), name))


def _out_of_reach(recipe: Recipe, facts: Facts, planned: Plan) -> Iterator[Broken]:
    if recipe.history:  # ranges from the user's own runs are better than the general ones
        return
    expected = _expected(recipe, facts, planned)
    for part in ("goal", "gates"):
        targets = getattr(recipe, part)
        for name, bound in (targets.bounds() if targets else {}).items():
            range_ = expected.get(name)
            if range_ and not _may_hold(bound, range_, AS_BOUND[name]):
                words = f"this recipe leaves {range_.low:.1f} MB" if name == "size_mb" else f"{range_} is expected"
                words += " even after distillation" if name == "relative_accuracy" and not planned.repaired else ""
                yield REACH, f"{name} must be {_said(recipe, part, name)}, but {words}", (part, name)


def _expected(recipe: Recipe, facts: Facts, planned: Plan) -> dict[str, Range | None]:
    """What the steps are predicted to achieve, by target; None where there is no evidence."""
    family, int8 = planned.family, "quantization" in recipe.step_names
    found = predict(planned, family, facts.data, int8, family.judged_as or family.predicted_as)
    whole = planned.baseline_parameters * BYTES / 1e6
    size = found.size.times(Range(whole, whole)) if found.size else None
    return {"relative_accuracy": found.accuracy, "relative_emissions": found.emissions, "size_mb": size}


def _may_hold(bound: Interval, expected: Range, sign: str) -> bool:
    return bound.holds(expected.high if sign == ">=" else expected.low)
