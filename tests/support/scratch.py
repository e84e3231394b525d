"""A scratch git repository with a good recipe, as the users of hooks and of CI have one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
RECIPE = """version: 1
name: reviews
model: {source: bert, family: bert}
data: {samples: 25000}
device: DEVICE
steps:
  - finetune: {epochs: 3}
  - quantization: {bits: 8}
"""
GOOD, BAD = (RECIPE.replace("DEVICE", device) for device in ("cpu", "cuda"))
WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.example", "GIT_COMMITTER_NAME": "a"}
WHO |= {"GIT_COMMITTER_EMAIL": "a@b.example", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def repository(folder: Path) -> Path:
    """A repository with a recipe, a rule pack, and YAML that is neither."""
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "reviews.yaml").write_text(GOOD)
    shutil.copytree(CHECKOUT / "rules" / "core", folder / "rules" / "acme")
    (folder / "compose.yaml").write_text("services: {}\n")
    call(folder, "git", "init", "--quiet", "--initial-branch=main")
    call(folder, "git", "add", ".")
    call(folder, "git", "commit", "--quiet", "--message=Recipes")
    return folder


def call(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command there; its output with what it says of itself."""
    environment: Mapping[str, str] = {**os.environ, **WHO, "PYTHONPATH": str(CHECKOUT), **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
