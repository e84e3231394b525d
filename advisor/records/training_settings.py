"""The settings that all steps of a recipe share."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from advisor.base.constraints import FORBID_EXTRA, Bound
from advisor.base.frozen import frozen

MOST_SEED = 2**32 - 1  # numpy takes no larger one


MOST_SEEDS = 1000  # of one recipe; each is a whole run
MOST_SIDE = 2048  # the side of an image: 16,384 patches of 16 pixels, as many positions


@frozen
class Training:
    """Settings that all steps of a recipe share. max_tokens: longer texts are cut; where a recipe does not say it,
    `advise run` lets it follow the data.

    precision: of training: `bf16` computes passes through the model in bfloat16 (weights stay fp32), `auto` does so
    where the device has instructions for it. joined_texts: at most so many texts of two training texts each are
    made to distil on, one for each training row where it fits. patience: so many epochs without a better one on the
    selection rows end a training; 0 trains all epochs. max_new_tokens: what a text-to-text model writes, and
    its targets, are cut to so many; beams: that it follows while it writes, 1 for the most likely token each time.
    image_size: the side in pixels that images are scaled to, and the model's positions with them; by default the
    model's own. max_seconds: longer sounds are cut, and the model's positions with them; where a recipe does not say
    it, audio classification lets it follow the data.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    batch_size: Annotated[int, Bound(gt=0)] = 32
    max_tokens: Annotated[int, Bound(gt=1, le=100_000)] = 128
    seed: Annotated[int, Bound(ge=0, le=MOST_SEED)] = 0
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    joined_texts: Annotated[int, Bound(ge=0, le=1_000_000)] = 10_000
    max_new_tokens: Annotated[int, Bound(gt=1, le=100_000)] = 64
    beams: Annotated[int, Bound(gt=0, le=100)] = 1
    image_size: Annotated[int, Bound(gt=0, le=MOST_SIDE)] | None = None
    max_seconds: Annotated[int, Bound(gt=0, le=30)] | None = None
    patience: Annotated[int, Bound(ge=0, le=1000)] = 2
