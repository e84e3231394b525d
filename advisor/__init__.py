"""advise: a declarative, rule-based advisor for making language models small and green."""
