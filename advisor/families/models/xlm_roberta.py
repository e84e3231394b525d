"""XLM-RoBERTa (arXiv 1911.02116): RoBERTa with a vocabulary of a hundred languages; the same tensors."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="xlm-roberta",
    title="XLM-RoBERTa",
    checkpoint="FacebookAI/xlm-roberta-base",
    config={
        "model_type": "xlm-roberta",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "vocab_size": 250002,
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
    },
    spare_positions=2,
    predicted_as="bert-like",
)
