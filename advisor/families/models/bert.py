"""BERT (arXiv 1810.04805): a post-norm encoder with separate query, key and value."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="bert",
    title="BERT",
    checkpoint="google-bert/bert-base-uncased",
    config={
        "model_type": "bert",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    },
    may_lack=("bert.pooler.",),  # as sentence encoders do, which average instead
    predicted_as="bert-like",
)
