"""From recipes to findings."""
