"""MPNet (arXiv 2004.09297): BERT without token types, and one table of relative positions for all blocks.

Positions are counted from behind the padding token on, as RoBERTa's are.
"""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import after_attention, linear, norm

_BLOCK = "mpnet.encoder.layer.{encoder}"


def _tensors(config: Config) -> Tensors:
    after = after_attention(_BLOCK)  # BERT's, but for attention's own output
    renamed = {name.replace(".attention.output.", ".attention."): axes for name, axes in after.items()}
    dense = f"{_BLOCK}.attention.dense"
    projections = {name.replace(dense, f"{_BLOCK}.attention.attn.o"): axes for name, axes in renamed.items()}
    for part in ("q", "k", "v"):
        projections |= linear(f"{_BLOCK}.attention.attn.{part}", "attention", "hidden")
    return {
        "mpnet.embeddings.word_embeddings.weight": "vocabulary hidden",
        "mpnet.embeddings.position_embeddings.weight": "positions hidden",
        **norm("mpnet.embeddings.LayerNorm"),
        **projections,
        "mpnet.encoder.relative_attention_bias.weight": "buckets heads",
        **linear("classifier.dense", "hidden", "hidden"),
        **linear("classifier.out_proj", "labels", "hidden"),
    }


FAMILY = Family(
    model_type="mpnet",
    kind="encoder",
    title="MPNet",
    checkpoint="microsoft/mpnet-base",
    config={
        "model_type": "mpnet",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 30527,
        "max_position_embeddings": 514,
        "relative_attention_num_buckets": 32,
    },
    stacks=(Stack("encoder", "num_hidden_layers"),),
    tensors=_tensors,
    axes=lambda config: {
        "positions": config.get("max_position_embeddings") or 512,
        "buckets": config.get("relative_attention_num_buckets") or 32,
    },
    further={"max_position_embeddings": 1, "relative_attention_num_buckets": 1},
    heads_alike=True,
    spare_positions=2,
    predicted_as="bert-like",
)
