"""Qwen2 (arXiv 2407.10671): Llama with biases at query, key and value; the small ones tie their embeddings.

Counted as the language model, see Llama. The kept blocks' kinds of attention are written into `layer_types`.
"""

from __future__ import annotations

from typing import Any

from advisor.families.family import Blocks, Config, Family, Stack, Tensors
from advisor.families.tensors import causal_model, gated_block, layer_types, sliding_from

_BLOCK = "model.layers.{decoder}"


def _tensors(config: Config) -> Tensors:
    return causal_model(config, gated_block(_BLOCK, bias=True))


def _follows(before: Config, after: Config, blocks: Blocks) -> dict[str, Any]:
    # Servers read max_window_layers and want the depth there where no layer slides.
    whole = {} if before.get("use_sliding_window") else {"max_window_layers": len(blocks["decoder"])}
    return layer_types(before, blocks["decoder"], sliding_from(before)) | whole


FAMILY = Family(
    model_type="qwen2",
    kind="decoder",
    title="Qwen2",
    checkpoint="Qwen/Qwen2-0.5B",
    config={
        "model_type": "qwen2",
        "num_hidden_layers": 24,
        "hidden_size": 896,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "intermediate_size": 4864,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
    },
    stacks=(Stack("decoder", "num_hidden_layers"),),
    tensors=_tensors,
    axes=lambda config: {},
    head_size="head_dim",
    usual_head_size=0,
    grouped="num_key_value_heads",
    further={"max_window_layers": 0},
    generative=True,
    narrows=False,  # grouped heads: every width on the way would have to keep whole groups
    executable=False,
    follows=_follows,
    also_by_block=("layer_types", "max_window_layers"),
)
