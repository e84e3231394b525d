"""Llama (arXiv 2302.13971, 2307.09288): a decoder with rotary positions, RMSNorm and a gated feed-forward part."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="llama",
    title="Llama",
    checkpoint="meta-llama/Llama-2-7b-hf",
    config={
        "model_type": "llama",
        "num_hidden_layers": 32,
        "hidden_size": 4096,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "intermediate_size": 11008,
        "vocab_size": 32000,
        "tie_word_embeddings": False,
    },
)
