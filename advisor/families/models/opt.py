"""OPT (arXiv 2205.01068): a decoder with separate projections; opt-350m is post-norm with narrow embeddings."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="opt",
    title="OPT",
    checkpoint="facebook/opt-125m",
    config={
        "model_type": "opt",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "ffn_dim": 3072,
        "vocab_size": 50272,
        "max_position_embeddings": 2048,
        "word_embed_proj_dim": 768,
        "do_layer_norm_before": True,
        "enable_bias": True,
    },
    predicted_as="opt",
    judged_as="bert-like",  # rule opt-follows-bert
)
