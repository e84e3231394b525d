"""All steps, in the order in which a recipe runs them: the table of contents."""

from __future__ import annotations

from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step

STEPS: dict[str, type[Step]] = {
    step.name: step for step in (Finetune, LayerRemoval, Distillation, MatrixPruning, Quantization)
}
