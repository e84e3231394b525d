"""The notebook of the tutorials: run with `python -m docs.site.notebook`, and turned into a page of the site."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
NOTEBOOK = CHECKOUT / "docs" / "tutorials" / "notebook.ipynb"


def executed(folder: Path) -> Any:
    """The notebook after running all its cells in a folder. Raises what a cell raises."""
    import nbformat
    from nbclient import NotebookClient

    # The kernel is a process of its own; it has to find this checkout.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(  # one output a cell, however its lines arrive
        notebook, timeout=120, kernel_name="python3", coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    return client.execute()


def pages() -> dict[str, str]:
    """The page that shows the notebook with its outputs, by path."""
    import json

    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return {"tutorials/notebook.md": "\n\n".join(_parts(notebook)) + "\n"}


def _parts(notebook: dict[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield source
            continue
        yield f"```python\n{source}\n```"
        for output in cell["outputs"]:
            yield from _output(output)


def _output(output: dict[str, Any]) -> Iterator[str]:
    data = output.get("data", {})
    if "text/html" in data:
        # Without blank lines, so that Markdown takes the whole of it as one block of HTML.
        yield '<div class="output">' + re.sub(r"\n\s*", " ", "".join(data["text/html"])) + "</div>"
    elif text := "".join(data.get("text/plain", output.get("text", ""))).rstrip():
        yield f"```text\n{text}\n```"


def main() -> int:
    """Run the notebook and keep its outputs."""
    import tempfile

    import nbformat

    with tempfile.TemporaryDirectory() as folder:
        notebook = executed(Path(folder))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times, which would change with every run
    nbformat.write(notebook, NOTEBOOK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
