"""A headless Chromium to look at pages with: what is on them after layout, and how wide they are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--allow-file-access-from-files",
)
PROBE = """<body style="margin:0"><iframe src="{page}" style="border:0;width:{width}px;height:4000px"></iframe>
<script>onload = () => {{
  const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
  const style = (name) => getComputedStyle(page.querySelector(name));
  const told = {{ width: root.scrollWidth, text: page.body.innerText, scripts: page.scripts.length,
    background: style("body").backgroundColor, ink: style("body").color, drawing: style("figure svg text").fill,
    titles: [...page.querySelectorAll("svg title")].map(title => title.textContent),
    links: [...page.querySelectorAll("[src], [href]")].map(e => e.getAttribute("src") || e.getAttribute("href")) }};
  const out = document.createElement("pre"); out.id = "told"; out.textContent = JSON.stringify(told);
  document.body.replaceChildren(out);
}};</script>"""


def path() -> str | None:
    """The browser's program, None where none is installed."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def look(page: Path, width: int, dark: bool = False) -> dict[str, Any]:
    """What a page shows at a width in pixels: its text, colours, drawings and how wide it really is.

    The page lies in a frame, as Chromium's own windows are never as narrow as a phone.
    """
    probe = page.with_name(f"probe-{width}-{dark}.html")
    probe.write_text(PROBE.format(page=page.name, width=width))
    dom = _run(f"--window-size={max(width, 600)},4000", "--dump-dom", probe.as_uri(), dark=dark)
    found = re.search(r'<pre id="told">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom[:2000]
    told: dict[str, Any] = json.loads(unescape(found[1]))
    return told


def print_(page: Path, pdf: Path) -> None:
    """Print a page to a PDF file."""
    _run("--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())


def _run(*arguments: str, dark: bool = False) -> str:
    program = path()
    assert program
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [*FLAGS, f"--user-data-dir={profile}", f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
        done = subprocess.run([program, *flags, *arguments], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout
