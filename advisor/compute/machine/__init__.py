"""The device and the processes that a run computes on."""
