"""All steps, in the order in which a recipe runs them: the table of contents."""

from __future__ import annotations

from advisor.step import Step
from advisor.steps.distillation import Distillation
from advisor.steps.finetune import Finetune
from advisor.steps.layer_removal import LayerRemoval
from advisor.steps.matrix_pruning import MatrixPruning
from advisor.steps.quantization import Quantization

STEPS: dict[str, type[Step]] = {
    step.name: step for step in (Finetune, LayerRemoval, Distillation, MatrixPruning, Quantization)
}
