"""The metadata block of a model card, as the Hub reads it: YAML between two lines of dashes.

What is not known is left out, never empty or 0: the card's text says why. Names on this machine's disk are no names on
the Hub, so that a local model or data set is left out too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from advisor.facts.facts import DataFacts
from advisor.facts.tasks import USUAL
from advisor.recipe.recipe import Recipe
from advisor.records.measuring import of_two_scales
from advisor.records.results import Measured, RunResult

HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*(/[\w][\w.-]*)?$", re.ASCII)
LIBRARIES = {"checkpoint": "transformers", "onnx": "onnx", "openvino": "openvino", "torch-int8": "pytorch"}
FILES = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".conll", ".bio", ".iob", ".txt", ".gz", ".zip")
_SPAN = re.compile(r" for [\d.,]+ s\b( and, at the same power, [\d.,]+ s before it was interrupted)?")
# What the Hub calls our metrics.
METRICS = {"matthews": "matthews_correlation", "pearson": "pearsonr", "spearman": "spearmanr"}
METRICS |= {"micro_f1": "f1", "macro_f1": "f1", "entity_f1": "f1", "token_accuracy": "accuracy", "answer_f1": "f1"}
METRICS |= {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}


def front(result: RunResult, recipe: Recipe, data: DataFacts, license_: str = "") -> str:
    """The block with its dashes. license_: the base model's, which the smaller model inherits; "" if unknown."""
    return "---\n" + "".join(_lines(metadata(result, recipe, data, license_))) + "---\n"


def metadata(result: RunResult, recipe: Recipe, data: DataFacts, license_: str = "") -> dict[str, Any]:
    """Plain values by the Hub's names."""
    last = result.steps[-1]
    int8 = recipe.step("quantization") is not None
    found = {
        "license": license_,
        "base_model": hub_id(recipe.student or result.model),
        "base_model_relation": "quantized" if int8 else "finetune",
        "datasets": [source] if (source := hub_id(recipe.data.source or "")) else [],
        "metrics": list(dict.fromkeys(METRICS.get(name, name) for name in last.metrics)),
        "library_name": LIBRARIES.get(last.artefact.kind if last.artefact else "checkpoint"),
        "pipeline_tag": data.task or USUAL,
        "tags": ["advise", "green-ai", *(name.replace("_", "-") for name in recipe.step_names if name != "finetune")],
        "co2_eq_emissions": _emissions(result),
        "model-index": _index(result, recipe, data),
    }
    if not found["base_model"]:
        del found["base_model_relation"]
    return {name: value for name, value in found.items() if value}


def hub_id(source: str) -> str:
    """The source if it is a name on the Hub, else "": what lies on this disk is none, whatever its name looks like."""
    is_file = source.lower().endswith(FILES) or Path(source).exists()
    return source if HUB_ID.match(source) and not is_file else ""


def making(result: RunResult) -> Measured:
    """Grams of CO2e that all steps together took, if each was measured."""
    costs = [step.cost.g_co2 for step in result.steps]
    missing = next((one for one in costs if one.value is None), None)
    if missing:
        return Measured(why_not=missing.why_not)
    if reason := of_two_scales(costs):
        return Measured(why_not=reason)
    # Every step's source says how long that step took, which is no part of the sum's.
    return Measured(sum(one.value or 0 for one in costs), source=_SPAN.sub("", costs[0].source))


def _emissions(result: RunResult) -> dict[str, Any]:
    """Of making the model, in grams: the Hub has no field for those of using it."""
    grams, provenance = making(result), result.provenance
    assumed = provenance.get("assumed") or {}
    if grams.value is None:
        return {}
    found = {
        "emissions": _short(grams.value),
        "source": grams.source,
        "training_type": "fine-tuning",
        "geographical_location": assumed.get("country") if assumed.get("stated") else None,
        "hardware_used": provenance.get("machine"),
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _index(result: RunResult, recipe: Recipe, data: DataFacts) -> list[dict[str, Any]]:
    last = result.steps[-1]
    values = dict(last.metrics) or {last.metric: last.accuracy}
    metrics = [{"type": METRICS.get(name, name), "value": _short(value)} for name, value in values.items()]
    name = data_name(recipe)
    dataset = {"type": hub_id(recipe.data.source or "") or name, "name": name}
    return [
        {
            "name": result.name,
            "results": [{"task": {"type": data.task or USUAL}, "dataset": dataset, "metrics": metrics}],
        }
    ]


def data_name(recipe: Recipe) -> str:
    """The data source without the folders of this machine."""
    return last_part(recipe.data.source or "") or "unnamed"


def last_part(path: str) -> str:
    """A path's last part. Example: "/home/me/sst2/" is sst2."""
    return path.rstrip("/").rpartition("/")[2]


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _lines(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:\n"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{name}:\n"
            yield from _items(value, indent)
        else:
            yield f"{indent}{name}: {_scalar(value)}\n"


def _items(values: list[Any], indent: str) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict):
            first, *rest = _lines(value, indent + "  ")
            yield from (f"{indent}- {first.lstrip()}", *rest)
        else:
            yield f"{indent}- {_scalar(value)}\n"


def _scalar(value: str | float) -> str:
    """A value that YAML 1.1 and 1.2 read alike: the Hub's parser takes 1e-05, without a point, for a word."""
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in quoted)
    written = repr(value)
    return written if "." in written or "e" not in written else written.replace("e", ".0e")
