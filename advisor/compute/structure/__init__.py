"""A model's weights: loaded, checked, cut and saved."""
