"""ELECTRA's discriminator (arXiv 2003.10555): BERT whose embeddings may be narrower, then a projection follows."""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import bert_block, embeddings, linear


def _tensors(config: Config) -> Tensors:
    narrow = _width(config) != config["hidden_size"]
    return {
        **embeddings("electra.embeddings", "embedding" if narrow else "hidden"),
        **(linear("electra.embeddings_project", "hidden", "embedding") if narrow else {}),
        **bert_block("electra.encoder.layer.{encoder}"),
        **linear("classifier.dense", "hidden", "hidden"),
        **linear("classifier.out_proj", "labels", "hidden"),
    }


def _width(config: Config) -> int:
    return int(config.get("embedding_size") or 128)


FAMILY = Family(
    model_type="electra",
    kind="encoder",
    title="ELECTRA",
    checkpoint="google/electra-base-discriminator",
    config={
        "model_type": "electra",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "embedding_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    },
    stacks=(Stack("encoder", "num_hidden_layers"),),
    tensors=_tensors,
    axes=lambda config: {
        "positions": config.get("max_position_embeddings") or 512,
        "types": config.get("type_vocab_size") or 2,
        "embedding": _width(config),
    },
    further={"max_position_embeddings": 1, "type_vocab_size": 1, "embedding_size": 1},
    predicted_as="bert-like",
    also_hidden=("embedding_size",),
)
