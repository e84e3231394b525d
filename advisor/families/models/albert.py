"""ALBERT (arXiv 1909.11942): all layers are one shared block, so fewer layers save time and no parameter.

A config may have several groups of layers, each with a block of its own, and several blocks in a group.
"""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="albert",
    title="ALBERT",
    checkpoint="albert/albert-base-v2",
    config={
        "model_type": "albert",
        "num_hidden_layers": 12,
        "num_hidden_groups": 1,
        "inner_group_num": 1,
        "hidden_size": 768,
        "embedding_size": 128,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30000,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    },
    predicted_as="albert",
)
