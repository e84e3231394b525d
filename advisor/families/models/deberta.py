"""DeBERTa (arXiv 2006.03654): query, key and value share one matrix; relative positions are shared by all blocks."""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import after_attention, deberta_embeddings, deberta_reach, linear, pooled_classifier

_BLOCK = "deberta.encoder.layer.{encoder}"


def _tensors(config: Config) -> Tensors:
    return {
        **deberta_embeddings(config),
        **({"deberta.encoder.rel_embeddings.weight": "relative hidden"} if config.get("relative_attention") else {}),
        **_attention(_BLOCK + ".attention.self.", config),
        **after_attention(_BLOCK),
        **pooled_classifier(),
    }


def _attention(name: str, config: Config) -> Tensors:
    tensors = linear(name + "in_proj", "attention3", "hidden", bias=False)
    tensors |= {name + "q_bias": "attention", name + "v_bias": "attention"}
    if config.get("talking_head"):
        tensors |= linear(name + "head_logits_proj", "heads", "heads", bias=False)
        tensors |= linear(name + "head_weights_proj", "heads", "heads", bias=False)
    kinds = str(config.get("pos_att_type")).lower() if config.get("relative_attention") else ""
    tensors |= linear(name + "pos_proj", "attention", "hidden", bias=False) if "c2p" in kinds else {}
    return tensors | (linear(name + "pos_q_proj", "attention", "hidden") if "p2c" in kinds else {})


FAMILY = Family(
    model_type="deberta",
    kind="encoder",
    title="DeBERTa",
    checkpoint="microsoft/deberta-base",
    config={
        "model_type": "deberta",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 50265,
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "relative_attention": True,
        "max_relative_positions": -1,
        "position_biased_input": False,
        "pos_att_type": "c2p|p2c",
        "pooler_hidden_size": 768,
    },
    stacks=(Stack("encoder", "num_hidden_layers"),),
    tensors=_tensors,
    axes=lambda config: {
        "positions": config.get("max_position_embeddings") or 512,
        "types": config.get("type_vocab_size") or 0,
        "embedding": config.get("embedding_size") or config["hidden_size"],
        "relative": 2 * deberta_reach(config),
    },
    further={
        "max_position_embeddings": 1,
        "type_vocab_size": 0,
        "embedding_size": 1,
        "max_relative_positions": -1,
    },
    fused_projections=True,
    int8_as="albert",
    fp32_only=True,
    also_hidden=("embedding_size", "pooler_hidden_size"),
)
