"""From facts and rules to a recipe, with predictions and reasons."""
