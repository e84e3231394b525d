"""Anything at all as a recipe, pack, config, waiver or baseline: an exit code of the product's own, never a traceback.

ADVISE_FUZZ=2000 pytest tests/whole/test_fuzz.py looks longer than the suite does.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import one_of, scratched, spoilt, trees
from ruamel.yaml import YAML
from survival import survives

from advisor.families import registry
from advisor.review.findings import FORMATS

CHECKOUT = Path(__file__).parents[2]
TEXTS = [file.read_text() for file in sorted((CHECKOUT / "recipes").glob("*.yaml"))]
RECIPES = [YAML(typ="safe", pure=True).load(text) for text in TEXTS]
RULE = CHECKOUT / "rules" / "core" / "data" / "small-data-few-layers.yaml"
PACK = {"name": "ours", "version": "1", "description": "x", "sources": {"nttdata-2023": "x", "advise-checks": "x"}}
WAIVERS = {"waivers": [{"rule": "quantize-cpu-only", "where": "*.yaml", "reason": "a trial", "owner": "me",
                        "until": "2026-12-31"}]}  # fmt: skip
CONFIGS = [dict(family.config) for name in registry.names() if (family := registry.find(name))]
ARGUMENTS = ("check", "rules", "run", "--model", "bert", "-", "--samples", "--policy", "core", "--help", "--format",
             "json", "explain", "verify", "--", "x.yaml", "diff", "history", "gate", "report")  # fmt: skip
CUT = """version: 1
name: x
model: {source: ./model}
data: {samples: 50000}
device: cuda
goal: {relative_accuracy: ">= 0.5", size_mb: "<= 100"}
steps:
  - finetune:
  - layer_removal: {keep: 4}
  - distillation:
  - matrix_pruning: {hidden_size: 512, intermediate_size: 2048}
"""

# A hang shows as an example that takes half a minute; no machine that runs these tests is slower than that by itself.
looking = settings(
    max_examples=int(os.environ.get("ADVISE_FUZZ", "50")),
    deadline=timedelta(seconds=30),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the file of the day, beside things that are in order."""
    made = tmp_path_factory.mktemp("fuzz")
    (made / "pack").mkdir()
    (made / "model").mkdir()
    (made / "good.yaml").write_text(TEXTS[0])
    (made / "cut.yaml").write_text(CUT)
    return made


def write(file: Path, value: Any) -> Path:
    """A tree as JSON, which is YAML; a text or bytes as they are."""
    text = value if isinstance(value, str | bytes) else json.dumps(value, ensure_ascii=False, default=str)
    file.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return file


@looking
@given(st.binary(max_size=300) | st.text(max_size=300) | trees, st.sampled_from(FORMATS))
def test_anything_as_a_recipe(folder: Path, recipe: Any, form: str) -> None:
    survives("check", write(folder / "recipe.yaml", recipe), "--format", form)


@looking
@given(one_of(RECIPES) | st.sampled_from(TEXTS).flatmap(scratched), st.sampled_from(FORMATS))
def test_a_spoilt_recipe(folder: Path, recipe: Any, form: str) -> None:
    file = write(folder / "recipe.yaml", recipe)
    survives("check", file, "--format", form)
    survives("explain", file)
    survives("diff", folder / "good.yaml", file)
    survives("diff", file, folder / "good.yaml")


@looking
@given(st.sampled_from(TEXTS).flatmap(scratched))
def test_a_spoilt_recipe_is_mended_or_left_alone(folder: Path, recipe: str) -> None:
    file = write(folder / "recipe.yaml", recipe)
    before = file.read_bytes()
    survives("check", file, "--diff", "--unsafe-fixes")
    assert file.read_bytes() == before
    survives("check", file, "--fix", "--unsafe-fixes")
    survives("check", file)


@looking
@given(one_of(CONFIGS) | trees)
def test_a_spoilt_config(folder: Path, config: Any) -> None:
    file = write(folder / "model" / "config.json", config)
    survives("--model", file, "--samples", "50000", "--device", "cpu", codes=(0, 1, 2))
    survives("check", folder / "cut.yaml")


@looking
@given(spoilt(WAIVERS) | trees | st.sampled_from([json.dumps(WAIVERS, indent=1)]).flatmap(scratched))
def test_spoilt_waivers(folder: Path, waivers: Any) -> None:
    survives("check", folder / "good.yaml", "--waivers", write(folder / "excuses.yaml", waivers))


@looking
@given(st.text(max_size=60), st.sampled_from(["ignore[", "ignore[quantize-cpu-only]", "", "ignore[*] until="]))
def test_spoilt_comments(folder: Path, words: str, start: str) -> None:
    survives("check", write(folder / "recipe.yaml", f"{CUT}# advise: {start}{words}"))


@looking
@given(st.data())
def test_a_spoilt_baseline(folder: Path, data: st.DataObject) -> None:
    known = folder / "known.json"
    survives("check", folder / "good.yaml", "--write-baseline", known)
    baseline = data.draw(spoilt(json.loads(known.read_text())) | trees)
    survives("check", folder / "good.yaml", "--baseline", write(known, baseline))
    known.unlink()


@looking
@given(spoilt(YAML(typ="safe", pure=True).load(RULE.read_text())) | st.just(RULE.read_text()).flatmap(scratched))
def test_a_spoilt_rule(folder: Path, rule: Any) -> None:
    write(folder / "pack" / "pack.yaml", PACK)
    write(folder / "pack" / "rule.yaml", rule)
    survives("check", folder / "good.yaml", "--policy", folder / "pack", codes=(0, 1, 2, 3))
    for verb in ("list", "test", "verify"):
        survives("rules", verb, folder / "pack", codes=(0, 1, 3))


@looking
@given(spoilt({**PACK, "extends": ["core"], "disable": {"quantize-cpu-only": "measured here"},
               "override": {"int8-gate": {"severity": "warning", "reason": "x"}}}) | trees)  # fmt: skip
def test_a_spoilt_pack(folder: Path, pack: Any) -> None:
    write(folder / "pack" / "pack.yaml", pack)
    (folder / "pack" / "rule.yaml").write_text(RULE.read_text().replace("id: small-data", "id: our-small-data"))
    survives("rules", "list", folder / "pack", codes=(0, 3))


@looking
@given(st.lists(st.sampled_from(ARGUMENTS) | st.text(max_size=6), max_size=6))
def test_any_command_line(folder: Path, arguments: list[str]) -> None:
    try:
        survives(*arguments, codes=(0, 1, 2, 3, 5))
    except SystemExit as end:  # --help
        assert end.code == 0
