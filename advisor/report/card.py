"""The model card of a finished run: a README.md that the Hub understands and a reader can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from advisor.base.rounding import rounded
from advisor.deployment.gates import ENOUGH
from advisor.facts.facts import DataFacts
from advisor.facts.tasks import TASKS, USUAL
from advisor.families.registry import every
from advisor.inspection.probe import card_licence
from advisor.recipe.recipe import Recipe, as_yaml
from advisor.recipe.steps.distillation import Distillation
from advisor.records.break_even import verdict
from advisor.records.results import Measured, RunResult, StepResult
from advisor.report.escape import escaped
from advisor.report.frontmatter import data_name, front, hub_id, last_part, making
from advisor.report.shares import emissions_head, interval, percent, rows
from advisor.report.style import plural
from advisor.runs.summary import paid_back, warning


def text(result: RunResult, recipe: Recipe, data: DataFacts, license_: str = "") -> str:
    """The whole card. license_: the base model's, "" if it is not known."""
    return front(result, recipe, data, license_) + "\n" + "\n".join(_body(result, recipe, data, license_)) + "\n"


def base_license(folder: Path | None) -> str:
    """The license that the card in the base model's folder states; "" where it states none."""
    found = card_licence(folder) if folder else None
    return found if found and re.fullmatch("[a-z0-9.+-]+", found) else ""


def section(result: RunResult) -> str:
    """A run's name, summary and table alone, for a comment on a change."""
    summary = [f"{escaped(result.summary)}\n"] if result.summary else []
    return "\n".join([f"## {escaped(result.name)}\n", *summary, *_table(result)]) + "\n"


def _body(result: RunResult, recipe: Recipe, data: DataFacts, license_: str) -> Iterator[str]:
    yield f"# {escaped(result.name)}\n"
    if words := warning(result.gates):
        yield f"> **Warning**: {escaped(words)}.\n"
    yield f"{escaped(_base(result))} made smaller by `advise`{_for(result)}: {_steps(result)}."
    yield from (f"\n**{escaped(result.summary)}**",) if result.summary else ()
    yield from ("\n## Results\n", *_table(result))
    rows = f"{plural(result.eval_samples, 'row')} of {escaped(data_name(recipe))}"
    yield f"\nShares are relative to the fine-tuned model, on the same {rows}."
    yield from (f"{escaped(note)}." for note in result.notes)
    yield from ("\n## Compression steps\n", *_compression(result))
    yield from ("\n## Environmental impact\n", *_impact(result))
    yield from ("\n## Intended use and limits\n", *_limits(result, recipe, data, license_))
    yield from ("\n## How to load it\n", *_loading(result))
    yield from ("\n## Where it comes from\n", *_provenance(result, recipe))
    recipe_text = as_yaml(published(recipe), whole=True).rstrip()
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", recipe_text)), default=0))
    yield f"\n## Recipe\n\n{fence}yaml\n{recipe_text}\n{fence}"


def published(recipe: Recipe) -> Recipe:
    """The recipe without this machine's folders: of a local model or data set the last part of its path is left."""
    model = replace(recipe.model, source=_public(recipe.model.source))
    source = recipe.data.source
    data = replace(recipe.data, source=source and _public(source))
    steps = tuple(
        replace(step, student=_public(step.student)) if isinstance(step, Distillation) and step.student else step
        for step in recipe.steps
    )
    return replace(recipe, model=model, data=data, steps=steps)


def _public(source: str) -> str:
    return hub_id(source) or last_part(source)


def _base(result: RunResult) -> str:
    return hub_id(result.model) or f"{result.family} from a local folder"


def _for(result: RunResult) -> str:
    return ", to serve on an edge device" if result.device == "edge" else f", to serve on {result.device}"


def _steps(result: RunResult) -> str:
    return ", ".join(escaped(step.words) for step in result.steps)


def _table(result: RunResult) -> Iterator[str]:
    yield f"| Type | % Accuracy | % Size | % Time | {emissions_head([result])} |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for row in rows(result):
        cells = map(_cell, (row.accuracy, row.size, row.time, row.emissions))
        yield f"| {escaped(row.words)} | {' | '.join(cells)} |"


def _cell(one: Measured | None) -> str:
    if one is None:
        return ""
    ends = interval(one)
    return percent(one) + (f" ({ends})" if ends else "")


def _compression(result: RunResult) -> Iterator[str]:
    for number, step in enumerate(result.steps, start=1):
        metrics = ", ".join(f"{escaped(name)} {value:.4f}" for name, value in _metrics(step).items())
        size = f"{step.parameters:,} parameters, {step.size_bytes / 1e6:,.1f} MB"
        notes = "".join(f"; {escaped(note)}" for note in step.notes)
        yield f"{number}. **{escaped(step.words)}** (`{step.path}`): {metrics}; {size}{notes}"


def _metrics(step: StepResult) -> dict[str, float]:
    return dict(step.metrics) or {step.metric: step.accuracy}


def _impact(result: RunResult) -> Iterator[str]:
    """Making and using apart: the first is paid once, the second with every request."""
    grams = making(result)
    hours = sum(step.seconds for step in result.steps) / 3600
    yield f"Hardware: {escaped(result.provenance.get('machine') or 'not known')}.\n"
    yield f"**Making it** (training and search, all steps, {rounded(hours, 2)} hours): {_quantity(grams, 'g CO2e')}.\n"
    served = result.steps[-1].served
    yield f"**Using it** (operational, no embodied carbon): {_quantity(served.wh_per_1000, 'Wh per 1,000 requests')};"
    yield f"idling for the same time: {_quantity(served.idle_wh_per_1000, 'Wh')};"
    yield f"emissions: {_quantity(served.g_per_1000, 'g CO2e per 1,000 requests')}.\n"
    if result.payback.value is not None:
        yield f"Making it is paid back after {paid_back(result.payback)} ({escaped(result.payback.source)})."
    else:
        yield f"When making it is paid back is not known ({escaped(result.payback.why_not)})."
    if result.net_saving.value is not None:
        yield f"\n{escaped(verdict(result.net_saving))} ({escaped(result.net_saving.source)})."
    if result.sci.value is not None:
        yield f"\nSoftware Carbon Intensity (ISO/IEC 21031:2024): {_quantity(result.sci, 'g CO2e per 1,000 requests')}."


def _quantity(one: Measured, unit: str) -> str:
    if one.value is None:
        return f"not measured ({escaped(one.why_not)})"
    return f"{rounded(one.value)} {unit}" + (f" ({escaped(one.source)})" if one.source else "")


def _limits(result: RunResult, recipe: Recipe, data: DataFacts, license_: str) -> Iterator[str]:
    task = escaped(data.task or USUAL)
    yield f"- For {task} of rows like those of {escaped(data_name(recipe))}; nothing else was measured."
    few = f"; below {ENOUGH} they cannot verify a relative accuracy" if result.eval_samples < ENOUGH else ""
    yield f"- Measured on {plural(result.eval_samples, 'report row')}{few}."
    yield "- A smaller model keeps the faults and biases of its base model, and may be worse on rare kinds of input."
    artefact = result.steps[-1].artefact
    if artefact:
        yield f"- Serves on: {', '.join(artefact.devices)}. Time and energy hold for the hardware named above."
    missed = [f"{gate.name} {gate.demanded}" for gate in result.gates if not gate.passed]
    if missed:
        yield f"- **It missed gates**: {escaped(', '.join(missed))}."
    yield from () if license_ else ("- The license of the base model is not known here; it holds for this model too.",)


def _loading(result: RunResult) -> Iterator[str]:
    yield "Whatever the last step wrote, `advise` loads it:\n"
    task = TASKS.get(result.task, TASKS[USUAL])
    class_, asked = task.stock_class, task.asked
    yield f'```python\nfrom advisor import load\n\npredict = load("FOLDER")\nprint(predict({asked}))\n```'
    plain = [step for step in result.steps if step.artefact is None or step.artefact.kind == "checkpoint"]
    if plain and not _answers_in_words(result):
        yield (
            "\nThe last model before int8 is a plain checkpoint:\n" if plain[-1] is not result.steps[-1] else "\nOr:\n"
        )
        yield (
            f'```python\nfrom transformers import {class_}\n\n{class_}.from_pretrained("FOLDER/{plain[-1].path}")\n```'
        )


def _answers_in_words(result: RunResult) -> bool:
    """Whether it classifies by words that its decoder scores, which `load` alone does."""
    writers = {family.title for family in every() if family.text_to_text}
    return result.task == "text-classification" and result.family in writers


def _provenance(result: RunResult, recipe: Recipe) -> Iterator[str]:
    provenance = result.provenance
    versions = ", ".join(f"{name} {version}" for name, version in dict(provenance.get("versions") or {}).items())
    policy = recipe.policy
    found = {
        "finished": result.finished,
        "rows": f"SHA-256 {provenance['data_sha256']}" if provenance.get("data_sha256") else "",
        "seed": str(provenance.get("seed", "")),
        "policy": f"{policy.name} {policy.version}, SHA-256 {policy.sha256}" if policy else "",
        "versions": versions,
    }
    yield from (f"- {name}: {escaped(value)}" for name, value in found.items() if value)
