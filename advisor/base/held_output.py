"""What a library writes to stderr or stdout by itself, kept back until it is known whether it failed.

Rust prints a panic, and torch the graph that it could not export, before Python hears of it. The error that is shown
instead says the same, with the file and a remedy.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TextIO

from advisor.base.user_folders import temporary

_PANIC = re.compile(rb"\n?thread '[^']*'[^\n]* panicked at .*?(?:RUST_BACKTRACE[^\n]*\n|\Z)", re.DOTALL)
_GRAPH = re.compile(rb"Torch IR graph at exception: .*", re.DOTALL)


def without_panics() -> AbstractContextManager[None]:
    """Within, nothing reaches stderr; afterwards all of it but the words of a panic."""
    return _without(_PANIC, sys.stderr, 2)


def without_graphs() -> AbstractContextManager[None]:
    """Within, nothing reaches stdout; afterwards all of it but the graph of an export that failed."""
    return _without(_GRAPH, sys.stdout, 1)


@contextmanager
def _without(left_out: re.Pattern[bytes], stream: TextIO, number: int) -> Iterator[None]:
    stream.flush()
    held = tempfile.TemporaryFile(dir=temporary())  # noqa: SIM115 - closed below
    try:
        before = os.dup(number)
    except OSError:  # it is closed
        held.close()
        yield
        return
    with held:
        os.dup2(held.fileno(), number)
        try:
            yield
        finally:
            stream.flush()
            os.dup2(before, number)
            os.close(before)
            held.seek(0)
            with suppress(OSError):  # nobody reads it
                os.write(number, left_out.sub(b"", held.read()))
