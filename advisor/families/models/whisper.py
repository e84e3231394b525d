"""Whisper (arXiv 2212.04356): speech to text, a pre-norm encoder-decoder behind two convolutions."""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import norm, seq2seq_blocks, seq2seq_follows


def _tensors(config: Config) -> Tensors:
    return {
        "model.decoder.embed_tokens.weight": "vocabulary hidden",
        "model.decoder.embed_positions.weight": "targets hidden",
        "model.encoder.embed_positions.weight": "sources hidden",
        "model.encoder.conv1.weight": "hidden bins kernel",
        "model.encoder.conv1.bias": "hidden",
        "model.encoder.conv2.weight": "hidden hidden kernel",
        "model.encoder.conv2.bias": "hidden",
        **norm("model.encoder.layer_norm"),
        **norm("model.decoder.layer_norm"),
        **seq2seq_blocks("model.encoder.layers.{encoder}", "model.decoder.layers.{decoder}", key_bias=False),
    }


FAMILY = Family(
    model_type="whisper",
    kind="encoder-decoder",
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
    stacks=(Stack("encoder", "encoder_layers"), Stack("decoder", "decoder_layers")),
    hidden_size="d_model",
    heads="encoder_attention_heads",
    intermediate_size="encoder_ffn_dim",
    tensors=_tensors,
    axes=lambda config: {
        "targets": config.get("max_target_positions") or 448,
        "sources": config.get("max_source_positions") or 1500,
        "bins": config.get("num_mel_bins") or 80,
        "kernel": 3,
        "decoder_intermediate": config.get("decoder_ffn_dim") or 1536,
    },
    further={
        "max_target_positions": 1,
        "max_source_positions": 1,
        "num_mel_bins": 1,
        "decoder_ffn_dim": 1,
        "decoder_attention_heads": 1,
    },
    generative=True,
    executable=False,
    follows=seq2seq_follows,
)
