"""Input sizes: the config of a model for smaller images or shorter sounds than it was made for."""

from __future__ import annotations

from typing import Any

from advisor.families.described.axes import length
from advisor.families.family import Config, Family

IMAGE, PATCH, SOUND = "image_size", "patch_size", "max_source_positions"
TEXT, PROMPT = "max_target_positions", 4  # Whisper's texts, and the tokens before them: start, language, task, no times
A_SECOND = 50  # positions of Whisper: a frame each 10 ms, two frames a position


def positions(family: Family, config: Config) -> int | None:
    """How many positions an image or a sound takes; None for a model that reads words."""
    axis = family.notes.positions
    return length(axis, family.structure(config).sizes) if axis else None


def fitted(config: Config, image_size: int | None, max_seconds: int | None) -> dict[str, Any]:
    """The config with the positions for images of this side in pixels, or for sounds of so many seconds."""
    found = dict(config)
    if image_size and IMAGE in config:
        found[IMAGE] = image_size
    if max_seconds and SOUND in config:
        found[SOUND] = max_seconds * A_SECOND
    return found


def misfit(
    config: Config, image_size: int | None, max_seconds: int | None, written: int | None
) -> tuple[str, str, int] | None:
    """The setting that a model cannot follow, why not, and what it could be; None where it can.

    Args:
        written: tokens of a text that is written of a sound; None where none is.
    """
    patch, length, longest = config.get(PATCH), config.get(SOUND), config.get(TEXT)
    if written and isinstance(longest, int) and written + PROMPT > longest:
        most = longest - PROMPT
        return "max_new_tokens", f"the model writes texts of at most {most} tokens, not {written}", most
    if image_size and isinstance(patch, int) and image_size % patch:
        near = max(1, round(image_size / patch)) * patch
        return "image_size", f"images of {image_size} pixels cannot be divided into patches of {patch}", near
    if max_seconds and isinstance(length, int) and max_seconds * A_SECOND > length:
        most = length // A_SECOND
        return "max_seconds", f"the model reads sounds of at most {most} seconds, not {max_seconds}", most
    return None
