"""DeBERTa (arXiv 2006.03654): query, key and value share one matrix; relative positions are shared by all blocks."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="deberta",
    title="DeBERTa",
    checkpoint="microsoft/deberta-base",
    config={
        "model_type": "deberta",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 50265,
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "relative_attention": True,
        "max_relative_positions": -1,
        "position_biased_input": False,
        "pos_att_type": "c2p|p2c",
        "pooler_hidden_size": 768,
    },
    fp32_only=True,
    int8_as="albert",
)
