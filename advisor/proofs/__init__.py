"""Claims about policies, proven or refuted with a witness; coverage and differences of packs."""
