"""GPT-2: a pre-norm decoder whose query, key and value share one Conv1D matrix, stored transposed."""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import conv1d, norm

_BLOCK = "transformer.h.{decoder}."


def _tensors(config: Config) -> Tensors:
    return {
        "transformer.wte.weight": "vocabulary hidden",
        "transformer.wpe.weight": "positions hidden",
        **norm(_BLOCK + "ln_1"),
        **conv1d(_BLOCK + "attn.c_attn", "hidden", "3attention"),
        **conv1d(_BLOCK + "attn.c_proj", "attention", "hidden"),
        **norm(_BLOCK + "ln_2"),
        **conv1d(_BLOCK + "mlp.c_fc", "hidden", "intermediate"),
        **conv1d(_BLOCK + "mlp.c_proj", "intermediate", "hidden"),
        **norm("transformer.ln_f"),
        "score.weight": "labels hidden",
    }


FAMILY = Family(
    model_type="gpt2",
    kind="decoder",
    title="GPT-2",
    checkpoint="openai-community/gpt2",
    config={
        "model_type": "gpt2",
        "n_layer": 12,
        "n_embd": 768,
        "n_head": 12,
        "n_inner": None,
        "n_positions": 1024,
        "vocab_size": 50257,
    },
    stacks=(Stack("decoder", "n_layer"),),
    hidden_size="n_embd",
    heads="n_head",
    intermediate_size="n_inner",
    vocabulary="vocab_size",
    tensors=_tensors,
    axes=lambda config: {"positions": config.get("n_positions") or 1024},
    fused_projections=True,
    further={"n_positions": 1},
    generative=True,
    activation="activation_function",
    predicted_as="gpt2",
)
