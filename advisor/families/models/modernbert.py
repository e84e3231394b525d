"""ModernBERT (arXiv 2412.13663): a pre-norm encoder with rotary positions; attention is global in every third block.

Query, key and value share one matrix, and so do the two halves of the gated feed-forward part. Block 0 has no
norm before attention, so it has to stay; the kept blocks' kinds of attention are written into `layer_types`.
"""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="modernbert",
    title="ModernBERT",
    checkpoint="answerdotai/ModernBERT-base",
    config={
        "model_type": "modernbert",
        "num_hidden_layers": 22,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 1152,
        "vocab_size": 50368,
        "global_attn_every_n_layers": 3,
        "norm_bias": False,
        "mlp_bias": False,
        "attention_bias": False,
        "classifier_bias": False,
    },
)
