"""What was checked as Markdown, for a comment on a pull request: what recipes do, and which rules they break."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.advice.prediction import Prediction, of_recipe
from advisor.advice.ranges import Range
from advisor.recipe.plan import Plan
from advisor.report.escape import code, escaped
from advisor.report.findings import counts
from advisor.report.paths import from_root
from advisor.report.style import plural
from advisor.review.findings import SEVERITIES, Finding
from advisor.review.outcome import Checked, Reviewed

MOST_SIGNS = 60_000  # GitHub refuses comments of more than 65,536
SIGNS = {"error": "**error**", "warning": "warning", "note": "note"}


def comment(checked: Checked) -> str:
    """A heading, then a section for each recipe, those with findings first, as many as a comment may hold."""
    number = counts(checked)
    found = ", ".join(plural(number[f"{severity}s"], severity) for severity in SEVERITIES)
    what = plural(number["files"], "recipe" if checked.command == "check" else "run")
    head = f"## advise {checked.command}: {what}, {found}"
    marked = [f"{number[name]} {name}" for name in ("waived", "known") if number[name]]
    policy = checked.policy
    lines = [head, "", f"Policy {policy.name} {policy.version}, {plural(number['rules'], 'rule')}; "]
    lines[-1] += "".join(f"{one}; " for one in marked) + f"{checked.exit_words} (exit code {checked.exit_code})."
    lines += ["", *(f"- kept: {escaped(words)}" for words in checked.kept)] if checked.kept else []
    text, left = "\n".join(lines) + "\n", 0
    for file in sorted(checked.told_of, key=lambda file: _severity(file, checked)):
        section = "\n" + "\n".join(_section(file, checked)) + "\n"
        left += len(text) + len(section) > MOST_SIGNS
        text += section if not left else ""
    return text + (f"\n{plural(left, 'more recipe')} did not fit into this comment.\n" if left else "")


def _severity(file: str, checked: Checked) -> int:
    """How early a recipe is shown: by the worst that counts in it."""
    mine = (SEVERITIES.index(one.severity) for one in checked.findings if one.place.file == file and one.counts)
    return min(mine, default=len(SEVERITIES))


def _section(file: str, checked: Checked) -> Iterator[str]:
    reviewed = checked.reviewed.get(file)
    yield f"### {escaped(from_root(file))}" + (f": {escaped(reviewed.recipe.name)}" if reviewed else "")
    if reviewed:
        yield ""
        yield from _does(reviewed)
    mine = [one for one in checked.findings if one.place.file == file]
    for title, some in (
        ("Breaks rules", [one for one in mine if one.counts]),
        ("Waived", [one for one in mine if one.waiver]),
        ("Known from the baseline", [one for one in mine if one.known and not one.waiver]),
    ):
        if some:
            yield f"\n**{title}**\n"
            yield from (_finding(one) for one in some)
    if not mine:
        yield "\nFollows all rules."


def _does(reviewed: Reviewed) -> Iterator[str]:
    """What a recipe does, step by step, with exact sizes, and what it is predicted to cost and bring."""
    recipe, plan = reviewed.recipe, reviewed.plan
    samples = plural(recipe.data.samples, "sample") if recipe.data.samples else "samples not stated"
    yield f"{code(recipe.model.source)}, {samples}, for {recipe.device}\n"
    yield "| step | what | parameters | of the baseline |"
    yield "| --- | --- | ---: | ---: |"
    sizes = {one.step.name: one.parameters for one in plan.steps} if plan and not plan.problems else {}
    for step in recipe.steps:
        exact = sizes.get(step.name)
        size = f"{exact:,} | {exact / plan.baseline_parameters:.1%}" if exact and plan else "not known | "
        yield f"| {step.name} | {escaped(step.words())} | {size} |"
    yield ""
    yield _predicted(reviewed, plan)


def _predicted(reviewed: Reviewed, plan: Plan | None) -> str:
    int8 = reviewed.recipe.step("quantization") is not None
    said = of_recipe(plan, plan.family if plan else None, reviewed.facts.data, int8)
    values = {"accuracy": said.accuracy, "time": said.time, "emissions": said.emissions, "bytes": said.size}
    ranges = [f"{name} {_share(value)}" for name, value in values.items() if value]
    ranges += ["no accuracy, as no distillation repairs the cut"] if plan and not plan.repaired else []
    if plan and plan.problems:
        return "Nothing can be predicted: the recipe does not fit the model."
    if not ranges:
        return "Nothing can be predicted: there is no evidence for such a recipe."
    return f"Predicted, relative to the fine-tuned model: {', '.join(ranges)}{_basis(said)}."


def _share(value: Range) -> str:
    if value.low == value.high:
        return f"{value.low:.1%}"
    low, high = f"{100 * value.low:.0f}", f"{100 * value.high:.0f}"
    return f"{high}%" if low == high else f"{low} to {high}%"


def _basis(said: Prediction) -> str:
    return f" (evidence: {' / '.join(said.basis)})" if said.basis else ""


def _finding(one: Finding) -> str:
    line = f" (line {one.place.line})" if one.place.line else ""
    text = f"- {SIGNS[one.severity]} `{one.rule}`{line}: {escaped(one.message)}"
    if one.waiver:
        until, owner, reason = map(escaped, (one.waiver.until, one.waiver.owner, one.waiver.reason))
        return f"{text}. Waived until {until} by {owner}: {reason}"
    text += f". Allowed {escaped(one.allowed_if)}" if one.allowed_if else ""
    return text + (f". Fix: {escaped(one.fix.words)}" if one.fix else "")
