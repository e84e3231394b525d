"""mT5 (arXiv 2010.11934): T5 v1.1 for many languages; most of the small ones is the vocabulary.

transformers 5 ties the output embeddings to the input's always, so they count once.
"""

from __future__ import annotations

from advisor.families.family import Family, Stack
from advisor.families.tensors import t5_tensors

FAMILY = Family(
    model_type="mt5",
    kind="encoder-decoder",
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
    stacks=(Stack("encoder", "num_layers"), Stack("decoder", "num_decoder_layers")),
    hidden_size="d_model",
    heads="num_heads",
    intermediate_size="d_ff",
    head_size="d_kv",
    tensors=lambda config: t5_tensors(config, "gated-gelu"),
    axes=lambda config: {"buckets": config.get("relative_attention_num_buckets") or 32},
    further={"relative_attention_num_buckets": 1},
    generative=True,
    heads_alike=True,  # one bias table serves all blocks of a stack
    executable=False,
    predicted_as="encoder-decoder",
)
