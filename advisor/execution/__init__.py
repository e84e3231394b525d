"""One run, from the recipe with its real model and data to the result."""
