"""Whisper (arXiv 2212.04356): speech to text, a pre-norm encoder-decoder behind two convolutions."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="whisper",
    title="Whisper",
    checkpoint="openai/whisper-tiny",
    config={
        "model_type": "whisper",
        "encoder_layers": 4,
        "decoder_layers": 4,
        "d_model": 384,
        "encoder_attention_heads": 6,
        "decoder_attention_heads": 6,
        "encoder_ffn_dim": 1536,
        "decoder_ffn_dim": 1536,
        "vocab_size": 51865,
        "num_mel_bins": 80,
        "max_source_positions": 1500,
        "max_target_positions": 448,
        "is_encoder_decoder": True,
    },
    may_lack=("projector.",),  # of the head for labels, before its last matrix
    positions="source_positions",
)
