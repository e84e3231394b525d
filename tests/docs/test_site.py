"""The documentation site: complete, without warnings, with its own search, and nothing from the network."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import advisor
from advisor.cli import COMMANDS
from advisor.policy.pack import core
from docs.site.__main__ import generated

CHECKOUT = Path(__file__).parents[2]
NEEDS_SITE = pytest.mark.skipif(importlib.util.find_spec("zensical") is None, reason="pip install '.[docs]'")
NEEDS_KERNEL = pytest.mark.skipif(importlib.util.find_spec("nbclient") is None, reason="pip install '.[docs]'")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site, from a copy so that tests do not share a folder."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("docs", "CHANGELOG.md"):
        source = CHECKOUT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    paths = os.pathsep.join([str(folder), str(CHECKOUT)])
    done = subprocess.run(
        [sys.executable, "-m", "docs.site"], cwd=folder, env={**os.environ, "PYTHONPATH": paths}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "docs" / "site"


@NEEDS_SITE
def test_it_has_every_page_and_a_search_that_works_without_a_server(site: Path) -> None:
    for rule in core().rules:
        assert (site / "rules" / f"{rule.id}.html").is_file()
    assert "t5-small-data-no-prune" in (site / "search.js").read_text()


@NEEDS_SITE
def test_no_page_loads_anything_from_the_network(site: Path) -> None:
    loaded = re.compile(r'<(?:script|img|link)[^>]+(?:src|href)="?(https?:[^" >]+)')
    found = {(page.name, one) for page in site.rglob("*.html") for one in loaded.findall(page.read_text())}
    assert not found


@NEEDS_SITE
def test_every_picture_is_there(site: Path) -> None:
    gone = [
        f"{page.name}: {name}"
        for page in site.rglob("*.html")
        for name in re.findall(r'<img[^>]+src="?([^" >]+)', page.read_text())
        if not (page.parent / name).is_file()
    ]
    assert not gone


def test_the_reference_is_complete() -> None:
    pages = generated()
    commands = "\n".join(text for name, text in pages.items() if name.startswith("reference/commands/"))
    assert all(f"# `advise {name}`" in commands for name in COMMANDS)
    assert "`--unsafe-fixes`" in commands and "`advise rules verify`" in commands
    assert "`relative_accuracy`" in pages["reference/files/recipe.md"]
    functions = [name for name in advisor.__all__ if not isinstance(getattr(advisor, name), type)]
    assert all(f"## `advisor.{name}`" in pages["reference/python.md"] for name in functions)


@NEEDS_KERNEL
def test_the_notebook_runs_and_shows_what_it_shows_today(tmp_path: Path) -> None:
    import json

    from docs.site.notebook import NOTEBOOK, executed

    kept = json.loads(NOTEBOOK.read_text())["cells"]
    made = executed(tmp_path).cells
    for old, new in zip(kept, made, strict=True):
        if old["cell_type"] == "code":
            shown = [sorted(one.get("data", {"text": ""})) for one in old["outputs"]]
            assert shown == [sorted(one.get("data", {"text": ""})) for one in new.outputs], (
                "python -m docs.site.notebook"
            )
