"""Runs the command blocks of a Markdown page in a scratch folder, and compares or renews the output that they show.

A block is `console` (lines that start with `$ ` are commands, the others their output), `python` (a script) or any
block with `title="NAME"` (a file that is written). `…` in an output stands for anything; alone in a line, for any
lines. A comment before a block, `<!-- not run: REASON -->`, leaves it out. `<!-- page: needs demo -->` in a page asks
for a finished demo run in `runs/demo`, which takes minutes.

Renew the outputs of pages: python tests/support/doc_commands.py [--slow] README.md docs/guides/*.md
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).parents[2]
FENCE = re.compile(
    r"(?:<!-- (?P<mark>not run: [^>]*|slow) -->\s*\n)?^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.M | re.S
)
TITLE = re.compile(r'title="([^"]+)"')
CHANGING = ((re.compile(r"\b\d+\.\d\d s\b"), "… s"), (re.compile(r"\b[0-9a-f]{10,64}\b"), "…"))
NEEDS_DEMO, SLOW = "<!-- page: needs demo -->", "<!-- slow -->"
READY_DEMO = "ADVISE_DEMO_RUN"  # a finished folder of `advise demo`, to save its minutes


class Command(NamedTuple):
    """One command of a console block, with the output that the page shows below it."""

    line: str
    shown: str


class Wrong(NamedTuple):
    """What a command printed, or how it ended, against what the page says."""

    command: str
    shown: str
    printed: str


def commands(body: str) -> list[Command]:
    """The commands of a console block. A line that ends in a backslash goes on in the next one."""
    found: list[list[str]] = []
    goes_on = False
    for line in body.splitlines():
        if line.startswith("$ ") or not found:
            found.append([line.removeprefix("$ "), ""])
        elif goes_on:
            found[-1][0] += "\n" + line
        else:
            found[-1][1] += line + "\n"
        goes_on = line.endswith("\\") and not found[-1][1]
    return [Command(*one) for one in found]


def matches(shown: str, printed: str) -> bool:
    """Does an output read as a page shows it?"""
    lines = [line.rstrip() for line in shown.strip("\n").splitlines()]
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == "…" else r"[^\n]*?".join(map(re.escape, line.split("…"))) + r"\n"
        for line in lines
    )
    return bool(re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in printed.strip("\n").splitlines())))


def prepared(folder: Path, text: str) -> Path:
    """The folder in which a page's commands run, with `advise` and `python` of this checkout on its path."""
    programs = folder / ".bin"
    programs.mkdir(parents=True)
    for name, module in (("advise", "-m advisor "), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@"\n')
        (programs / name).chmod(0o755)
    if NEEDS_DEMO in text:
        _demo(folder / "runs" / "demo")
    return folder


def _demo(run: Path) -> None:
    run.parent.mkdir()
    if ready := os.environ.get(READY_DEMO):
        shutil.copytree(ready, run)
    else:
        _run("advise demo --out runs/demo", run.parents[1])


def _run(line: str, folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    home = folder / ".home"
    settings = {
        "PATH": f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(CHECKOUT), "HOME": str(home),
        "XDG_DATA_HOME": str(home), "XDG_CACHE_HOME": str(home), "NO_COLOR": "1", "HF_HUB_OFFLINE": "1",
        "ADVISE_LEDGER": str(home / "ledger.sqlite"),
    }  # fmt: skip
    return subprocess.run(
        ["bash", "-c", f"(exit {code})\n{line}"], cwd=folder, env={**os.environ, **settings}, check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=3000,
    )  # fmt: skip


def wrong(text: str, folder: Path, slow: bool = True) -> Iterator[Wrong]:
    """Every command of a page that does not do what the page shows. slow: run the slow blocks too."""
    prepared(folder, text)
    code = 0
    for block in FENCE.finditer(text):
        for command in _commands(block, folder, slow):
            done = _run(command.line, folder, code)
            code = done.returncode
            if not (matches(command.shown, done.stdout) if command.shown.strip() else code == 0):
                yield Wrong(command.line, command.shown or "(exit code 0)", f"{done.stdout}(exit code {code})")


def _commands(block: re.Match[str], folder: Path, slow: bool) -> list[Command]:
    """The commands of a block; one with a title is a file that is written here."""
    language = block["info"].split(" ")[0]
    title = TITLE.search(block["info"])
    left_out = block["mark"] if not slow else (block["mark"] or "").startswith("not run")
    if left_out or not (title or language in ("console", "python")):
        return []
    if title:
        file = folder / title[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block["body"])
        return []
    if language == "console":
        return commands(block["body"])
    (folder / ".block.py").write_text(block["body"])
    return [Command("python .block.py", "")]


def renewed(text: str, folder: Path, slow: bool) -> str:
    """The page with the outputs that its commands have today. What a page leaves out stays left out."""
    prepared(folder, text)
    code = 0

    def renew(block: re.Match[str]) -> str:
        nonlocal code
        body = ""
        found = _commands(block, folder, slow)
        for command in found:
            done = _run(command.line, folder, code)
            code = done.returncode
            body += f"$ {command.line}\n" + _shortened(command.shown, done.stdout)
        if not found or not block["info"].startswith("console"):
            return block[0]
        return block[0][: block.start("body") - block.start()] + body + "```"

    return FENCE.sub(renew, text)


def _shortened(shown: str, printed: str) -> str:
    """A new output, cut where the shown one is, without what changes from run to run."""
    if not shown.strip() or matches(shown, printed):
        return shown
    for pattern, instead in CHANGING:
        printed = pattern.sub(instead, printed)
    lines, old = printed.rstrip("\n").splitlines(), shown.strip("\n").splitlines()
    gap = next((place for place, line in enumerate(old) if line.strip() == "…"), None)
    if gap is not None:
        tail = len(old) - gap - 1
        lines = [*lines[:gap], old[gap], *(lines[-tail:] if tail else [])]
    blank = "\n" if shown.endswith("\n\n") else ""
    return "\n".join(line.rstrip() for line in lines) + "\n" + blank


if __name__ == "__main__":
    asked = "--slow" in sys.argv
    for name in (one for one in sys.argv[1:] if one != "--slow"):
        page = Path(name)
        if NEEDS_DEMO in page.read_text() and not asked:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            new = renewed(page.read_text(), Path(scratch) / "page", asked)
        if new != page.read_text():
            page.write_text(new)
            sys.stderr.write(f"renewed {name}\n")
