"""Run inputs: the recipe, the facts, and the reasons for the recipe, as written to a run's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError
from advisor.base.files import write, write_json
from advisor.execution.job import Job
from advisor.facts.facts import Facts
from advisor.recipe.reader import load
from advisor.recipe.recipe import Recipe, as_yaml
from advisor.records.output_folder import ADVICE, FACTS, RECIPE
from advisor.records.run_folder import read

PLACES = ("model.source", "data.source")  # facts


def write_assignment(job: Job, out: Path) -> None:
    """Write recipe.yaml, facts.json and advice.json. Raises: see `files.write`."""
    write(out / RECIPE, as_yaml(job.recipe, whole=True))
    write(out / FACTS, _as_json(_facts(job.reviewed.facts)))
    write_json(out / ADVICE, _advice(job))


def changed_since(job: Job, out: Path) -> list[str]:
    """What is otherwise than for the finished run here, all of whose steps are the same.

    That the same model and data lie elsewhere now is no change.
    """
    told, facts = read(out).provenance, json.loads((out / FACTS).read_text(encoding="utf-8"))
    same = {
        "the recipe": (out / RECIPE).read_text(encoding="utf-8") == _written_there(job.recipe, out),
        "the data": told.get("data_sha256") == job.data.fingerprint,
        "the facts": _known(facts) == _known(json.loads(_as_json(_facts(job.reviewed.facts)))),
        "what is assumed of emissions": told.get("assumed") == asdict(job.assumed),
        "how they are measured": told.get("measuring") == {**job.measuring.stated(), "requests": job.requests},
    }
    return [name for name, alike in same.items() if not alike]


def _written_there(recipe: Recipe, out: Path) -> str:
    """The recipe as the run here would have written it, with model and data where it had them."""
    try:
        was = load(out / RECIPE)[0]
    except AdviseError:
        return ""  # written by another version, to which something else was a recipe
    model = replace(recipe.model, source=was.model.source)
    return as_yaml(replace(recipe, model=model, data=replace(recipe.data, source=was.data.source)), whole=True)


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts but for where things lie."""
    return {name: value for name, value in facts.items() if name not in PLACES}


def _as_json(facts: dict[str, Any]) -> str:
    return json.dumps(facts, default=sorted, indent=2)


def _facts(facts: Facts) -> dict[str, Any]:
    return {name: value for name, value in facts.values().items() if value != float("inf")}


def _advice(job: Job) -> dict[str, Any]:
    """Why the recipe is as it is, and what the rules remarked."""
    findings = [{"rule": one.rule, "severity": one.severity, "message": one.message} for one in job.reviewed.findings]
    return {"steps": [one._asdict() for one in job.verdicts], "findings": findings}
