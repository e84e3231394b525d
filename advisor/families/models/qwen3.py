"""Qwen3 (arXiv 2505.09388): Qwen2 without those biases, with norms over each head of query and key."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="qwen3",
    title="Qwen3",
    checkpoint="Qwen/Qwen3-0.6B",
    config={
        "model_type": "qwen3",
        "num_hidden_layers": 28,
        "hidden_size": 1024,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "intermediate_size": 3072,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
    },
)
