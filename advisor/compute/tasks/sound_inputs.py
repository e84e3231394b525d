"""Sound inputs: what Whisper reads of a sound, and models for shorter sounds than its 30 seconds."""

from __future__ import annotations

from typing import Any

import numpy as np

from advisor.compute.data.media import Numbers
from advisor.compute.data.sounds import samples
from advisor.compute.tasks.positions import with_positions
from advisor.families.input_sizes import A_SECOND, SOUND

TABLE = "encoder.embed_positions.weight"
# A WAV file of one sample: 16 bits, one channel, 16,000 samples a second.
SILENCE = b"RIFF&\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80>\0\0\0}\0\0\x02\0\x10\0data\x02\0\0\0\0\0"


def features(content: bytes, extractor: Any) -> Numbers:
    """The logarithmic mel spectrum, cut and padded to the model's length: (bins, frames)."""
    heard = samples(content, extractor.sampling_rate)
    found = extractor(heard, sampling_rate=extractor.sampling_rate, return_tensors="np")["input_features"][0]
    return np.asarray(found, dtype=np.float32)


def shortened(model: Any, seconds: int | None) -> Any:
    """The model for sounds of so many seconds: the first of its positions, which are sines of their number."""
    positions = (seconds or 0) * A_SECOND
    if not positions or positions == model.config.max_source_positions:
        return model
    return with_positions(model, SOUND, positions, TABLE, lambda table: table[:positions])


def fit(extractor: Any, model: Any) -> None:
    """Let an extractor give as many frames as a model reads."""
    extractor.chunk_length = model.config.max_source_positions // A_SECOND
    extractor.n_samples = extractor.chunk_length * extractor.sampling_rate
    extractor.nb_max_frames = extractor.n_samples // extractor.hop_length
