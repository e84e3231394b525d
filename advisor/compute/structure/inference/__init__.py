"""Structure of any model that transformers can build: inferred from its config, proven, cut."""
