"""Finished runs: their records, the ledger, and a model to load."""
