"""BART (arXiv 1910.13461): a post-norm encoder-decoder; its classifier reads the decoder's last state."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="bart",
    title="BART",
    checkpoint="facebook/bart-base",
    config={
        "model_type": "bart",
        "encoder_layers": 6,
        "decoder_layers": 6,
        "d_model": 768,
        "encoder_attention_heads": 12,
        "decoder_attention_heads": 12,
        "encoder_ffn_dim": 3072,
        "decoder_ffn_dim": 3072,
        "vocab_size": 50265,
        "max_position_embeddings": 1024,
        "is_encoder_decoder": True,
    },
    predicted_as="encoder-decoder",
    int8_as="bart",
)
