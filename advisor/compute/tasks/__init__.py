"""What a task is measured by."""
