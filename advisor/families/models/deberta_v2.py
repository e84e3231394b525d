"""DeBERTa-v2 and -v3 (arXiv 2111.09543): projections apart, relative positions in buckets, a convolution in some.

The convolution stands behind block 0, which has to stay.
"""

from __future__ import annotations

from typing import Any

from advisor.families.family import Blocks, Config, Family, Stack, Tensors
from advisor.families.tensors import after_attention, deberta_embeddings, deberta_reach, linear, norm, pooled_classifier

_BLOCK = "deberta.encoder.layer.{encoder}"


def _tensors(config: Config) -> Tensors:
    return {
        **deberta_embeddings(config),
        **({"deberta.encoder.rel_embeddings.weight": "relative hidden"} if config.get("relative_attention") else {}),
        **(norm("deberta.encoder.LayerNorm") if "layer_norm" in str(config.get("norm_rel_ebd")).lower() else {}),
        **(_convolution("deberta.encoder.conv.") if config.get("conv_kernel_size") else {}),
        **_attention(_BLOCK + ".attention.self.", config),
        **after_attention(_BLOCK),
        **pooled_classifier(),
    }


def _attention(name: str, config: Config) -> Tensors:
    tensors: Tensors = {}
    for projection in ("query_proj", "key_proj", "value_proj"):
        tensors |= linear(name + projection, "attention", "hidden")
    apart = config.get("relative_attention") and not config.get("share_att_key")
    kinds = str(config.get("pos_att_type")).lower() if apart else ""
    tensors |= linear(name + "pos_key_proj", "attention", "hidden") if "c2p" in kinds else {}
    return tensors | (linear(name + "pos_query_proj", "attention", "hidden") if "p2c" in kinds else {})


def _convolution(name: str) -> Tensors:
    return {name + "conv.weight": "hidden grouped kernel", name + "conv.bias": "hidden", **norm(name + "LayerNorm")}


def _reach(config: Config) -> int:
    buckets = config.get("position_buckets") or -1
    return int(buckets) if buckets > 0 else deberta_reach(config)


def _follows(before: Config, after: Config, blocks: Blocks) -> dict[str, Any]:
    if before.get("conv_kernel_size") and before["hidden_size"] != after["hidden_size"]:
        raise ValueError("a grouped convolution runs over the hidden channels (conv_kernel_size): they cannot be cut")
    return {}


FAMILY = Family(
    model_type="deberta-v2",
    kind="encoder",
    title="DeBERTa-v2",
    checkpoint="microsoft/deberta-v3-base",
    config={
        "model_type": "deberta-v2",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 128100,
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_buckets": 256,
        "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "position_biased_input": False,
        "pos_att_type": "p2c|c2p",
        "pooler_hidden_size": 768,
    },
    stacks=(Stack("encoder", "num_hidden_layers"),),
    tensors=_tensors,
    axes=lambda config: {
        "positions": config.get("max_position_embeddings") or 512,
        "types": config.get("type_vocab_size") or 0,
        "embedding": config.get("embedding_size") or config["hidden_size"],
        "relative": 2 * _reach(config),
        "kernel": config.get("conv_kernel_size") or 0,
        "grouped": config["hidden_size"] // (config.get("conv_groups") or 1),
    },
    further={
        "max_position_embeddings": 1,
        "type_vocab_size": 0,
        "embedding_size": 1,
        "max_relative_positions": -1,
        "position_buckets": -1,
        "conv_kernel_size": 0,
        "conv_groups": 1,
    },
    int8_as="albert",
    fp32_only=True,
    follows=_follows,
    also_hidden=("embedding_size", "pooler_hidden_size"),
)
