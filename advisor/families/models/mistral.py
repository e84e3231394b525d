"""Mistral (arXiv 2310.06825): Llama with grouped heads and a sliding window.

Counted as the language model, see Llama.
"""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import causal_model, gated_block

_BLOCK = "model.layers.{decoder}"


def _tensors(config: Config) -> Tensors:
    return causal_model(config, gated_block(_BLOCK))


FAMILY = Family(
    model_type="mistral",
    kind="decoder",
    title="Mistral",
    checkpoint="mistralai/Mistral-7B-v0.1",
    config={
        "model_type": "mistral",
        "num_hidden_layers": 32,
        "hidden_size": 4096,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "intermediate_size": 14336,
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
