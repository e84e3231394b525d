"""DeBERTa-v2 and -v3 (arXiv 2111.09543): projections apart, relative positions in buckets, a convolution in some.

The convolution stands behind block 0, which has to stay.
"""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="deberta-v2",
    title="DeBERTa-v2",
    checkpoint="microsoft/deberta-v3-base",
    config={
        "model_type": "deberta-v2",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 128100,
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_buckets": 256,
        "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "position_biased_input": False,
        "pos_att_type": "p2c|c2p",
        "pooler_hidden_size": 768,
    },
    fp32_only=True,
    int8_as="albert",
)
