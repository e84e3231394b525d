"""One training loop, and what each step learns in it."""
