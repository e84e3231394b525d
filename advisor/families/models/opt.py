"""OPT (arXiv 2205.01068): a decoder with separate projections; opt-350m is post-norm with narrow embeddings."""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import linear, norm

_BLOCK = "model.decoder.layers.{decoder}."


def _tensors(config: Config) -> Tensors:
    bias = config.get("enable_bias", True)
    narrow = config.get("word_embed_proj_dim") not in (None, config["hidden_size"])
    embedding = "embedding" if narrow else "hidden"
    tensors = {
        "model.decoder.embed_tokens.weight": f"vocabulary {embedding}",
        "model.decoder.embed_positions.weight": "positions hidden",
        **linear(_BLOCK + "self_attn.k_proj", "attention", "hidden", bias),
        **linear(_BLOCK + "self_attn.v_proj", "attention", "hidden", bias),
        **linear(_BLOCK + "self_attn.q_proj", "attention", "hidden", bias),
        **linear(_BLOCK + "self_attn.out_proj", "hidden", "attention", bias),
        **linear(_BLOCK + "fc1", "intermediate", "hidden", bias),
        **linear(_BLOCK + "fc2", "hidden", "intermediate", bias),
        "score.weight": f"labels {embedding}",
    }
    if narrow:
        tensors |= linear("model.decoder.project_in", "hidden", "embedding", bias=False)
        tensors |= linear("model.decoder.project_out", "embedding", "hidden", bias=False)
    return tensors | _norms(config)


def _norms(config: Config) -> Tensors:
    if not config.get("layer_norm_elementwise_affine", True):
        return {}  # norms without weights
    last = config.get("do_layer_norm_before", True) and not config.get("_remove_final_layer_norm")
    return {
        **norm(_BLOCK + "self_attn_layer_norm"),
        **norm(_BLOCK + "final_layer_norm"),
        **(norm("model.decoder.final_layer_norm") if last else {}),
    }


FAMILY = Family(
    model_type="opt",
    kind="decoder",
    title="OPT",
    checkpoint="facebook/opt-125m",
    config={
        "model_type": "opt",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "ffn_dim": 3072,
        "vocab_size": 50272,
        "max_position_embeddings": 2048,
        "word_embed_proj_dim": 768,
        "do_layer_norm_before": True,
        "enable_bias": True,
    },
    stacks=(Stack("decoder", "num_hidden_layers"),),
    hidden_size="hidden_size",
    heads="num_attention_heads",
    intermediate_size="ffn_dim",
    vocabulary="vocab_size",
    tensors=_tensors,
    # OPT keeps two rows of positions in front of the first token.
    axes=lambda config: {
        "positions": (config.get("max_position_embeddings") or 2048) + 2,
        "embedding": config.get("word_embed_proj_dim") or config["hidden_size"],
    },
    further={"max_position_embeddings": 1, "word_embed_proj_dim": 1},
    generative=True,
    activation="activation_function",
    spare_positions=2,
    predicted_as="opt",
    judged_as="bert-like",  # rule opt-follows-bert
    also_hidden=("word_embed_proj_dim",),
)
