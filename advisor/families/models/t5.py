"""T5 (arXiv 1910.10683): an encoder-decoder, text to text; block 0 of each stack holds the position bias of all."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="t5",
    title="T5",
    checkpoint="google-t5/t5-base",
    config={
        "model_type": "t5",
        "num_layers": 12,
        "num_decoder_layers": 12,
        "d_model": 768,
        "num_heads": 12,
        "d_kv": 64,
        "d_ff": 3072,
        "vocab_size": 32128,
        "relative_attention_num_buckets": 32,
        "feed_forward_proj": "relu",
        "is_encoder_decoder": True,
    },
    text_to_text=True,
    least={"relative_attention_num_buckets": 4},
    predicted_as="encoder-decoder",
)
