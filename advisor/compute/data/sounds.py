"""Sounds: whether bytes are one, how long it lasts, and its samples at the rate that a model reads.

soundfile decodes (WAV, FLAC, Ogg, MP3 and others), scipy resamples.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from advisor.base.errors import AdviseError
from advisor.base.install import pip_command
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.file_checks import MOST_BYTES
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled
from advisor.compute.data.media import read_media, read_transcribed

KINDS = ("audio", "sound", "speech", "recording")
TEXTS = ("transcription", "transcript", "text", "sentence", "normalized_text")
RATE = 16_000  # samples a second that Whisper reads
MOST_SECONDS = 3600  # of one sound
MOST_RATE = 1_000_000  # samples a second; the filter that resamples grows with it
Samples = NDArray[np.float32]


def read_sounds(source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
    """Sounds with their classes. Raises AdviseError as `read_media` does."""
    columns, found = read_media(source, files, named, KINDS, fault)
    return columns, with_rates(source, found)


def read_speech(source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
    """Sounds with what is said in them. Raises AdviseError as `read_transcribed` does."""
    columns, found = read_transcribed(source, files, named, KINDS, TEXTS, fault)
    return columns, with_rates(source, found)


def with_rates(source: str, found: Labelled) -> Labelled:
    """With a note of the sounds that are resampled."""
    contents = [one for rows in (*found.parts.values(), found.unlabelled) for one in rows.texts]
    return replace(found, notes=(*found.notes, *_resampled(source, contents)))


def _resampled(source: str, contents: Sequence[bytes]) -> Iterator[str]:
    rates = Counter(_info(one).samplerate for one in contents)
    for rate, count in sorted(rates.items()):
        if rate != RATE:
            yield f"{source}: {count:,} sounds have {rate:,} samples a second and are resampled to {RATE:,}"


def fault(content: bytes) -> str:
    """Why bytes are no sound that can be read; empty where they are."""
    try:
        if unread := _unread(_info(content)):
            return unread
        found = _decoded(content)[0]
    except AdviseError:
        raise
    except Exception as error:  # whatever soundfile raises for files that are cut off or of another kind
        return f"it is no sound: {str(error).rpartition(': ')[2].strip() or type(error).__name__}"
    if not len(found):
        return "it has no samples"
    return "" if np.isfinite(found).all() else "its samples are not finite numbers"


def _unread(info: Any) -> str:
    """Why a sound is not decoded, by what its header says; empty where it is."""
    size = info.frames * info.channels * np.dtype(np.float32).itemsize
    if not 0 < info.samplerate <= MOST_RATE:
        return f"it has {info.samplerate:,} samples a second, at most {MOST_RATE:,} are read"
    if (length := info.frames / info.samplerate) > MOST_SECONDS:
        return f"it lasts {length:,.0f} seconds, at most {MOST_SECONDS:,} are read"
    return f"it unfolds to {size:,} bytes, at most {MOST_BYTES:,} are read" if size > MOST_BYTES else ""


def seconds(content: bytes) -> float:
    """How long a sound lasts."""
    found = _info(content)
    return float(found.frames / found.samplerate)


def samples(content: bytes, rate: int) -> Samples:
    """The sound with its channels mixed, at this rate: (samples)."""
    found, own = _decoded(content)
    if own == rate:
        return found
    common = gcd(rate, own)
    return np.asarray(resample_poly(found, rate // common, own // common), dtype=np.float32)


def _decoded(content: bytes) -> tuple[Samples, int]:
    """The samples with channels mixed, and their rate."""
    found, rate = _library().read(_Bytes(content), dtype="float32", always_2d=True)
    return np.asarray(found.mean(axis=1)), int(rate)


def _info(content: bytes) -> Any:
    return _library().info(_Bytes(content))


class _Bytes(io.BytesIO):
    """Bytes as a file that soundfile reads: an error in its callbacks would be printed, and tell nobody anything."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; where there is none, as damaged headers have it, stay."""
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


@cache
def _library() -> Any:
    """soundfile. Raises an AdviseError where it is not installed."""
    try:
        import soundfile
    except ImportError:
        message = "reading sounds needs soundfile, not installed"
        raise AdviseError(message, hint=pip_command("audio")) from None
    return soundfile
