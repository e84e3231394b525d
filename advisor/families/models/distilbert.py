"""DistilBERT (arXiv 1910.01108): BERT with half the blocks, without token types and pooler."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="distilbert",
    title="DistilBERT",
    checkpoint="distilbert/distilbert-base-uncased",
    config={
        "model_type": "distilbert",
        "n_layers": 6,
        "dim": 768,
        "n_heads": 12,
        "hidden_dim": 3072,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
    },
    predicted_as="bert-like",
)
