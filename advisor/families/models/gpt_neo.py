"""GPT-Neo (EleutherAI 2021): GPT-2 with separate projections; attention is global and local by turns.

The kept blocks' kinds of attention are written into `attention_types`.
"""

from __future__ import annotations

from typing import Any

from advisor.families.family import Blocks, Config, Family, Stack, Tensors
from advisor.families.tensors import linear, norm, of_kept

_BLOCK = "transformer.h.{decoder}."


def _tensors(config: Config) -> Tensors:
    return {
        "transformer.wte.weight": "vocabulary hidden",
        "transformer.wpe.weight": "positions hidden",
        **norm(_BLOCK + "ln_1"),
        **linear(_BLOCK + "attn.attention.k_proj", "attention", "hidden", bias=False),
        **linear(_BLOCK + "attn.attention.v_proj", "attention", "hidden", bias=False),
        **linear(_BLOCK + "attn.attention.q_proj", "attention", "hidden", bias=False),
        **linear(_BLOCK + "attn.attention.out_proj", "hidden", "attention"),
        **norm(_BLOCK + "ln_2"),
        **linear(_BLOCK + "mlp.c_fc", "intermediate", "hidden"),
        **linear(_BLOCK + "mlp.c_proj", "hidden", "intermediate"),
        **norm("transformer.ln_f"),
        "score.weight": "labels hidden",
    }


def _follows(before: Config, after: Config, blocks: Blocks) -> dict[str, Any]:
    given = before.get("attention_types") or [[["global", "local"], 12]]
    try:
        kinds = [kind for pattern, times in given for _ in range(times) for kind in pattern]
    except (TypeError, ValueError):
        raise ValueError(f"attention_types cannot be read: {given!r}") from None
    kept = of_kept({"attention_types": kinds}, "attention_types", before["num_layers"], blocks["decoder"])
    return {"attention_types": [[kept, 1]], "attention_layers": kept}


FAMILY = Family(
    model_type="gpt_neo",
    kind="decoder",
    title="GPT-Neo",
    checkpoint="EleutherAI/gpt-neo-125m",
    config={
        "model_type": "gpt_neo",
        "num_layers": 12,
        "hidden_size": 768,
        "num_heads": 12,
        "intermediate_size": None,
        "vocab_size": 50257,
        "max_position_embeddings": 2048,
        "attention_types": [[["global", "local"], 6]],
    },
    stacks=(Stack("decoder", "num_layers"),),
    heads="num_heads",
    tensors=_tensors,
    axes=lambda config: {"positions": config.get("max_position_embeddings") or 2048},
    further={"max_position_embeddings": 1},
    generative=True,
    follows=_follows,
    also_by_block=("attention_types", "attention_layers"),
)
