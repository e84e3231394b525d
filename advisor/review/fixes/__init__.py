"""What to change in a recipe so that a finding is gone."""
