"""Mistral (arXiv 2310.06825): Llama with grouped heads and a sliding window."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="mistral",
    title="Mistral",
    checkpoint="mistralai/Mistral-7B-v0.1",
    config={
        "model_type": "mistral",
        "num_hidden_layers": 32,
        "hidden_size": 4096,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "intermediate_size": 14336,
        "vocab_size": 32000,
        "tie_word_embeddings": False,
        "sliding_window": 4096,
    },
)
