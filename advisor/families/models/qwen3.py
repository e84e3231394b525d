"""Qwen3 (arXiv 2505.09388): Qwen2 without those biases, with norms over each head of query and key.

Counted as the language model, see Llama. The kept blocks' kinds of attention are written into `layer_types`.
"""

from __future__ import annotations

from typing import Any

from advisor.families.family import Blocks, Config, Family, Stack, Tensors
from advisor.families.tensors import causal_model, gated_block, layer_types, norm, sliding_from

_BLOCK = "model.layers.{decoder}"


def _tensors(config: Config) -> Tensors:
    bias = bool(config.get("attention_bias"))
    norms = norm(f"{_BLOCK}.self_attn.q_norm", bias=False, over="head")
    norms |= norm(f"{_BLOCK}.self_attn.k_norm", bias=False, over="head")
    return causal_model(config, gated_block(_BLOCK, bias, bias) | norms)


def _follows(before: Config, after: Config, blocks: Blocks) -> dict[str, Any]:
    # Servers read max_window_layers and want the depth there where no layer slides.
    whole = {} if before.get("use_sliding_window") else {"max_window_layers": len(blocks["decoder"])}
    return layer_types(before, blocks["decoder"], sliding_from(before)) | whole


FAMILY = Family(
    model_type="qwen3",
    kind="decoder",
    title="Qwen3",
    checkpoint="Qwen/Qwen3-0.6B",
    config={
        "model_type": "qwen3",
        "num_hidden_layers": 28,
        "hidden_size": 1024,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "intermediate_size": 3072,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
    },
    stacks=(Stack("decoder", "num_hidden_layers"),),
    tensors=_tensors,
    axes=lambda config: {},
    head_size="head_dim",
    usual_head_size=128,
    grouped="num_key_value_heads",
    further={"max_window_layers": 0},
    generative=True,
    narrows=False,  # grouped heads: every width on the way would have to keep whole groups
    executable=False,
    follows=_follows,
    also_by_block=("layer_types", "max_window_layers"),
)
