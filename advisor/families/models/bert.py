"""BERT (arXiv 1810.04805): a post-norm encoder with separate query, key and value."""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import bert_block, embeddings, linear


def _tensors(config: Config) -> Tensors:
    return {
        **embeddings("bert.embeddings"),
        **bert_block("bert.encoder.layer.{encoder}"),
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
        "positions": config.get("max_position_embeddings") or 512,
        "types": config.get("type_vocab_size") or 2,
    },
    further={"max_position_embeddings": 1, "type_vocab_size": 1},
    may_lack=("bert.pooler.",),  # as sentence encoders do, which average instead
    predicted_as="bert-like",
)
