"""RoBERTa (arXiv 1907.11692): BERT without next-sentence prediction; its classification head has a dense layer.

Positions are counted from behind the padding token on, so there are two more rows of them than tokens.
"""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="roberta",
    title="RoBERTa",
    checkpoint="FacebookAI/roberta-base",
    config={
        "model_type": "roberta",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 50265,
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
    },
    spare_positions=2,
    predicted_as="bert-like",
)
