"""BERT (arXiv 1810.04805): a post-norm encoder with separate query, key and value."""

from __future__ import annotations

from advisor.family import Config, Family, Stack, Tensors, linear, norm

_BLOCK = "bert.encoder.layer.{encoder}."


def _tensors(config: Config) -> Tensors:
    attention = _BLOCK + "attention.self."
    return {
        "bert.embeddings.word_embeddings.weight": "vocabulary hidden",
        "bert.embeddings.position_embeddings.weight": "positions hidden",
        "bert.embeddings.token_type_embeddings.weight": "types hidden",
        **norm("bert.embeddings.LayerNorm"),
        **linear(attention + "query", "attention", "hidden"),
        **linear(attention + "key", "attention", "hidden"),
        **linear(attention + "value", "attention", "hidden"),
        **linear(_BLOCK + "attention.output.dense", "hidden", "attention"),
        **norm(_BLOCK + "attention.output.LayerNorm"),
        **linear(_BLOCK + "intermediate.dense", "intermediate", "hidden"),
        **linear(_BLOCK + "output.dense", "hidden", "intermediate"),
        **norm(_BLOCK + "output.LayerNorm"),
        **linear("bert.pooler.dense", "hidden", "hidden"),
        **linear("classifier", "labels", "hidden"),
    }


FAMILY = Family(
    model_type="bert",
    kind="encoder",
    title="BERT",
    checkpoint="google-bert/bert-base-uncased",
    config={
        "model_type": "bert",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    },
    stacks=(Stack("encoder", "num_hidden_layers"),),
    hidden_size="hidden_size",
    heads="num_attention_heads",
    intermediate_size="intermediate_size",
    vocabulary="vocab_size",
    tensors=_tensors,
    axes=lambda config: {
        "positions": config.get("max_position_embeddings", 512),
        "types": config.get("type_vocab_size", 2),
    },
    predicted_as="bert-like",
)
