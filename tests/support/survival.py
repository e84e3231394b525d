"""Run `advise` in this process on whatever input: an exit code of its own, a word on every failure, no traceback."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from unittest.mock import patch

from advisor.cli import main


def survives(*arguments: str | Path, codes: tuple[int, ...] = (0, 1, 2)) -> int:
    """Run `advise`: one of these exit codes, and no traceback."""
    out, err = io.StringIO(), io.StringIO()
    nothing = patch("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), nothing:
        code = main([str(argument) for argument in arguments])
    assert code in codes, err.getvalue()
    assert "Traceback" not in err.getvalue() + out.getvalue()
    assert code == 0 or out.getvalue() or err.getvalue(), "a failure without a word"
    return code
