"""Run inputs: the recipe, the facts, and the reasons for the recipe, as written to a run's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from advisor.base.files import write, write_json
from advisor.execution.job import Job
from advisor.facts.facts import Facts
from advisor.recipe.reader import load
from advisor.recipe.recipe import Recipe, as_yaml
from advisor.records.output_folder import ADVICE, FACTS, RECIPE
from advisor.records.run_folder import read


def write_assignment(job: Job, out: Path) -> None:
    """Write recipe.yaml, facts.json and advice.json. Raises: see `files.write`."""
    write(out / RECIPE, as_yaml(job.recipe, whole=True))
    write(out / FACTS, json.dumps(_facts(job.reviewed.facts), default=sorted, indent=2))
    write_json(out / ADVICE, _advice(job))


def changed_since(job: Job, out: Path) -> list[str]:
    """What is otherwise than for the finished run here, whose steps, and so whose model and data, are the same.

    That model and data lie elsewhere now is no change.
    """
    told = read(out).provenance
    same = {
        "the recipe": (out / RECIPE).read_text(encoding="utf-8") == as_yaml(_moved_to(job.recipe, out), whole=True),
        "what is assumed of emissions": told.get("assumed") == asdict(job.assumed),
        "how they are measured": told.get("measuring") == {**job.measuring.stated(), "requests": job.requests},
    }
    return [name for name, alike in same.items() if not alike]


def _moved_to(recipe: Recipe, out: Path) -> Recipe:
    """The recipe with model and data where the run here had them."""
    was = load(out / RECIPE)[0]
    model = replace(recipe.model, source=was.model.source)
    return replace(recipe, model=model, data=replace(recipe.data, source=was.data.source))


def _facts(facts: Facts) -> dict[str, Any]:
    return {name: value for name, value in facts.values().items() if value != float("inf")}


def _advice(job: Job) -> dict[str, Any]:
    """Why the recipe is as it is, and what the rules remarked."""
    findings = [{"rule": one.rule, "severity": one.severity, "message": one.message} for one in job.reviewed.findings]
    return {"steps": [one._asdict() for one in job.verdicts], "findings": findings}
