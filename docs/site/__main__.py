"""`python -m docs.site`: build the documentation site into build/docs/site, where any warning is an error."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from advisor.policy.pack import core
from advisor.report.rule_page import pages as rule_pages
from docs.site import commands, formats, python_api

CHECKOUT = Path(__file__).parents[2]
BUILD = CHECKOUT / "build" / "docs"
PAGES = ("*.md", "*.svg", "*.css")
NOT_PAGES = shutil.ignore_patterns("site", "__pycache__", "ci", "*.py", "*.ipynb")


def main() -> int:
    """Collect the pages, generate the others, and call the site generator; its exit code."""
    shutil.rmtree(BUILD, ignore_errors=True)
    docs = BUILD / "docs"
    shutil.copytree(CHECKOUT / "docs", docs, ignore=NOT_PAGES)
    shutil.copy(CHECKOUT / "CHANGELOG.md", docs / "changelog.md")
    made = generated()
    for name, text in made.items():
        file = docs / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    config = BUILD / "zensical.toml"
    config.write_text(navigation((CHECKOUT / "docs" / "site" / "zensical.toml").read_text(), made))
    zensical = Path(sys.executable).with_name("zensical")
    return subprocess.run([zensical, "build", "--clean", "--strict", "-f", config], check=False).returncode


def generated() -> dict[str, str]:
    """All generated pages, by their path below docs/."""
    rules = {f"rules/{name}": text for name, text in rule_pages(core()).items()}
    return {**commands.pages(), **formats.pages(), **python_api.pages(), **rules}


def navigation(config: str, made: Mapping[str, str]) -> str:
    """The configuration with the generated pages in the places of `@commands`, `@formats` and `@rules`."""
    folders = {"@commands": "reference/commands/", "@formats": "reference/files/", "@rules": "rules/"}
    for place, folder in folders.items():
        names = sorted(name for name in made if name.startswith(folder))
        index = [name for name in names if name.endswith("/index.md")]
        listed = [*index, *(name for name in names if name not in index)]
        entries = [json.dumps(name) if name in index else _entry(name, made[name]) for name in listed]
        config = config.replace(json.dumps(place), "[\n      " + ",\n      ".join(entries) + ",\n    ]")
    return config


def _entry(name: str, text: str) -> str:
    title = Path(name).stem if name.startswith("rules/") else text.splitlines()[0].lstrip("# ").replace("`", "")
    return f"{{ {json.dumps(title)} = {json.dumps(name)} }}"


if __name__ == "__main__":
    sys.exit(main())
