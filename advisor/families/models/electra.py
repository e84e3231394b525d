"""ELECTRA's discriminator (arXiv 2003.10555): BERT whose embeddings may be narrower, then a projection follows."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="electra",
    title="ELECTRA",
    checkpoint="google/electra-base-discriminator",
    config={
        "model_type": "electra",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "embedding_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    },
    predicted_as="bert-like",
)
