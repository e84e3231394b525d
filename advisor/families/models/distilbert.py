"""DistilBERT (arXiv 1910.01108): BERT with half the blocks, without token types and pooler."""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import linear, norm

_BLOCK = "distilbert.transformer.layer.{encoder}."


def _tensors(config: Config) -> Tensors:
    return {
        "distilbert.embeddings.word_embeddings.weight": "vocabulary hidden",
        "distilbert.embeddings.position_embeddings.weight": "positions hidden",
        **norm("distilbert.embeddings.LayerNorm"),
        **linear(_BLOCK + "attention.q_lin", "attention", "hidden"),
        **linear(_BLOCK + "attention.k_lin", "attention", "hidden"),
        **linear(_BLOCK + "attention.v_lin", "attention", "hidden"),
        **linear(_BLOCK + "attention.out_lin", "hidden", "attention"),
        **norm(_BLOCK + "sa_layer_norm"),
        **linear(_BLOCK + "ffn.lin1", "intermediate", "hidden"),
        **linear(_BLOCK + "ffn.lin2", "hidden", "intermediate"),
        **norm(_BLOCK + "output_layer_norm"),
        **linear("pre_classifier", "hidden", "hidden"),
        **linear("classifier", "labels", "hidden"),
    }


FAMILY = Family(
    model_type="distilbert",
    kind="encoder",
    title="DistilBERT",
    checkpoint="distilbert/distilbert-base-uncased",
    config={
        "model_type": "distilbert",
        "n_layers": 6,
        "dim": 768,
        "n_heads": 12,
        "hidden_dim": 3072,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
    },
    stacks=(Stack("encoder", "n_layers"),),
    hidden_size="dim",
    heads="n_heads",
    intermediate_size="hidden_dim",
    tensors=_tensors,
    axes=lambda config: {"positions": config.get("max_position_embeddings") or 512},
    further={"max_position_embeddings": 1},
    predicted_as="bert-like",
)
