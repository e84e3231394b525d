"""The int8 artefact: made, compared with its fp32 source on selection rows, and written whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advisor.compute.bench import Batch, Bench, Encoded, gather, logits, quality
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
    """An int8 model. quantized: what became int8; agreement, kept: with its fp32 source, share of its accuracy, both on
    the selection rows."""

    file: Path
    quantized: Quantized
    agreement: Agreement
    kept: float
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
        made.file.rename(draft / FILE)
        for file in {fp32, *draft.glob("int8-*.onnx")}:
            file.unlink()
        tokenizer.save_pretrained(draft)
        config = {**scorer.model.config.to_dict(), "label_tokens": scorer.label_tokens}
        del config["_name_or_path"]  # where the model lay when it was loaded
        (draft / "config.json").write_text(json.dumps(config, indent=2, default=str, sort_keys=True))
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _quantized(scorer: Scorer, bench: Bench, fp32: Path, wanted: Wanted) -> Made:
    """The first attempt that keeps what is wanted on the selection rows, else the one that keeps most."""
    source = logits(scorer, bench, bench.selection)
    attempts: list[Made] = []
    for number, keep in enumerate((KEEP_FP32, KEEP_FP32_MORE)):
        attempts.append(_attempt(bench, source, fp32, fp32.with_name(f"int8-{number}.onnx"), keep))
        made = attempts[-1]
        if made.kept >= wanted.accuracy and made.agreement.mean_probability_difference <= wanted.difference:
            break
    best = made if made is attempts[0] else max(attempts, key=lambda one: one.kept)
    if best is not attempts[0]:
        told = f"with all matrices in int8 it kept {attempts[0].kept:.4f} of the accuracy on the selection rows"
        return replace(best, notes=(*best.notes, f"{told}, so the second feed-forward matrix of each block stays fp32"))
    return best


def _attempt(bench: Bench, source: Tensor, fp32: Path, file: Path, keep: str) -> Made:
    found = quantize(fp32, file, keep=keep)
    scores = gather(bench, bench.selection, _answer(OnnxScorer(file)))
    reached = quality(source, bench.selection, bench.metric)
    kept = quality(scores, bench.selection, bench.metric) / reached if reached > 0 else 0.0
    close = agreement(source, scores)
    told = f"{found.quantized} of {found.matrices} matrices and {found.tables} embedding tables are int8"
    bits = "7-bit weights, as this CPU has no int8 dot product" if found.reduce_range else "8-bit weights"
    same = f"same answers as fp32 on {close.same_answer_share:.1%} of the selection rows"
    return Made(file, found, close, kept, (f"{told}; {bits}; {same}",))


def score(folder: Path, bench: Bench, rows: Encoded) -> Tensor:
    """The artefact's scores of all rows: (rows, labels)."""
    return gather(bench, rows, _answer(OnnxScorer(folder / FILE)))


def _answer(scorer: OnnxScorer) -> Callable[[Batch], Tensor]:
    return lambda batch: torch.from_numpy(scorer(batch.input_ids.cpu(), batch.attention_mask.cpu()))
