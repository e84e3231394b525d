"""Families described by data: generated files that say which tensors a config has, read without torch."""
