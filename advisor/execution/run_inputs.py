"""Run inputs: the recipe, the facts, and the reasons for the recipe, as written to a run's folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from advisor.base.files import write, write_json
from advisor.execution.job import Job
from advisor.facts.facts import Facts
from advisor.recipe.recipe import as_yaml
from advisor.records.output_folder import ADVICE, FACTS, RECIPE
from advisor.records.run_folder import read


def write_assignment(job: Job, out: Path) -> None:
    """Write recipe.yaml, facts.json and advice.json. Raises: see `files.write`."""
    write(out / RECIPE, as_yaml(job.recipe, whole=True))
    write(out / FACTS, json.dumps(_facts(job.reviewed.facts), default=sorted, indent=2))
    write_json(out / ADVICE, _advice(job))


def is_assigned(job: Job, out: Path) -> bool:
    """Whether the finished run here had this very recipe, the same assumptions about emissions, and was measured so."""
    told = read(out).provenance
    same = (out / RECIPE).read_text(encoding="utf-8") == as_yaml(job.recipe, whole=True)
    measuring = {**job.measuring.stated(), "requests": job.requests}
    return same and told.get("assumed") == asdict(job.assumed) and told.get("measuring") == measuring


def _facts(facts: Facts) -> dict[str, Any]:
    return {name: value for name, value in facts.values().items() if value != float("inf")}


def _advice(job: Job) -> dict[str, Any]:
    """Why the recipe is as it is, and what the rules remarked."""
    findings = [{"rule": one.rule, "severity": one.severity, "message": one.message} for one in job.reviewed.findings]
    return {"steps": [one._asdict() for one in job.verdicts], "findings": findings}
