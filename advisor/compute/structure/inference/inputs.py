"""Inputs: what a small model is asked, and what of its answers is compared."""

from __future__ import annotations

from math import isfinite
from typing import Any

import torch
from torch import Tensor

ROWS, LENGTH = 2, 12


def inputs(model: Any, seed: int = 1) -> dict[str, Tensor]:
    """A batch for a model: words, an image or sound, by the name of its main input; the same for equal seeds."""
    random = torch.Generator().manual_seed(seed)
    config = model.config
    text = getattr(config, "text_config", config)
    vision = getattr(config, "vision_config", config)
    words = torch.randint(3, getattr(text, "vocab_size", 0) or 97, (ROWS, LENGTH), generator=random)
    asked: dict[str, Tensor] = {}
    if model.main_input_name == "pixel_values" or hasattr(config, "vision_config"):
        side = vision.image_size if isinstance(vision.image_size, int) else vision.image_size[0]
        asked["pixel_values"] = torch.randn(ROWS, vision.num_channels, side, side, generator=random)
    elif model.main_input_name == "input_features":
        frames = 2 * config.max_source_positions
        asked["input_features"] = torch.randn(ROWS, config.num_mel_bins, frames, generator=random)
    if model.main_input_name == "input_ids":
        asked["input_ids"] = words
    if config.is_encoder_decoder and "SequenceClassification" not in type(model).__name__:
        asked["decoder_input_ids"] = words[:, :6]
    if "input_ids" in asked and config.is_encoder_decoder:
        asked["input_ids"][:, -1] = config.eos_token_id  # BART's classifier reads where a text ends
    kind = next(model.parameters()).dtype
    return {name: one.to(kind) if one.is_floating_point() else one for name, one in asked.items()}


@torch.no_grad()
def answers(model: Any, seed: int = 1) -> Tensor:
    """What a model answers: its logits, the ends of an answer, or its last hidden states."""
    outcome = model(**inputs(model, seed))
    for name in ("logits", "start_logits", "logits_per_image", "last_hidden_state"):
        if getattr(outcome, name, None) is not None:
            found: Tensor = getattr(outcome, name)
            return found
    first: Tensor = outcome[0]
    return first


def difference(one: Tensor, other: Tensor) -> float:
    """How far two answers are apart, as a share of the size of the first."""
    if one.shape != other.shape:
        return float("inf")
    apart = float((one - other).abs().max() / one.abs().max().clamp(min=1e-6))
    return apart if isfinite(apart) else float("inf")
