"""The published JSON Schemas: valid, not stale, true of every shipped file, and strict about faulty ones."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from advisor.base.yamlfile import read
from advisor.policy.shipped import MANIFEST
from advisor.report.schema import SCHEMAS, schema

CHECKOUT = Path(__file__).parents[2]
RULES = sorted((CHECKOUT / "rules").rglob("*.yaml"))
FILES = [
    *(("recipe", file) for file in sorted((CHECKOUT / "recipes").glob("*.yaml"))),
    *(("pack" if file.name == MANIFEST else "rule", file) for file in RULES),
]


@cache
def validator(what: str) -> Draft202012Validator:
    made = json.loads(schema(what))
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


@pytest.mark.parametrize("what", SCHEMAS)
def test_the_published_schema_is_not_stale(what: str) -> None:
    file = CHECKOUT / "schemas" / f"{what}.schema.json"
    assert file.read_text() == schema(what), f"run: advise schema {what} > schemas/{what}.schema.json"


@pytest.mark.parametrize(("what", "file"), FILES, ids=lambda value: getattr(value, "stem", value))
def test_shipped_files_are_valid(what: str, file: Path) -> None:
    faults = [f"{list(error.path)}: {error.message}" for error in validator(what).iter_errors(read(file).value)]
    assert faults == []


def value(what: str, name: str) -> Any:
    return json.loads(json.dumps(read(CHECKOUT / what / name).value))


RULE, RECIPE, PACK = "core/data/small-data-few-layers.yaml", "bert-one-third-narrow.yaml", "core/pack.yaml"


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("rule", lambda rule: rule.update(severity="fatal")),
        ("rule", lambda rule: rule.update(becuase="x")),
        ("rule", lambda rule: rule.pop("evidence")),
        ("rule", lambda rule: rule["when"].update({"data.smaples": "< 3"})),
        ("rule", lambda rule: rule["when"].update({"data.samples": "few"})),
        ("rule", lambda rule: rule["when"].update({"model.kind": "encodr"})),
        ("rule", lambda rule: rule["when"].update({"any": []})),
        ("rule", lambda rule: rule["then"].update(forbid=["layer_removl"])),
        ("rule", lambda rule: rule["then"].update(limit={"layer_removal.removed": "<= 1"})),
        ("rule", lambda rule: rule["then"].update(limit={"layer_removal.removed_share": "a third"})),
        ("rule", lambda rule: rule["evidence"][0].update(strength="sure")),
        ("recipe", lambda recipe: recipe.update(device="tpu")),
        ("recipe", lambda recipe: recipe.update(step=[])),
        ("recipe", lambda recipe: recipe.update(steps=[])),
        ("recipe", lambda recipe: recipe.update(steps=["finetun"])),
        ("recipe", lambda recipe: recipe.update(steps=[{"finetune": {"epochs": -1}}])),
        ("recipe", lambda recipe: recipe.update(steps=[{"finetune": {"epoch": 3}}])),
        ("recipe", lambda recipe: recipe.update(steps=[{"finetune": {}, "distillation": {}}])),
        ("recipe", lambda recipe: recipe["data"].update(samples="many")),
        ("pack", lambda pack: pack.pop("name")),
        ("pack", lambda pack: pack.update(extends="core")),
        ("pack", lambda pack: pack.update(override={"no-masks": {"severity": "note"}})),
    ],
)
def test_faulty_files_are_refused(what: str, change: Any) -> None:
    good = value(*{"rule": ("rules", RULE), "recipe": ("recipes", RECIPE), "pack": ("rules", PACK)}[what])
    assert validator(what).is_valid(good)
    change(good)
    assert not validator(what).is_valid(good)


def test_a_rule_may_limit_a_gate_as_the_command_line_reads_it() -> None:
    rule = value("rules", RULE)
    rule["then"] = {"limit": {"gates.relative_accuracy": ">= 0.98"}}
    assert validator("rule").is_valid(rule)
    rule["then"] = {"prefer": {"gates.relative_accuracy": 0.98}}  # only a limit knows gates
    assert not validator("rule").is_valid(rule)


def test_steps_may_stand_without_settings() -> None:
    recipe = value("recipes", RECIPE)
    recipe["steps"] = ["finetune", {"distillation": None}]
    assert validator("recipe").is_valid(recipe)
