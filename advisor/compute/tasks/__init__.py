"""The tasks that models are made for: one file each behind one interface, and what a task is measured by."""
