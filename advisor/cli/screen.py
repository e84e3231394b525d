"""stdout and stderr while a command runs: text that cannot steer a terminal, and a reader that may leave.

A command runs to its end whatever happens to the screen, so a finished run is recorded and no exit code is lost. What
could not be written is said at the end.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from advisor.cli.options import width
from advisor.report.style import STYLES, wrapped

BROKEN_PIPE = 141  # as a shell reports a command that SIGPIPE ended
UNWRITABLE = 2
_OURS = "|".join(re.escape(code) for code in ("0", *STYLES.values()))
_STEERS = re.compile(rf"\x1b(?!\[(?:{_OURS})m)|\r(?!\n)")
_CONTROL = {number: "?" for number in (*range(32), *range(127, 160)) if chr(number) not in "\t\n\r\x1b"}
_TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")  # the same elsewhere, where the other signs belong to some scripts
_TURNS = re.compile("[\u200e\u200f\u2028-\u202e\u2066-\u2069]")  # what makes text read in another order, on a terminal


class Stream:
    """A text stream that never raises. error: why text got lost; None while none did.

    wraps: on a terminal, break its long lines between words.
    """

    def __init__(self, stream: TextIO | None, cleaned: bool = True, wraps: bool = False) -> None:
        self.closed_before = stream is None
        self.stream: TextIO = open(os.devnull, "w") if stream is None else stream  # noqa: PTH123, SIM115
        self.cleaned, self.wraps = cleaned, wraps
        self.error: Exception | None = None

    def write(self, text: str) -> int:
        """Write text, without what a terminal would obey instead of print."""
        if self.closed_before and text:
            self.error = OSError(errno.EBADF, os.strerror(errno.EBADF))
        if self.error is None:
            try:
                self.stream.write(_fitting(self._clean(text), self.stream.encoding))
            except (OSError, ValueError) as error:  # ValueError: it was closed
                self.error = error
        return len(text)

    def _clean(self, text: str) -> str:
        if not self.cleaned:
            return text
        if not text.isprintable():
            text = self._harmless(text)
        return wrapped(text, width()) if self.wraps and self.isatty() else text

    def _harmless(self, text: str) -> str:
        text = text.translate(_CONTROL)  # on long texts quicker than an expression
        text = _STEERS.sub("?", text) if "\x1b" in text or "\r" in text else text
        if self.isatty():
            return _TURNS.sub("?", text)
        return _TURNED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)  # the same to JSON, and seen by people

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what was written."""
        try:
            if self.error is None:
                self.stream.flush()
        except (OSError, ValueError) as error:
            self.error = error

    def isatty(self) -> bool:
        """Whether people read it on a terminal."""
        return not self.stream.closed and self.stream.isatty()

    @property
    def terminal(self) -> Stream:
        """The same stream, for a library that draws with a terminal's own codes and is given clean text."""
        return _Unchanged(self) if self.isatty() else self

    @property
    def unchanged(self) -> Stream:
        """The same stream for a file's own text, which has to come out as it went in unless people read it."""
        return self if self.isatty() else _Unchanged(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Unchanged(Stream):
    """A stream whose text passes as it is; where it breaks, its owner knows."""

    def __init__(self, owner: Stream) -> None:
        super().__init__(owner.stream, cleaned=False)
        self.owner, self.closed_before = owner, owner.closed_before

    def write(self, text: str) -> int:
        """Write text as it is."""
        self.error = self.owner.error
        written = super().write(text)
        self.owner.error = self.error
        return written


def _fitting(text: str, encoding: str | None) -> str:
    """Text that an encoding can carry; what it cannot carry becomes an escape that JSON and YAML understand."""
    if text.isascii() or not encoding:
        return text
    return text.encode(encoding, "backslashreplace").decode(encoding)


@contextmanager
def screen() -> Iterator[Stream]:
    """Take over stdout and stderr; yields stdout."""
    _open_what_is_closed()
    before = sys.stdout, sys.stderr
    out, talk = Stream(sys.stdout), Stream(sys.stderr, wraps=True)
    sys.stdout, sys.stderr = out, talk
    try:
        yield out
    finally:
        out.flush()
        _said(out, talk)
        talk.flush()
        sys.stdout, sys.stderr = before
        for stream in (out, talk):
            if stream.error is not None:
                _silence(stream.stream)


def _open_what_is_closed() -> None:
    """Give closed descriptors to nothing: else the next file that is opened would be what is printed to."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:  # Python found it closed
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115


def _said(out: Stream, talk: Stream) -> None:
    if out.error is not None and not isinstance(out.error, BrokenPipeError):
        reason = getattr(out.error, "strerror", None) or str(out.error)
        talk.write(f"advise: stdout cannot be written: {reason}\n")


def _silence(stream: TextIO) -> None:
    """What is still in the buffer goes nowhere, so that Python does not try again when it ends."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def exit_code(code: int, out: Stream) -> int:
    """A command's own exit code; where that is 0 though its output got lost, one that says so."""
    if code or out.error is None:
        return code
    return BROKEN_PIPE if isinstance(out.error, BrokenPipeError) else UNWRITABLE
