"""T5 (arXiv 1910.10683): an encoder-decoder, text to text; block 0 of each stack holds the position bias of all."""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import t5_tensors


def _tensors(config: Config) -> Tensors:
    """Raises a ValueError where the distances leave nothing for the buckets, each of which spans a range of them."""
    buckets = config.get("relative_attention_num_buckets") or 32
    distance, least = config.get("relative_attention_max_distance", 128), buckets // 2 + 1
    if type(distance) is not int or distance < least:
        raise ValueError(f"relative_attention_max_distance: expected a whole number from {least} on, got {distance!r}")
    return t5_tensors(config, "relu")


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
    axes=lambda config: {"buckets": config.get("relative_attention_num_buckets") or 32},
    further={"relative_attention_num_buckets": 4},
    tied=("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"),
    generative=True,
    activation="feed_forward_proj",
    gated="gated-",
    heads_alike=True,  # one bias table serves all blocks of a stack
    predicted_as="encoder-decoder",
)
