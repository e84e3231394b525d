"""T5 (arXiv 1910.10683): an encoder-decoder, text to text; block 0 of each stack holds the position bias of all."""

from __future__ import annotations

from advisor.family import Config, Family, Stack, Tensors, linear, norm


def _attention(name: str, axis: str = "attention") -> Tensors:
    tensors: Tensors = {}
    for projection in ("q", "k", "v"):
        tensors |= linear(f"{name}.{projection}", axis, "hidden", bias=False)
    return tensors | linear(f"{name}.o", "hidden", axis, bias=False)


def _feed_forward(name: str, gated: bool) -> Tensors:
    tensors: Tensors = {}
    for part in ("wi_0", "wi_1") if gated else ("wi",):
        tensors |= linear(f"{name}.{part}", "intermediate", "hidden", bias=False)
    return tensors | linear(f"{name}.wo", "hidden", "intermediate", bias=False)


def _tensors(config: Config) -> Tensors:
    gated = str(config.get("feed_forward_proj", "relu")).startswith("gated")
    encoder, decoder = "encoder.block.{encoder}.layer.", "decoder.block.{decoder}.layer."
    bias = "layer.0.SelfAttention.relative_attention_bias.weight"
    return {
        "shared.weight": "vocabulary hidden",
        f"encoder.block.0.{bias}": "buckets heads",
        f"decoder.block.0.{bias}": "buckets heads",
        **_attention(encoder + "0.SelfAttention"),
        **norm(encoder + "0.layer_norm", bias=False),
        **_feed_forward(encoder + "1.DenseReluDense", gated),
        **norm(encoder + "1.layer_norm", bias=False),
        **norm("encoder.final_layer_norm", bias=False),
        **_attention(decoder + "0.SelfAttention"),
        **norm(decoder + "0.layer_norm", bias=False),
        **_attention(decoder + "1.EncDecAttention", "cross"),
        **norm(decoder + "1.layer_norm", bias=False),
        **_feed_forward(decoder + "2.DenseReluDense", gated),
        **norm(decoder + "2.layer_norm", bias=False),
        **norm("decoder.final_layer_norm", bias=False),
    }


FAMILY = Family(
    model_type="t5",
    kind="encoder-decoder",
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
    stacks=(Stack("encoder", "num_layers"), Stack("decoder", "num_decoder_layers")),
    hidden_size="d_model",
    heads="num_heads",
    intermediate_size="d_ff",
    vocabulary="vocab_size",
    head_size="d_kv",
    tensors=_tensors,
    axes=lambda config: {"buckets": config.get("relative_attention_num_buckets", 32)},
    tied=("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"),
    generative=True,
    heads_alike=True,  # one bias table serves all blocks of a stack
    predicted_as="encoder-decoder",
)
