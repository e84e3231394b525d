"""What each model type's config means: sizes, tensors and what can be cut."""
