"""Facts found out from a model, from data and from this machine."""
