"""Qwen2 (arXiv 2407.10671): Llama with biases at query, key and value; the small ones tie their embeddings."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="qwen2",
    title="Qwen2",
    checkpoint="Qwen/Qwen2-0.5B",
    config={
        "model_type": "qwen2",
        "num_hidden_layers": 24,
        "hidden_size": 896,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "intermediate_size": 4864,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
    },
)
