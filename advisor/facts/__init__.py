"""What rules may decide on: facts of a model, of data and of a device; tasks and metrics; this machine's CPU."""
