"""Facts about a model, its data and this machine."""
