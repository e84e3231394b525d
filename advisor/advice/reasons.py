"""Reasons: why each step is in an advised recipe or not, and what the user should know beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from advisor.advice.candidates import NO_EVIDENCE, Candidate, greenest
from advisor.advice.making import rounded, total
from advisor.advice.measured import asked
from advisor.advice.prediction import Prediction
from advisor.advice.ranges import OF_CLASSIFIERS
from advisor.facts.facts import Facts
from advisor.families.registry import tasks_of
from advisor.policy.counterfactual import opening
from advisor.policy.judge import Violation
from advisor.policy.pack import Policy
from advisor.policy.view import View, look
from advisor.recipe.flow_style import flow
from advisor.recipe.steps import STEPS

SMALLEST = 2_490  # examples of RTE, the smallest data set of the evidence; WNLI, which is smaller, is left out of it


class Verdict(NamedTuple):
    """Why a step is in the recipe or not, the rules behind it, and with what facts it would become allowed."""

    step: str
    kept: bool
    reason: str
    rules: tuple[str, ...] = ()
    opens: str = ""


def verdicts(policy: Policy, facts: Facts, chosen: Candidate, others: tuple[Candidate, ...]) -> tuple[Verdict, ...]:
    """One for each kind of step. others: all candidates, the chosen one among them."""
    view = look(facts, chosen.recipe, chosen.plan.measures if chosen.plan else {})
    return tuple(
        Verdict(step, True, _why_kept(step, chosen), _rules_about(step, policy, view))
        if step in chosen.recipe.step_names
        else _left_out(step, chosen, others, policy, facts)
        for step in STEPS
    )


def _left_out(step: str, chosen: Candidate, candidates: tuple[Candidate, ...], policy: Policy, facts: Facts) -> Verdict:
    others = [one for one in candidates if step in one.recipe.step_names]
    if step == "distillation":
        return Verdict(step, False, f"nothing to repair: no layer or matrix is removed{_or_student(others)}")
    if not others:
        return Verdict(step, False, _nothing_to_cut(step, chosen))
    open_ = [one for one in others if one.admissible]
    unfit = [next((wrong.text for wrong in one.problems if wrong.step == step), "") for one in others]
    if not open_ and all(unfit):
        return Verdict(step, False, unfit[0])
    if not open_:
        mildest = min(others, key=lambda one: sum(v.rule.severity == "error" for v in one.violations))
        blame = _blame(step, mildest)
        return Verdict(
            step,
            False,
            _said(blame),
            tuple(dict.fromkeys(one.rule.id for one in blame)),
            opening(policy, look(facts, mildest.recipe, mildest.plan.measures if mildest.plan else {})),
        )
    best = min(open_, key=lambda one: (len(one.misses), _shortfall(one, facts), greenest(one)))
    if NO_EVIDENCE in best.misses:
        return Verdict(step, False, f"{NO_EVIDENCE} ({best.words}): run it and measure it")
    if best.misses:
        return Verdict(step, False, f"would miss the goal: {best.misses[0]} ({best.words})")
    return Verdict(step, False, _not_worth_it(best, chosen))


def _said(blame: Sequence[Violation]) -> str:
    """What rules say, with what several of them begin with once: `layer_removal is forbidden: samples …; kind …`."""
    reasons: dict[str, list[str]] = {}
    for message in dict.fromkeys(one.message for one in blame):
        what, sign, why = message.partition(": ")
        reasons.setdefault(what + sign, []).append(why)
    return "; ".join(what + "; ".join(whys) for what, whys in reasons.items())


def _nothing_to_cut(step: str, chosen: Candidate) -> str:
    """Why no recipe was tried that removes layers, or that prunes matrices."""
    if chosen.plan is None or not chosen.plan.steps:
        return "its sizes are not known"
    family, shape = chosen.plan.family, chosen.plan.family.shape(chosen.plan.steps[0].before)
    if not {"encoder", "decoder"} & set(shape.layers):
        return f"no step can name its {' and '.join(shape.layers)} layers"
    if step == "matrix_pruning" and not family.narrows:
        return "its config can say no smaller hidden size"
    if step == "matrix_pruning" and family.loses_heads and shape.together == shape.heads > 1:
        return f"its {shape.heads} heads share one key and value, so none of them can go"
    return "it has too few layers"


def _not_worth_it(best: Candidate, chosen: Candidate) -> str:
    requests, more = chosen.recipe.goal.requests, best.making.requests if best.making else 0.0
    saved = total(None, chosen.judged.emissions, None) - total(None, best.judged.emissions, None)
    if not requests or not more or saved <= 0:
        return "not needed: the recipe without it is predicted to be at least as green"
    even = (more - (chosen.making.requests if chosen.making else 0.0)) / saved
    so_many = f"{requests:,} request{'s' if requests > 1 else ''}"
    simpler = ", ".join(step.words() for step in chosen.recipe.steps[1:])
    return (
        f"does not pay with {so_many}: {f'{simpler} alone' if simpler else 'fine-tuning alone'} emits less up to "
        f"{rounded(even)}, as making this emits as much as {rounded(more)} requests to the baseline ({best.words})"
    )


def _or_student(others: Sequence[Candidate]) -> str:
    named = any(one.recipe.student for one in others)
    return ", and the given student is not chosen (see the note)" if named else ""


def _shortfall(candidate: Candidate, facts: Facts) -> float:
    """How far the middle of the predicted accuracy lies below the goal."""
    accuracy = candidate.judged.accuracy
    return max(0.0, facts.goal.relative_accuracy - accuracy.middle) if accuracy else 1.0


def _blame(step: str, mildest: Candidate) -> list[Violation]:
    """What keeps a step out of the mildest recipe that has it, about that step first."""
    errors = [one for one in mildest.violations if one.rule.severity == "error"]
    return [one for one in errors if step in one.at] or errors


def _why_kept(step: str, chosen: Candidate) -> str:
    if step == "finetune":
        return "the baseline of every comparison, and the teacher"
    if step == "distillation" and chosen.recipe.student:
        return "trains the given student on the answers of the fine-tuned teacher"
    if step == "distillation":
        return "repairs every structural change, from the fine-tuned teacher"
    words = next(one.words() for one in chosen.recipe.steps if one.name == step)
    if NO_EVIDENCE in chosen.misses:
        return f"{words}: {NO_EVIDENCE}, but it needs no training, and the run compares it with the model before it"
    ranges = _ranges(chosen.judged)
    by = "" if ranges == _ranges(chosen.prediction) else "judged by "  # the table shows what measured runs make of them
    return f"{words}: in the greenest admissible recipe that meets the goal ({by}{ranges})"


def _ranges(said: Prediction) -> str:
    return f"relative accuracy {said.accuracy}, emissions {said.emissions}"


def _rules_about(step: str, policy: Policy, view: View) -> tuple[str, ...]:
    """The rules that shape a kept step: those that demand or bound it here, and those that other data or another
    device would make forbid it."""
    found = []
    for rule in policy.rules:
        then, applies = rule.then, rule.when.truth(view) is True
        settings = [*(then.limit or {}), *(then.allow_only or {}), *(then.prefer or {})]
        bounds = step in then.require or any(name.startswith(f"{step}.") for name in settings)
        elsewhere = not applies and not any(name.startswith("model.") for name in rule.when.names())
        if (applies and bounds) or (elsewhere and step in then.forbid):
            found.append(rule.id)
    return tuple(found)


def notes(chosen: Candidate, facts: Facts) -> Iterator[str]:
    own = chosen.prediction.accuracy
    if NO_EVIDENCE in chosen.misses:
        goal = f"{facts.goal.relative_accuracy:g}"
        yield f"whether it meets the goal of {goal} is not known; the gate decides on the measured model"
    if own and own.low < facts.goal.relative_accuracy <= 1 and own.low < own.high:
        yield (
            f"it may miss the goal of {facts.goal.relative_accuracy:g}: the relative accuracy is predicted as {own}, "
            f"with {own.low:.2f} as its lower end; the gate decides on the measured model"
        )
    if own and chosen.plan and chosen.plan.family.judged_as and chosen.judged is not chosen.prediction:
        missed = own.middle < facts.goal.relative_accuracy
        told = f", and its middle misses the goal of {facts.goal.relative_accuracy:g}" if missed else ""
        yield f"chosen by BERT's ranges (opt-follows-bert); OPT's own range is {own}, on weaker evidence{told}"
    yield from _of_classifiers(chosen, facts)
    yield from _measured(chosen, facts)
    if alone := chosen.prediction.fp32_in_runtime:
        yield (
            f"time {chosen.prediction.time} of the baseline's is by int8 and its runtime together; in that runtime the "
            f"model is predicted to take {alone} in fp32"
        )
    yield from _made(chosen, facts)
    samples = facts.data.samples
    if chosen.making and chosen.making.requests and samples is not None and samples < SMALLEST:
        yield (
            f"{samples:,} examples are fewer than any data set behind the ranges has ({SMALLEST:,}, RTE): "
            "they are extrapolated"
        )
    if chosen.plan and not chosen.plan.family.executable:
        able = tasks_of(chosen.plan.family)
        how = f" without a task: --task {able[0]}" if able else " yet: advise run does not take this recipe"
        yield f"{chosen.plan.family.title} models cannot be executed{how}"
    if facts.goal.latency_ms is not None:
        yield "latency cannot be predicted; the gate decides on the measured model"
    for one in chosen.violations:
        severity = "" if one.rule.severity == "note" else f"{one.rule.severity} "
        yield f"{severity}{one.rule.id}: {one.message}"


def _of_classifiers(chosen: Candidate, facts: Facts) -> Iterator[str]:
    """That another task is asked for than the evidence is of."""
    if any(OF_CLASSIFIERS in one for one in chosen.prediction.basis):
        task = asked(facts.data.task, facts.data.problem_type).replace("_", " ")
        yield f"what a cut keeps is predicted {OF_CLASSIFIERS}, not for {task}; the gate decides on the measured model"


def _measured(chosen: Candidate, facts: Facts) -> Iterator[str]:
    """What this project has measured of comparable models, and in how many runs the goal was met."""
    said, goal = chosen.prediction, facts.goal.relative_accuracy
    seen, int8 = said.seen, "quantization" in chosen.recipe.step_names
    if not seen.points:
        return
    kept = seen.values("accuracy")
    where = ", ".join(dict.fromkeys(f"{one.model} on {one.data}" for one in seen.points))
    met = sum(round(value, 9) >= goal for value in kept)
    beyond = f"; beyond a constant answer they kept {said.beyond_chance}" if said.beyond_chance else ""
    what = f"{met} of {len(kept)} comparable runs{seen.before(int8)}"
    yield f"measured: {what} kept {goal:g} of the accuracy or more ({where}){beyond}"


def _made(chosen: Candidate, facts: Facts) -> Iterator[str]:
    """What making the model costs, against what it saves."""
    int8 = "; int8's own making not counted" if "quantization" in chosen.recipe.step_names else ""
    if chosen.making is None or not chosen.making.requests:
        if int8 and facts.goal.requests:
            yield "int8's own making is not counted; the run says what it emitted"
        return
    ask = "" if facts.goal.requests else "; --requests N weighs that against what the model saves"
    yield f"{chosen.making} (multiplications counted, as if one cost the same in training and in serving{int8}){ask}"


def given_student(found: Sequence[Candidate]) -> Iterator[str]:
    """What is known of the recipe with the given student, and how to compare it."""
    one = next((one for one in found if one.recipe.student), None)
    if one is None or one.plan is None:
        return
    step = f"distillation: {{student: {flow(one.recipe.student)}}}"
    share, compute = one.plan.parameters / one.plan.baseline_parameters, one.prediction.compute or 0
    yield (
        f"student {one.recipe.student}: {one.plan.parameters:,} parameters ({share:.1%}), {compute:.1%} of the "
        "multiplications. No evidence says what accuracy it keeps, so it is not chosen. To compare it, run a recipe "
        f"with `- {step}` in place of the cuts and their distillation"
    )


def white_paper_only(policy: Policy, verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    """The rules behind the verdicts that nobody but the white paper supports."""
    named = {name for verdict in verdicts for name in verdict.rules}
    alone = [rule.id for rule in policy.rules if rule.id in named and rule.white_paper_only]
    if alone:
        yield f"{', '.join(alone)}: on the evidence of the white paper alone"
