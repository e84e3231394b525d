"""GPT-2: a pre-norm decoder whose query, key and value share one Conv1D matrix, stored transposed."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="gpt2",
    title="GPT-2",
    checkpoint="openai-community/gpt2",
    config={
        "model_type": "gpt2",
        "n_layer": 12,
        "n_embd": 768,
        "n_head": 12,
        "n_inner": None,
        "n_positions": 1024,
        "vocab_size": 50257,
    },
    predicted_as="gpt2",
)
