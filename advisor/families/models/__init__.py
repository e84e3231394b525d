"""The described families, one file for each `model_type`."""
