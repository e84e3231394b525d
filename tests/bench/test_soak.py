"""The soak runs where only the product is installed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from scratch import CHECKOUT

HELPERS = [CHECKOUT / "tests" / "support" / f"{name}.py" for name in ("killed", "small_runs", "tiny")]


@pytest.mark.parametrize("file", [CHECKOUT / "bench" / "soak.py", *HELPERS], ids=lambda file: file.stem)
def test_nothing_that_a_soak_imports_needs_pytest(file: Path) -> None:
    imports = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module if isinstance(node, ast.ImportFrom) else one.name for node in imports for one in node.names}
    assert not {name for name in names if name and name.split(".")[0] in ("pytest", "hypothesis")}
