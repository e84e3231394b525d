"""What the tests of int8 share: tiny models whose answers differ from row to row, and batches of every shape."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tiny
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, T5ForConditionalGeneration

from advisor.compute.data.batches import Batch
from advisor.compute.int8.backends import Source, backend
from advisor.compute.int8.quantized import Quantized
from advisor.compute.tasks.scorer import Scorer, TextScorer, WordScorer

# Blocks x matrices + head; T5 has 6 in an encoder block, 10 in a decoder block and a head for the label words' tokens.
MATRICES = {"bert": 4 * 6 + 2, "gpt2": 4 * 4 + 1, "opt": 4 * 6 + 1, "t5": 4 * 6 + 3 * 10 + 1}
BLOCKS = {"bert": 4, "gpt2": 4, "opt": 4, "t5": 4 + 3}


def scorer(family: str, **more: Any) -> Scorer:
    """A tiny model whose random weights are large enough for its answers to differ."""
    torch.manual_seed(0)
    wide = {"opt": {"init_std": 0.3}, "t5": {}}.get(family, {"initializer_range": 0.3})
    sizes = {"vocab_size": tiny.VOCABULARY, "num_labels": 3, **tiny.SIZES[family], **wide, "pad_token_id": 0}
    config = AutoConfig.for_model(family, **{**sizes, **more})
    if family == "t5":
        return WordScorer(T5ForConditionalGeneration(config), ((5, 6, 1), (7, 1), (8, 1))).eval()
    return TextScorer(AutoModelForSequenceClassification.from_config(config)).eval()


def batch(rows: int, tokens: int) -> Batch:
    """Random rows, each two tokens shorter than the one before it, padded."""
    torch.manual_seed(rows)
    mask = torch.tensor([[1] * n + [0] * (tokens - n) for n in (max(1, tokens - 2 * row) for row in range(rows))])
    ids = torch.randint(3, tiny.VOCABULARY, (rows, tokens)).masked_fill(mask == 0, 0)
    return Batch({"input_ids": ids, "attention_mask": mask}, torch.zeros(rows, dtype=torch.long), torch.arange(rows))


BATCHES = [batch(*shape) for shape in ((1, 1), (1, 40), (2, 5), (7, 3), (16, 33))]


def source(one: Scorer, work: Path, reduce_range: bool = False, calibration: Sequence[Batch] = BATCHES) -> Source:
    work.mkdir(exist_ok=True)
    return Source(one, calibration, BATCHES, work, reduce_range)


def config(one: Scorer) -> str:
    """What an artefact's config.json holds."""
    return json.dumps({**one.model.config.to_dict(), "label_tokens": getattr(one, "label_tokens", ())}, default=str)


def written(name: str, one: Scorer, folder: Path, calibration: Sequence[Batch] = BATCHES) -> Quantized:
    """Quantize a scorer into a folder by the backend of this name."""
    model = backend(name).prepare(source(one, folder / "work", calibration=calibration))
    (folder / "config.json").write_text(config(one))
    return model.quantize(folder)


@torch.no_grad()
def expected(one: Scorer) -> np.ndarray:
    """Torch's scores of all rows of the batches."""
    return np.concatenate([one(**each.inputs).numpy() for each in BATCHES])


def answers(reader: Any) -> np.ndarray:
    """A reader's scores of all rows of the batches."""
    return np.concatenate([reader(**each.inputs) for each in BATCHES])
