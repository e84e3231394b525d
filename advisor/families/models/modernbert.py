"""ModernBERT (arXiv 2412.13663): a pre-norm encoder with rotary positions; attention is global in every third block.

Query, key and value share one matrix, and so do the two halves of the gated feed-forward part. Block 0 has no
norm before attention, so it has to stay; the kept blocks' kinds of attention are written into `layer_types`.
"""

from __future__ import annotations

from typing import Any

from advisor.families.family import Blocks, Config, Family, Stack, Tensors
from advisor.families.tensors import layer_types, linear, norm


def _tensors(config: Config) -> Tensors:
    norms, mlp, attention = (bool(config.get(key)) for key in ("norm_bias", "mlp_bias", "attention_bias"))
    block = "model.layers.{encoder}."
    return {
        "model.embeddings.tok_embeddings.weight": "vocabulary hidden",
        **norm("model.embeddings.norm", norms),
        **norm("model.layers.{encoder:1}.attn_norm", norms),
        **linear(block + "attn.Wqkv", "3attention", "hidden", attention),
        **linear(block + "attn.Wo", "hidden", "attention", attention),
        **norm(block + "mlp_norm", norms),
        **linear(block + "mlp.Wi", "2intermediate", "hidden", mlp),
        **linear(block + "mlp.Wo", "hidden", "intermediate", mlp),
        **norm("model.final_norm", norms),
        **linear("head.dense", "hidden", "hidden", bool(config.get("classifier_bias"))),
        **norm("head.norm", norms),
        **linear("classifier", "labels", "hidden"),
    }


def _follows(before: Config, after: Config, blocks: Blocks) -> dict[str, Any]:
    every = before.get("global_attn_every_n_layers", 3)
    return layer_types(
        before, blocks["encoder"], lambda block: "sliding_attention" if block % every else "full_attention"
    )


FAMILY = Family(
    model_type="modernbert",
    kind="encoder",
    title="ModernBERT",
    checkpoint="answerdotai/ModernBERT-base",
    config={
        "model_type": "modernbert",
        "num_hidden_layers": 22,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 1152,
        "vocab_size": 50368,
        "global_attn_every_n_layers": 3,
        "norm_bias": False,
        "mlp_bias": False,
        "attention_bias": False,
        "classifier_bias": False,
    },
    stacks=(Stack("encoder", "num_hidden_layers"),),
    tensors=_tensors,
    axes=lambda config: {"2intermediate": 2 * (config.get("intermediate_size") or 4 * config["hidden_size"])},
    further={"global_attn_every_n_layers": 1},
    fused_projections=True,
    follows=_follows,
    also_by_block=("layer_types",),
)
