"""Recipes as text and as values, their steps, and the plan for one model."""
