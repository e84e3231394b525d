"""`python -m docs.site`: build the documentation site into build/docs/site, where any warning is an error."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from advisor.policy.pack import core
from advisor.report.rule_page import pages as rule_pages
from docs.site import commands, formats, notebook, python_api

CHECKOUT = Path(__file__).parents[2]
BUILD = CHECKOUT / "build" / "docs"
SHIM = "https://unpkg.com/iframe-worker/shim"  # what the generator names
NOT_PAGES = shutil.ignore_patterns("site", "__pycache__", "ci", "*.py", "*.ipynb")


def main() -> int:
    """Collect the pages, generate the others, and call the site generator; its exit code."""
    shutil.rmtree(BUILD, ignore_errors=True)
    docs = BUILD / "docs"
    shutil.copytree(CHECKOUT / "docs", docs, ignore=NOT_PAGES)
    changes = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    (docs / "changelog.md").write_text(changes.replace("](docs/", "]("), encoding="utf-8")  # links from the site's root
    for name, text in generated().items():
        file = docs / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    config = BUILD / "zensical.toml"
    pages = {str(file.relative_to(docs)): file.read_text(encoding="utf-8") for file in docs.rglob("*.md")}
    config.write_text(navigation((CHECKOUT / "docs" / "site" / "zensical.toml").read_text(), pages))
    zensical = Path(sys.executable).with_name("zensical")
    code = subprocess.run([zensical, "build", "--clean", "--strict", "-f", config], check=False).returncode
    for page in (BUILD / "site").rglob("*.html"):
        _without_network(page)
    return code


def _without_network(page: Path) -> None:
    """Let a page take the shim, with which its search works from a folder, from the site itself."""
    up = "../" * (len(page.relative_to(BUILD / "site").parts) - 1)
    page.write_text(
        page.read_text(encoding="utf-8").replace(SHIM, f"{up}javascripts/iframe-worker.js"), encoding="utf-8"
    )


def generated() -> dict[str, str]:
    """All generated pages, by their path below docs/."""
    rules = {f"rules/{name}": text for name, text in rule_pages(core()).items()}
    return {**commands.pages(), **formats.pages(), **python_api.pages(), **notebook.pages(), **rules}


def navigation(config: str, pages: Mapping[str, str]) -> str:
    """The configuration with pages in the places of `@commands`, `@formats`, `@rules` and (all unlisted) `@others`."""
    folders = {"@commands": "reference/commands/", "@formats": "reference/files/", "@rules": "rules/"}
    for place, folder in folders.items():
        names = sorted(name for name in pages if name.startswith(folder))
        index = [name for name in names if name.endswith("/index.md")]
        config = _listed(config, place, [*index, *(name for name in names if name not in index)], pages)
    others = sorted(name for name in pages if json.dumps(name) not in config)
    return config.replace('    "@others",\n', "".join(f"    {_entry(name, pages[name])},\n" for name in others))


def _listed(config: str, place: str, names: Sequence[str], pages: Mapping[str, str]) -> str:
    entries = [json.dumps(name) if name.endswith("/index.md") else _entry(name, pages[name]) for name in names]
    return config.replace(json.dumps(place), "[\n      " + ",\n      ".join(entries) + ",\n    ]")


def _entry(name: str, text: str) -> str:
    title = Path(name).stem if name.startswith("rules/") else text.splitlines()[0].lstrip("# ").replace("`", "")
    return f"{{ {json.dumps(title)} = {json.dumps(name)} }}"


if __name__ == "__main__":
    sys.exit(main())
