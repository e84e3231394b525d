"""GPT-Neo (EleutherAI 2021): GPT-2 with separate projections; attention is global and local by turns."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="gpt_neo",
    title="GPT-Neo",
    checkpoint="EleutherAI/gpt-neo-125m",
    config={
        "model_type": "gpt_neo",
        "num_layers": 12,
        "hidden_size": 768,
        "num_heads": 12,
        "intermediate_size": None,
        "vocab_size": 50257,
        "max_position_embeddings": 2048,
        "attention_types": [[["global", "local"], 6]],
    },
)
