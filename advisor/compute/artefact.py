"""The int8 artefact: made, compared with its fp32 source on selection rows, and written whole or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advisor.compute.bench import Bench, Encoded, accuracy, logits
from advisor.compute.int8 import (
    KEEP_FP32,
    KEEP_FP32_MORE,
    Agreement,
    OnnxScorer,
    Quantized,
    agreement,
    export,
    quantize,
)
from advisor.compute.scorer import Scorer

FILE = "model.onnx"
PROVED_BATCHES = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What int8 should keep of its fp32 source: share of the accuracy, mean difference of class probabilities."""

    accuracy: float
    difference: float


@dataclass(frozen=True, slots=True)
class Made:
    """An int8 artefact. quantized: what became int8; agreement: with its fp32 source on the selection rows."""

    quantized: Quantized
    agreement: Agreement
    notes: tuple[str, ...]


def make(scorer: Scorer, tokenizer: Any, bench: Bench, folder: Path, wanted: Wanted) -> Made:
    """Export and quantize a model into a new folder.

    Sensitive matrices stay in fp32 where the plain int8 model keeps less than is wanted on the selection rows; the
    notes say so.

    Raises:
        AdviseError: the exported model answers otherwise than its source, or nothing became int8.
    """
    draft = folder.with_name(f".{folder.name}.draft")
    draft.mkdir()
    try:
        fp32 = draft / "fp32.onnx"
        batches = [batch for batch, _ in zip(bench.batches(bench.selection), range(PROVED_BATCHES), strict=False)]
        export(scorer, fp32, batches)
        made = _quantized(scorer, bench, fp32, wanted)
        fp32.unlink()
        tokenizer.save_pretrained(draft)
        config = {**scorer.model.config.to_dict(), "label_tokens": scorer.label_tokens}
        (draft / "config.json").write_text(json.dumps(config, indent=2, default=str))
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _quantized(scorer: Scorer, bench: Bench, fp32: Path, wanted: Wanted) -> Made:
    source, target = logits(scorer, bench, bench.selection), fp32.with_name(FILE)
    reached = accuracy(source, bench.selection)
    notes: tuple[str, ...] = ()
    for keep in (KEEP_FP32, KEEP_FP32_MORE):
        found = quantize(fp32, target, keep=keep)
        scores = _scores(OnnxScorer(target), bench, bench.selection)
        kept = accuracy(scores, bench.selection) / reached if reached else 0.0
        close = agreement(source, scores)
        if kept >= wanted.accuracy and close.mean_probability_difference <= wanted.difference:
            break
        notes = (f"plain int8 kept {kept:.4f} of the accuracy on the selection rows, so {KEEP_FP32_MORE} stay in fp32",)
    told = f"{found.quantized} of {found.matrices} matrices and {found.tables} embedding tables are int8"
    bits = "7-bit weights, as this CPU has no int8 dot product" if found.reduce_range else "8-bit weights"
    same = f"same answers as fp32 on {close.same_answer_share:.1%} of the selection rows"
    return Made(found, close, (f"{told}; {bits}; {same}", *notes))


def score(folder: Path, bench: Bench, rows: Encoded) -> Tensor:
    """The artefact's scores of all rows: (rows, labels)."""
    return _scores(OnnxScorer(folder / FILE), bench, rows)


def _scores(scorer: OnnxScorer, bench: Bench, rows: Encoded) -> Tensor:
    found: Tensor | None = None
    for batch in bench.batches(rows, size=64):
        scores = torch.from_numpy(scorer(batch.input_ids.cpu(), batch.attention_mask.cpu()))
        found = torch.empty(len(rows), scores.shape[1]) if found is None else found
        found[batch.rows] = scores
    if found is None:
        raise ValueError("there are no rows to score")
    return found
