"""mT5 (arXiv 2010.11934): T5 v1.1 for many languages; most of the small ones is the vocabulary.

transformers 5 ties the output embeddings to the input's always, so they count once.
"""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="mt5",
    title="mT5",
    checkpoint="google/mt5-small",
    config={
        "model_type": "mt5",
        "num_layers": 8,
        "num_decoder_layers": 8,
        "d_model": 512,
        "num_heads": 6,
        "d_kv": 64,
        "d_ff": 1024,
        "vocab_size": 250112,
        "relative_attention_num_buckets": 32,
        "feed_forward_proj": "gated-gelu",
        "is_encoder_decoder": True,
    },
    text_to_text=True,
    predicted_as="encoder-decoder",
)
