"""Plain values that a run makes, and the folders that it reads and writes."""
