"""Images and sounds whose headers lie: a word for the user, and nothing on the screen but that."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image

from advisor.compute.data import images, sounds


def test_an_image_of_many_pixels_is_not_unfolded() -> None:
    Image.new("1", (20_000, 5_001)).save(file := io.BytesIO(), "PNG")
    assert len(file.getvalue()) < 100_000
    assert images.fault(file.getvalue()) == "it has 100,020,000 pixels, at most 100,000,000 are read"


@pytest.mark.parametrize("form", ["AIFF", "W64", "CAF", "FLAC"])
def test_damaged_headers_of_sounds_print_nothing(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """soundfile asks a file for places that it cannot have; the traceback of its callback was printed."""
    printed: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", printed.append)
    soundfile.write(file := io.BytesIO(), np.zeros(16_000), 16_000, format=form)
    for seed in range(40):
        random, damaged = np.random.default_rng(seed), bytearray(file.getvalue())
        for place in random.integers(0, 120, size=6):
            damaged[place] = random.integers(0, 256)
        sounds.fault(bytes(damaged))
    assert not printed
