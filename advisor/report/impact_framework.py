"""Manifest for the Impact Framework of the Green Software Foundation: its `if-run` computes the emissions again.

One component for each measured model, for 1,000 requests, or for thousands that take a second. Names, units and
builtin plugins are those of `@grnsft/if` 1.1. SCI (ISO/IEC 21031:2024) is computed only where the machine's embodied
carbon is stated.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

from ruamel.yaml import YAML

from advisor.base.errors import AdviseError
from advisor.records.carbon import embodied_g
from advisor.records.results import RunResult, StepResult
from advisor.report import compare
from advisor.runs.finished import Finished

REQUESTS = 1000
OPERATIONAL = {
    "path": "builtin",
    "method": "Multiply",
    "config": {
        "input-parameters": ["energy", "power-usage-effectiveness", "grid/carbon-intensity"],
        "output-parameter": "carbon-operational",
    },
}
CARBON = {
    "path": "builtin",
    "method": "Sum",
    "config": {"input-parameters": ["carbon-operational", "carbon-embodied"], "output-parameter": "carbon"},
}
SCI = {"path": "builtin", "method": "Sci", "config": {"functional-unit": "requests"}}


def manifest(runs: Sequence[Finished]) -> str:
    """The YAML text of a manifest of one run or several.

    Raises:
        AdviseError: no model's energy was measured.
    """
    whole = all(_embodied_stated(run.result) for run in runs)
    children = {compare.label(run, runs): {"children": _models(run.result, whole)} for run in runs}
    if not any(child["children"] for child in children.values()):
        reason = runs[0].result.steps[-1].served.wh_per_1000.why_not
        raise AdviseError(f"there is nothing to put into a manifest: no model's energy was measured ({reason})")
    plugins = {"operational": OPERATIONAL, **({"carbon": CARBON, "sci": SCI} if whole else {})}
    found = {
        "name": ", ".join(children),
        "description": " ".join(_description(runs, whole)),
        "tags": {"kind": "software", "category": "machine-learning"},
        "initialize": {"plugins": plugins},
        "tree": {"children": children},
    }
    writer, sink = YAML(), io.StringIO()
    writer.width = 120
    writer.dump(found, sink)
    return sink.getvalue()


def _embodied_stated(result: RunResult) -> bool:
    assumed = result.provenance.get("assumed") or {}
    return bool(assumed.get("embodied_kg") and assumed.get("lifetime_years"))


def _description(runs: Sequence[Finished], whole: bool) -> Iterator[str]:
    yield f"Answering {REQUESTS:,} requests, or thousands that take a second, with each model of `advise run`."
    yield "With embodied carbon." if whole else "Operational emissions only: embodied carbon is not stated."
    yield from dict.fromkeys(f"{run.result.steps[-1].served.wh_per_1000.source}." for run in runs)


def _models(result: RunResult, whole: bool) -> dict[str, Any]:
    compute = ["operational", *(("carbon", "sci") if whole else ())]
    return {
        step.words: {"pipeline": {"compute": list(compute)}, "inputs": [_inputs(result, step, whole)]}
        for step in result.steps
        if _is_measured(step)
    }


def _is_measured(step: StepResult) -> bool:
    served = step.served
    return None not in (served.wh_per_1000.value, served.g_per_1000.value, served.throughput.value)


def _inputs(result: RunResult, step: StepResult, whole: bool) -> dict[str, Any]:
    """Units of the framework: seconds, kWh, g/kWh, g."""
    served, assumed = step.served, result.provenance.get("assumed") or {}
    wh, grams, per_second = served.wh_per_1000.value, served.g_per_1000.value, served.throughput.value
    assert wh is not None and grams is not None and per_second is not None
    thousands = max(1, math.ceil(per_second / REQUESTS))  # the Sci plugin takes no duration below a second
    pue, seconds = float(assumed.get("pue") or 1.0), thousands * REQUESTS / per_second
    found: dict[str, Any] = {
        "timestamp": result.finished,
        "duration": seconds,
        "energy": thousands * wh / 1000,
        "power-usage-effectiveness": pue,
        "grid/carbon-intensity": grams / (wh / 1000) / pue,
        "requests": thousands * REQUESTS,
    }
    if whole:
        found["carbon-embodied"] = embodied_g(assumed["embodied_kg"], assumed["lifetime_years"], seconds / 3600)
    return found
