"""How this copy of advise was installed, and so which command adds an extra to it or upgrades it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

DISTRIBUTION = "model-advise"  # on the package index, `advise` is another project


def pip_command(extra: str) -> str:
    """The command that adds an extra to this copy, ready to paste into a shell.

    It is `pip install 'model-advise[run]'` for a copy that came from a package index. A checkout, a local folder, an
    archive or a Git repository is named as the place that it came from.
    """
    from shlex import quote

    folder = _checkout(Path(__file__).parents[2])
    if folder is not None:
        here = "." if folder == Path.cwd() else str(folder)
        return f"pip install -e {quote(f'{here}[{extra}]')}"
    url = _url(_distribution())
    return f"pip install {quote(f'{DISTRIBUTION}[{extra}]' + (f' @ {url}' if url else ''))}"


def upgrade_command() -> str:
    """The command that brings this copy to the newest version, for where it came from."""
    if _checkout(Path(__file__).parents[2]) is not None:
        return "git pull"
    url = _url(_distribution())
    return f"pip install --upgrade {f'{DISTRIBUTION} @ {url}'!r}" if url else f"pip install --upgrade {DISTRIBUTION}"


@cache
def _checkout(folder: Path) -> Path | None:
    """The folder, if it is a checkout of this project."""
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return folder if f'name = "{DISTRIBUTION}"' in text else None


def _distribution() -> Distribution | None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return None


def _url(installed: Distribution | None) -> str:
    """Where pip took this copy from, as PEP 610 records it; empty for a package index."""
    import json

    try:
        origin = json.loads((installed and installed.read_text("direct_url.json")) or "{}")
        vcs = origin.get("vcs_info")
        return f"{vcs['vcs']}+{origin['url']}@{vcs['commit_id']}" if vcs else str(origin.get("url", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
