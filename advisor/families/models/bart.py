"""BART (arXiv 1910.13461): a post-norm encoder-decoder, counted as the model that generates text.

Its classification head would add 0.4 % and is not counted: section 4.5 of the evidence register has none.
"""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import norm, seq2seq_blocks, seq2seq_follows


def _tensors(config: Config) -> Tensors:
    return {
        "model.shared.weight": "vocabulary hidden",
        "model.encoder.embed_positions.weight": "positions hidden",
        "model.decoder.embed_positions.weight": "positions hidden",
        **norm("model.encoder.layernorm_embedding"),
        **norm("model.decoder.layernorm_embedding"),
        **seq2seq_blocks("model.encoder.layers.{encoder}", "model.decoder.layers.{decoder}"),
    }


FAMILY = Family(
    model_type="bart",
    kind="encoder-decoder",
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
    stacks=(Stack("encoder", "encoder_layers"), Stack("decoder", "decoder_layers")),
    hidden_size="d_model",
    heads="encoder_attention_heads",
    intermediate_size="encoder_ffn_dim",
    tensors=_tensors,
    # BART keeps two rows of positions in front of the first token.
    axes=lambda config: {
        "positions": (config.get("max_position_embeddings") or 1024) + 2,
        "decoder_intermediate": config.get("decoder_ffn_dim") or 4096,
    },
    further={"max_position_embeddings": 1, "decoder_ffn_dim": 1, "decoder_attention_heads": 1},
    generative=True,
    executable=False,
    spare_positions=2,
    predicted_as="encoder-decoder",
    int8_as="bart",
    follows=seq2seq_follows,
)
