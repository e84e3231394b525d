"""What a library writes to stderr by itself, kept back until it is known whether it failed.

Rust prints a panic to file descriptor 2 before Python hears of it. The error that is shown instead says the same, with
the file and a remedy.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from advisor.base.user_folders import temporary

_PANIC = re.compile(rb"\n?thread '[^']*'[^\n]* panicked at .*?(?:RUST_BACKTRACE[^\n]*\n|\Z)", re.DOTALL)


@contextmanager
def without_panics() -> Iterator[None]:
    """Within, nothing reaches stderr; afterwards all of it but the words of a panic."""
    sys.stderr.flush()
    held = tempfile.TemporaryFile(dir=temporary())  # noqa: SIM115 - closed below
    try:
        before = os.dup(2)
    except OSError:  # it is closed
        held.close()
        yield
        return
    with held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
            held.seek(0)
            with suppress(OSError):  # nobody reads it
                os.write(2, _PANIC.sub(b"", held.read()))
