"""Advice as plain text. Rich is left out on purpose: importing it costs a third of the time advice may take."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from advisor.advice.candidates import NO_EVIDENCE, Candidate
from advisor.advice.measured import Seen
from advisor.advice.prediction import Prediction
from advisor.advice.ranges import Range
from advisor.advice.reasons import Verdict
from advisor.advice.recommendation import Advice
from advisor.recipe.recipe import as_dict, as_yaml
from advisor.report.style import breadth, columns, paint, plural

UNCUT = 100  # columns of what is no terminal, which cuts nothing
INDENT = " " * 5  # of what stands below a recipe of the table


def recipe_yaml(advice: Advice) -> str:
    """The advised recipe, with the reason and the rules beside every step."""
    reasons = {one.step: reason(one) for one in advice.verdicts}
    left_out = [f"# without {one.step}: {reasons[one.step]}" for one in advice.verdicts if not one.kept]
    head = "# written by advise; review it with: advise check, run it with: advise run\n"
    return head + as_yaml(advice.chosen.recipe, reasons) + "\n".join(left_out) + ("\n" if left_out else "")


def advice_json(advice: Advice) -> str:
    """Facts, recipe, predictions and reasons as JSON."""
    chosen = advice.chosen
    return json.dumps(
        {
            "facts": plain(advice.facts),
            "policy": plain(advice.policy.stamp),
            "recipe": as_dict(chosen.recipe),
            "prediction": _prediction(chosen.prediction),
            "steps": [plain(one) for one in advice.verdicts],
            "candidates": [_candidate(one, one is chosen) for one in advice.candidates],
            "notes": list(advice.notes),
        },
        indent=2,
        allow_nan=False,
    )


def plain(value: Any) -> Any:
    """Any of our values as JSON can carry it: named fields as objects, sets as sorted lists."""
    from dataclasses import fields, is_dataclass  # not at start-up: text does without them

    if is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value == float("inf"):  # no end, which JSON cannot carry
        return None
    return sorted(value) if isinstance(value, frozenset) else value


def _prediction(said: Prediction) -> dict[str, Any]:
    """A prediction, without the measured runs that it was compared with but their number."""
    found: dict[str, Any] = plain(said._replace(seen=Seen()))
    return found | {"seen": {"runs": len(said.seen.points), "data_sets": said.seen.data_sets}}


def _candidate(candidate: Candidate, chosen: bool) -> dict[str, Any]:
    return {
        "steps": [step.words() for step in candidate.recipe.steps],
        "chosen": chosen,
        "admissible": candidate.admissible,
        "prediction": _prediction(candidate.prediction),
        "making": plain(candidate.making),
        "narrowed": [str(one) for one in candidate.narrowed],
        "misses": list(candidate.misses),
        "violations": [
            {
                "rule": one.rule.id,
                "severity": one.rule.severity,
                "message": one.message,
                "undecided": one.undecided,
            }
            for one in candidate.violations
        ],
    }


def explanation(advice: Advice, width: int = 100, colour: bool = False) -> str:
    """Facts, each step with its reason, and the recipes that were compared."""
    lines = [*_facts(advice, colour), ""]
    for one in advice.verdicts:
        mark = paint("+", "green", colour) if one.kept else paint("-", "dim", colour)
        lines += _hanging(f"  {mark} {paint(one.step.ljust(15), 'bold', colour)} ", 20, reason(one), width)
    lines += ["", *_table(advice, width, colour)]
    lines += _sources(advice.chosen)
    for note in advice.notes:
        label = "" if note.startswith(("warning ", "error ")) else "note  "
        lines += ["", *_hanging(label, 6, note, width)]
    return "\n".join(lines) + "\n"


def reason(verdict: Verdict) -> str:
    """Why a step is kept or left out, by which rules, and what would allow it."""
    rules = f" [{', '.join(verdict.rules)}]" if verdict.rules else ""
    opens = f"; becomes allowed {verdict.opens}" if verdict.opens else ""
    return f"{verdict.reason}{rules}{opens}"


def _sources(chosen: Candidate) -> list[str]:
    """What is known exactly of the chosen recipe before int8, and where the ranges come from."""
    said, lines = chosen.prediction, [""]
    if said.parameters is not None and said.compute is not None and chosen.plan is not None:
        share = said.parameters / chosen.plan.baseline_parameters
        lines += [f"exact  {said.parameters:,} parameters ({share:.1%}), {said.compute:.1%} of the multiplications"]
    lines += [f"ranges {' · '.join(said.basis)} (keys of docs/evidence.md)"] if said.basis else []
    return lines if len(lines) > 1 else []


def _facts(advice: Advice, colour: bool) -> list[str]:
    stamp = advice.policy.stamp
    applying = {one.rule.id for candidate in advice.candidates for one in candidate.violations}
    rules = f"{plural(len(advice.policy.rules), 'rule')}, {len(applying)} with findings on a recipe below"
    return [
        f"{paint('facts ', 'bold', colour)}  {facts_line(advice)}",
        f"{paint('policy', 'bold', colour)}  {stamp.name} {stamp.version} · {rules} · sha256 {stamp.sha256[:12]}",
    ]


def facts_line(advice: Advice) -> str:
    """The facts in one line; beside a type that rules know by its kind alone, the name that they know it by."""
    facts, plan = advice.facts, advice.chosen.plan
    model, data = facts.model, facts.data
    name = model.family or "unknown family"
    if plan and plan.family.model_type != name:
        name = f"{plan.family.model_type} ({name} in rules)"
    layers = [count for count in (model.encoder_layers, model.decoder_layers) if count]
    parts = [name, model.kind or "unknown kind"]
    parts += [f"{'+'.join(map(str, layers))} {'layer' if layers == [1] else 'layers'}"] if layers else []
    parts += [f"{model.parameters / 1e6:.1f} M parameters"] if model.parameters else []
    samples = plural(data.samples, "sample") if data.samples else "samples unknown"
    goal = f"relative accuracy >= {facts.goal.relative_accuracy:g}"
    goal += f", emissions <= {facts.goal.relative_emissions:g}" if facts.goal.relative_emissions else ""
    goal += f", {facts.goal.requests:,} requests" if facts.goal.requests else ""
    return f"{' · '.join(parts)} | {samples} · {data.task or 'task not given'} | {facts.device.kind} | {goal}"


def _hanging(first: str, indent: int, text: str, width: int) -> list[str]:
    wrapped = textwrap.wrap(text, max(30, width - indent), break_on_hyphens=False) or [""]
    return [first + wrapped[0], *(" " * indent + line for line in wrapped[1:])]


def _table(advice: Advice, width: int, colour: bool) -> Iterator[str]:
    """The recipes that were compared; what is said of one stands below it where the line has no room for it."""
    rows: list[tuple[str, ...]] = [("", "recipe", "accuracy", "size", "emissions", "")]
    rows += [_row(one, one is advice.chosen) for one in advice.candidates]
    lines = list(columns(rows))
    if width < UNCUT and max(map(breadth, lines)) > width:
        lines = list(_folded_rows(rows, width))
    for place, line in enumerate(lines):
        chosen = place and advice.candidates[place - 1] is advice.chosen
        yield paint(line, "green" if chosen else "bold", colour) if chosen or not place else line


def _folded_rows(rows: Sequence[tuple[str, ...]], width: int) -> Iterator[str]:
    """Rows whose last column, and the rest of a long name, stand below them."""
    plain = list(columns([row[:-1] for row in rows]))
    names = [breadth(row[1]) for row in rows]
    room = max(20, max(names) - max(0, max(map(breadth, plain)) - width))
    named = [textwrap.wrap(row[1], room) or [""] for row in rows]
    first = columns([(row[0], name[0], *row[2:-1]) for row, name in zip(rows, named, strict=True)])
    for row, name, line in zip(rows, named, first, strict=True):
        yield "\n".join([line, *(f"{INDENT}{part}" for part in (*name[1:], row[-1]) if part)])


def _row(one: Candidate, chosen: bool) -> tuple[str, ...]:
    errors = list(dict.fromkeys(found.rule.id for found in one.violations if found.rule.severity == "error"))
    ruled_out = f"ruled out: {errors[0]}" + (f" +{len(errors) - 1}" if len(errors) > 1 else "") if errors else ""
    ruled_out = ruled_out or ("does not fit the model" if one.problems else "")
    missed = "no evidence" if NO_EVIDENCE in one.misses else "misses the goal"
    verdict = "chosen" if chosen else ruled_out or (missed if one.misses else "less green")
    # Every recipe fine-tunes first; saying so in each row would only make the table wide.
    words = ", ".join(step.words() for step in one.recipe.steps[1:]) or "fine-tuned only"
    said = one.prediction
    return (">" if chosen else "", words, _range(said.accuracy), _range(said.size), _range(said.emissions), verdict)


def _range(value: Range | None) -> str:
    return str(value) if value else "no evidence"
