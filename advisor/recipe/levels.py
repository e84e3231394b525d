"""The white paper's levels of compression as steps for one model: 2/3 of the layers, 1/3, 1/3 with matrix pruning."""

from __future__ import annotations

import math
from collections.abc import Mapping

from advisor.base.interval import Number
from advisor.families.family import Config, Family
from advisor.families.heads import with_head
from advisor.families.shape import Shape
from advisor.recipe.plan import Plan
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning, nearest
from advisor.recipe.steps.step import Step

LEVELS = ("", "L1", "L2", "L3")
# Table 1's last row is 21.5 % of BERT-base: 4 layers at 7/12 of the width (docs/evidence.md, section 1.3).
WIDTH = 7 / 12
WRITES = ("summarization", "translation", "automatic-speech-recognition")  # the decoder runs once for each token


def structure(level: str, family: Family | None, config: Config | None, task: str = "") -> tuple[Step, ...] | None:
    """The structural steps of a level with the distillation they need; None where it would cut nothing new.

    A model of two stacks that writes text keeps its whole encoder: a shallow decoder costs it less (rule R20).
    """
    if not level:
        return ()
    if family is None or config is None:
        return None
    family = with_head(family, task or None)
    shape = family.shape(config)
    if not {"encoder", "decoder"} & set(shape.layers):
        return None  # towers, which steps cannot name
    whole = {"encoder"} if task in WRITES and len(shape.layers) > 1 else set()
    cut = {name: layers for name, layers in shape.layers.items() if name not in whole}
    kept = {name: depth(level, layers) for name, layers in cut.items()}
    milder = cut if level == "L1" else {name: depth("L1", layers) for name, layers in cut.items()}
    if kept == milder:
        return None
    steps: tuple[Step, ...] = (_removal(kept, len(shape.layers)), Distillation())
    if level != "L3":
        return steps
    narrow = narrower(family, shape)
    return (*steps, narrow) if narrow else None


def depth(level: str, layers: int) -> int:
    """How many of a stack's layers a level keeps; at the first level never less than two thirds."""
    return math.ceil(layers * 2 / 3) if level == "L1" else max(1, round(layers / 3))


def _removal(kept: Mapping[str, int], stacks: int) -> LayerRemoval:
    if stacks == 1:
        return LayerRemoval(keep=next(iter(kept.values())))
    return LayerRemoval(encoder_keep=kept.get("encoder"), decoder_keep=kept.get("decoder"))


def narrower(family: Family, shape: Shape, width: float = WIDTH) -> MatrixPruning | None:
    """Matrix pruning to a share of the width: whole heads, the head size kept, the rest in multiples for kernels."""
    heads = nearest(round(shape.heads * width), shape.together) if family.loses_heads else shape.heads
    if not family.narrows or (family.loses_heads and heads == shape.heads):
        return None
    intermediate = _multiple(shape.intermediate_size * width)
    if family.hidden_follows_heads:
        return MatrixPruning(hidden_size=heads * shape.head_size, intermediate_size=intermediate)
    hidden = _multiple(shape.hidden_size * width, heads if family.hidden_in_heads else 1)
    fewer = heads if heads < shape.heads else None
    return MatrixPruning(hidden_size=hidden, heads=fewer, intermediate_size=intermediate)


def _multiple(size: float, of: int = 1) -> int:
    """The nearest size that kernels like and that a number divides."""
    step = math.lcm(64 if size >= 256 else 8, of)
    return max(step, round(size / step) * step)


def level_of(plan: Plan) -> str | None:
    """The white paper's level of a plan: '' for none, None for a deeper cut than was studied, or a given student."""
    if plan.given:
        return None
    kept = plan.measures.get("layer_removal.keep_share")
    return level_of_shares(kept, "matrix_pruning.removed_share" in plan.measures)  # type: ignore[arg-type]


def level_of_shares(kept: Number | None, narrowed: bool) -> str | None:
    """As `level_of`. kept: share of the layers, None where none was removed."""
    if kept is not None and kept < 0.3:
        return None
    if narrowed:
        return "L3"
    if kept is None or kept == 1:
        return ""
    return "L1" if kept >= 0.6 else "L2"
