"""ALBERT (arXiv 1909.11942): all layers are one shared block, so fewer layers save time and no parameter.

A config may have several groups of layers, each with a block of its own, and several blocks in a group.
"""

from __future__ import annotations

from advisor.base.errors import AdviseError
from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import embeddings, linear, norm

MOST_BLOCKS = 1000


def _tensors(config: Config) -> Tensors:
    groups, inner = config.get("num_hidden_groups") or 1, config.get("inner_group_num") or 1
    if groups * inner > MOST_BLOCKS:
        raise AdviseError(f"num_hidden_groups x inner_group_num: expected at most {MOST_BLOCKS}, got {groups * inner}")
    tensors = {
        **embeddings("albert.embeddings", "embedding"),
        **linear("albert.encoder.embedding_hidden_mapping_in", "hidden", "embedding"),
        **linear("albert.pooler", "hidden", "hidden"),
        **linear("classifier", "labels", "hidden"),
    }
    for group in range(groups):
        for block in range(inner):
            tensors |= _block(f"albert.encoder.albert_layer_groups.{group}.albert_layers.{block}.")
    return tensors


def _block(name: str) -> Tensors:
    return {
        **linear(name + "attention.query", "attention", "hidden"),
        **linear(name + "attention.key", "attention", "hidden"),
        **linear(name + "attention.value", "attention", "hidden"),
        **linear(name + "attention.dense", "hidden", "attention"),
        **norm(name + "attention.LayerNorm"),
        **linear(name + "ffn", "intermediate", "hidden"),
        **linear(name + "ffn_output", "hidden", "intermediate"),
        **norm(name + "full_layer_layer_norm"),
    }


FAMILY = Family(
    model_type="albert",
    kind="encoder",
    title="ALBERT",
    checkpoint="albert/albert-base-v2",
    config={
        "model_type": "albert",
        "num_hidden_layers": 12,
        "num_hidden_groups": 1,
        "inner_group_num": 1,
        "hidden_size": 768,
        "embedding_size": 128,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30000,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    },
    stacks=(Stack("encoder", "num_hidden_layers"),),
    tensors=_tensors,
    axes=lambda config: {
        "positions": config.get("max_position_embeddings") or 512,
        "types": config.get("type_vocab_size") or 2,
        "embedding": config.get("embedding_size") or 128,
    },
    further={
        "max_position_embeddings": 1,
        "type_vocab_size": 1,
        "embedding_size": 1,
        "num_hidden_groups": 1,
        "inner_group_num": 1,
    },
    shared_layers=True,
    shared_block=".albert_layers.",
    executable=False,
    predicted_as="albert",
)
