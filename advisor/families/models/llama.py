"""Llama (arXiv 2302.13971, 2307.09288): a decoder with rotary positions, RMSNorm and a gated feed-forward part.

Counted as the language model, whose output embeddings are a matrix of their own unless the config ties them; a
classifier made of it has none.
"""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import causal_model, gated_block

_BLOCK = "model.layers.{decoder}"


def _tensors(config: Config) -> Tensors:
    bias, mlp = bool(config.get("attention_bias")), bool(config.get("mlp_bias"))
    return causal_model(config, gated_block(_BLOCK, bias, bias, mlp))


FAMILY = Family(
    model_type="llama",
    kind="decoder",
    title="Llama",
    checkpoint="meta-llama/Llama-2-7b-hf",
    config={
        "model_type": "llama",
        "num_hidden_layers": 32,
        "hidden_size": 4096,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "intermediate_size": 11008,
        "vocab_size": 32000,
        "tie_word_embeddings": False,
    },
    stacks=(Stack("decoder", "num_hidden_layers"),),
    tensors=_tensors,
    axes=lambda config: {},
    head_size="head_dim",
    usual_head_size=0,
    grouped="num_key_value_heads",
    generative=True,
    narrows=False,  # grouped heads: every width on the way would have to keep whole groups
    executable=False,
)
