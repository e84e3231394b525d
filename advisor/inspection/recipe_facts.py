"""The facts under which a recipe is judged: what it states itself, with what is known of its model and data."""

from __future__ import annotations

from advisor.facts.facts import DataFacts, Facts, ModelFacts
from advisor.families.heads import as_used
from advisor.inspection.probe import checkpoint
from advisor.recipe.recipe import Recipe, to_goal


def facts_of(recipe: Recipe, model: ModelFacts, data: DataFacts) -> Facts:
    """Facts with the recipe's own model source, device, goal and meta.

    Args:
        model, data: what is known of them, as stated or as measured.
    """
    stated = recipe.model
    model = as_used(model, data.task)._replace(
        source=checkpoint(stated.source), revision=stated.revision, licence=model.licence or stated.licence
    )
    data = data._replace(source=recipe.data.source, mean_tokens=recipe.data.mean_tokens)
    meta = tuple(sorted(recipe.meta.items()))
    return Facts(model, data, recipe.hardware.facts(recipe.device), to_goal(recipe.goal), meta)
