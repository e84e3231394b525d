"""Text, files and values, without any knowledge of models."""
