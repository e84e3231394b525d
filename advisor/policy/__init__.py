"""The rules engine: conditions, effects, rules, packs, and the judgement of a recipe by them."""
