"""Notes: what somebody has to say of a family, beside what its description says of every config of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.base.frozen import frozen, made


@frozen
class Notes:
    """One `model_type` of transformers.

    checkpoint: the Hub id of a base checkpoint; config: its sizes and flags.
    text_to_text: it classifies by the word that it writes, without a head for labels.
    fp32_only: its stock class overflows in bf16. spare_positions: rows of the table of positions that no token of a
    text takes. may_lack: beginnings of the names of tensors that a checkpoint may be without, beside the head for the
    labels. least: the smallest value of a size that is not 1.
    positions: how many an image or a sound takes, in the notation of `described.axes`.
    predicted_as: the group of ranges in `predict`; judged_as: another group by whose ranges a level is chosen;
    int8_as: another group for int8.
    """

    model_type: str
    title: str
    checkpoint: str
    config: Mapping[str, Any]
    text_to_text: bool = False
    fp32_only: bool = False
    spare_positions: int = 0
    may_lack: tuple[str, ...] = ()
    least: Mapping[str, int] = made(default_factory=dict)
    positions: str = ""
    predicted_as: str = ""
    judged_as: str = ""
    int8_as: str = ""
