"""MPNet (arXiv 2004.09297): BERT without token types, and one table of relative positions for all blocks.

Positions are counted from behind the padding token on, as RoBERTa's are.
"""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="mpnet",
    title="MPNet",
    checkpoint="microsoft/mpnet-base",
    config={
        "model_type": "mpnet",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30527,
        "max_position_embeddings": 514,
        "relative_attention_num_buckets": 32,
    },
    spare_positions=2,
    predicted_as="bert-like",
)
