"""What int8 means here, whatever the runtime: what became int8, proofs that nothing is silent, agreement of answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.batches import Batch
from advisor.compute.tasks.scorer import Scorer

EXPORT_TOLERANCE = 1e-3  # largest difference of logits between torch and the same model in fp32 elsewhere
# T5's second feed-forward matrix overflows in low precision (huggingface/transformers#20287): it stays fp32.
KEEP_FP32 = re.compile(r"[./]wo([./]|$)")


class Reader(Protocol):
    """A loaded model that reads batches on the CPU."""

    def __call__(self, **inputs: Any) -> NDArray[np.float32] | Tensor:
        """The raw scores, (batch, …), of a batch's inputs by name, each (batch, …)."""


def feed(inputs: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """The inputs as runtimes take them: whole numbers as int64, others as float32."""
    arrays = {name: np.asarray(one) for name, one in inputs.items()}
    return {
        name: one.astype(np.int64 if np.issubdtype(one.dtype, np.integer) else np.float32, copy=False)
        for name, one in arrays.items()
    }


def read_batch(reader: Reader, batch: Batch) -> Tensor:
    """A reader's raw scores of a batch, on the CPU."""
    with torch.inference_mode():
        return torch.as_tensor(reader(**batch.to("cpu").inputs))


def serve(reader: Reader | Scorer, batch: Batch) -> object:
    """What a request costs: the scores of a batch, or the texts that are written."""
    if not isinstance(reader, Scorer):
        return read_batch(reader, batch)
    with torch.inference_mode():
        return reader.serve(**batch.to("cpu").inputs)


@dataclass(frozen=True, slots=True)
class Quantized:
    """What became int8. matrices: constant ones that the model multiplies by; tables: int8 embeddings.

    kept_fp32: names of the matrices that did not become int8. reduce_range: weights have 7 bits.
    """

    matrices: int
    quantized: int
    kept_fp32: tuple[str, ...]
    tables: int
    reduce_range: bool
    size_bytes: int
    fp32_bytes: int

    def words(self) -> str:
        """In a few words, for a report."""
        bits = (
            "7-bit weights, because this CPU has no int8 dot-product instructions"
            if self.reduce_range
            else "8-bit weights"
        )
        tables = f" and {self.tables} embedding table{'s' * (self.tables > 1)}" if self.tables else ""
        return f"{self.quantized} of {self.matrices} matrices{tables} are int8; {bits}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two models' answers to the same rows. Differences are of class probabilities, between 0 and 1.

    Of a regression they are shares of the span of the first model's answers, and answers count as the same that differ
    by less than a twentieth of it.
    """

    max_probability_difference: float
    mean_probability_difference: float
    same_answer_share: float


def spared(matrices: Iterable[str]) -> frozenset[str]:
    """Matrices that stay fp32 in any case."""
    return frozenset(name for name in matrices if KEEP_FP32.search(name))


def together(parts: Sequence[Quantized]) -> Quantized:
    """One model in several files."""
    return Quantized(
        matrices=sum(one.matrices for one in parts),
        quantized=sum(one.quantized for one in parts),
        kept_fp32=tuple(name for one in parts for name in one.kept_fp32),
        tables=sum(one.tables for one in parts),
        reduce_range=parts[0].reduce_range,
        size_bytes=sum(one.size_bytes for one in parts),
        fp32_bytes=sum(one.fp32_bytes for one in parts),
    )


def check(result: Quantized, kept: Iterable[str], place: str) -> Quantized:
    """The same result, if it is what was asked for.

    Raises:
        AdviseError: no matrix became int8, some were left out, or the file grew.
    """
    left = sorted(set(result.kept_fp32) - set(kept))
    faults = []
    if not result.quantized:
        faults.append(f"quantization changed nothing: 0 of {result.matrices} matrices are int8")
    elif left:
        faults.append(f"{len(left)} of {result.matrices} matrices were not quantized: {', '.join(left[:5])}")
    if result.size_bytes >= result.fp32_bytes:
        faults.append(f"the int8 file grew: {result.size_bytes:,} bytes, fp32 has {result.fp32_bytes:,}")
    if faults:
        hint = "leave the quantization step out of the recipe for this model"
        raise AdviseError(*(Fault(fault, place, hint=hint) for fault in faults))
    return result


def prove(scorer: Scorer, reader: Reader, batches: Sequence[Batch], place: str) -> float:
    """The largest absolute difference of logits between torch and the same model in fp32 elsewhere.

    Raises:
        AdviseError: it is more than `EXPORT_TOLERANCE`.
    """
    difference = _largest_difference(scorer, reader, batches)
    if not difference <= EXPORT_TOLERANCE:
        raise AdviseError(
            Fault(
                f"the exported model's logits differ from torch's by {difference:.2g}, "
                f"at most {EXPORT_TOLERANCE:g} expected",
                place,
                hint="run the model in fp32; other versions of torch and transformers may export it better",
            )
        )
    return difference


def _largest_difference(scorer: Scorer, reader: Reader, batches: Sequence[Batch]) -> float:
    found = []
    device = next(scorer.parameters()).device
    for batch in batches:
        with torch.no_grad():
            expected = scorer(**batch.to(device).inputs).float().cpu()
        apart = (expected - read_batch(reader, batch)).abs()
        found.append(float(_counted(apart, batch, scorer.model.config).max()))
    return float(np.max(found))  # NaN stays NaN, and so fails


def _counted(scores: Tensor, batch: Batch, config: Any) -> Tensor:
    """Scores of each token without those of padding: nobody reads these, and OPT gives padding a place of its own."""
    mask = batch.inputs.get("attention_mask")
    if mask is None or scores.dim() != 3 or scores.shape[:2] != mask.shape or config.is_encoder_decoder:
        return scores
    return scores[mask.bool()]


def agreement(a_logits: ArrayLike, b_logits: ArrayLike, independent: bool = False) -> Agreement:
    """Compare two models' scores (rows, labels) of the same rows. independent: each label has a chance of its own.

    Example: probabilities (0.9, 0.1) and (0.8, 0.2) of one row differ by 0.1 at most, by 0.1 in the mean, and
    give the same answer.
    """
    both = np.asarray(a_logits, dtype=np.float64), np.asarray(b_logits, dtype=np.float64)
    if independent:
        difference = np.abs(np.subtract(*(1 / (1 + np.exp(-one)) for one in both)))
        same = ((both[0] > 0) == (both[1] > 0)).all(axis=1)
        return Agreement(float(difference.max()), float(difference.mean()), float(same.mean()))
    span = np.ptp(both[0]) or 1.0
    a, b = (one / span if one.shape[1] == 1 else probabilities(one) for one in both)
    difference = np.abs(a - b)
    if a.shape[1] == 1:
        return Agreement(float(difference.max()), float(difference.mean()), float((difference < 0.05).mean()))
    return Agreement(
        float(difference.max()),
        float(difference.mean()),
        float((a.argmax(axis=1) == b.argmax(axis=1)).mean()),
    )


def probabilities(logits: ArrayLike) -> NDArray[np.float64]:
    """Scores (rows, labels) as shares that sum to 1 in each row (softmax)."""
    scores = np.asarray(logits, dtype=np.float64)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
