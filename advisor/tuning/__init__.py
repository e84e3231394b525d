"""The search: which recipes are worth measuring, in what order, and when to stop."""
