"""A small finished run, and ways to tamper with copies of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiny

from advisor.cli import main
from advisor.records.run_folder import ATTESTATION, MANIFEST, REPORT, hashes, sha256

RECIPE = """\
version: 1
name: small
model: {source: gone, family: bert}
data: {task: text-classification}
device: edge
goal: {relative_accuracy: ">= 0.5"}
steps:
  - finetune: {epochs: 2, learning_rate: 2.0e-3}
  - layer_removal: {keep: 3}
  - distillation: {epochs: 2, learning_rate: 1.0e-3, hidden_weight: 1.0}
  - quantization: {}
training: {batch_size: 16, max_tokens: 24, joined_texts: 0}
"""


def make(folder: Path) -> Path:
    """Run the recipe above on a tiny BERT and lines of the standard library: 450 report rows."""
    data = tiny.write_rows(folder / "data", tiny.lines(1_500), shares=(6, 7))
    model = tiny.checkpoint("bert", folder / "model")
    recipe, out = folder / "small.yaml", folder / "run"
    recipe.write_text(RECIPE)
    code = main(
        ["run", str(recipe), "--model", str(model), "--data", str(data), "--out", str(out), "--measure-seconds", "0.5"]
    )
    assert code == 0, "the run that the gate is tried on has to pass its own gates"
    return out


def rewrite(file: Path, change: Callable[[Any], Any]) -> None:
    """Change a JSON file as an editor would."""
    value = json.loads(file.read_text())
    change(value)
    file.write_text(json.dumps(value))


def seal(out: Path) -> None:
    """Make recipe, report and manifest agree again, as somebody would who knows how they are checked."""

    def agree(report: dict[str, Any]) -> None:
        report["recipe_sha256"] = sha256(out / "recipe.yaml")
        for step in report["steps"]:
            if (out / step["path"]).is_dir():
                step["artefact"]["files"] = hashes(out / step["path"])

    rewrite(out / REPORT, agree)
    files = {name: digest for name, digest in hashes(out).items() if name not in (MANIFEST, ATTESTATION)}
    (out / MANIFEST).write_text(json.dumps({"files": files}))
