"""The structure of models: inferred, proven, cut."""
