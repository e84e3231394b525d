"""What a library writes to file descriptor 2 or 1 by itself stays, but for a panic, or a graph."""

from __future__ import annotations

import os

import pytest

from advisor.base.held_output import without_graphs, without_panics

PANIC = b"""
thread '<unnamed>' (7) panicked at tokenizers/src/pre_tokenizers/split.rs:96:9:
called `Result::unwrap()` on an `Err` value
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""


def test_a_panic_is_left_out_and_the_rest_stays(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="its own"), without_panics():
        os.write(2, b"before\n" + PANIC + b"after\n")
        raise ValueError("its own")
    assert capfd.readouterr().err == "before\nafter\n"
    with without_panics():
        os.write(2, PANIC.removesuffix(b"\n")[:90])
    assert capfd.readouterr().err == ""


def test_the_graph_of_an_export_that_failed_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    with without_graphs():
        print("before")
        os.write(1, b"Torch IR graph at exception: graph(%input.1 : Long(*, *)\n  return (%6151)\n\n")
    print("after")
    assert capfd.readouterr().out == "before\nafter\n"
