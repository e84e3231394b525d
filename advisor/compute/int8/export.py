"""Export: a scorer as an fp32 ONNX file that answers the same, proved on batches.

The file is made to be served: attention is written out plainly (`servable`), and the last block works out only the one
row that the answer is read from (`answer_rows`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.batches import Batch
from advisor.compute.int8.answer_rows import answer_rows_only
from advisor.compute.int8.onnx_files import OnnxReader
from advisor.compute.int8.quantized import prove
from advisor.compute.int8.servable import servable
from advisor.compute.int8.smoothing import smooth
from advisor.compute.int8.tracing import trace
from advisor.compute.int8.writer_graphs import export_graphs
from advisor.compute.tasks.scorer import Scorer, TextScorer
from advisor.compute.tasks.writing import Writer

# Traced of texts: a shape of its own, and padded, so that a size that got frozen shows on the batches.
_TEXTS = {
    "input_ids": torch.ones(2, 5, dtype=torch.long),
    "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
}


def export(scorer: Scorer, path: Path, batches: Sequence[Batch], calibration: Sequence[Batch] = ()) -> float:
    """Write the model as fp32 ONNX for any number of rows and tokens, and prove it on the batches.

    Inputs as a batch names them, of texts for any number of tokens; output `logits` (batch, …). Above 2 GB
    the weights go into many files beside `path`: give it a folder of its own.

    Args:
        batches: what it is proved on. calibration: rows that tell where activations need smoothing for int8.

    Returns:
        The largest absolute difference of logits from torch's.

    Raises:
        NotExportable: torch cannot write the model as ONNX.
        AdviseError: there is no batch, or the exported model's logits differ by more than `EXPORT_TOLERANCE`.
    """
    if not batches:
        raise AdviseError(Fault("the export cannot be proved without a batch", str(path), hint="give rows"))
    form = servable(scorer)
    smooth(form, calibration)
    _trace(form, path, _sample(batches[0]))
    if isinstance(form, TextScorer):
        _shorten(path)
    return prove(scorer, OnnxReader(path), batches, str(path))


class _InOrder(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """A scorer that takes its inputs in order, as the tracer gives them; parts keep their names."""

    def __init__(self, scorer: Scorer, names: Sequence[str]) -> None:
        super().__init__()
        for name, child in scorer.named_children():
            self.add_module(name, child)
        self.names, self.answer = names, scorer.forward

    def forward(self, *tensors: Tensor) -> Tensor:
        return self.answer(**dict(zip(self.names, tensors, strict=True)))


def refuse_unexportable(scorer: Scorer) -> None:
    """Raise NotExportable where torch cannot write such a model as ONNX. scorer: a small one of texts."""
    form = servable(scorer)
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(form, Writer):
            export_graphs(form.model, Path(folder))
        else:
            _trace(form, Path(folder) / "small.onnx", _TEXTS)


def _trace(scorer: Scorer, path: Path, sample: Mapping[str, Tensor]) -> None:
    texts = "input_ids" in sample
    axes = {0: "batch", 1: "tokens"} if texts else {0: "batch"}
    trace(_InOrder(scorer, list(sample)), path, sample, ["logits"], dict.fromkeys((*sample, "logits"), axes))


def _sample(batch: Batch) -> Mapping[str, Tensor]:
    """What is traced."""
    return _TEXTS if "input_ids" in batch.inputs else {name: one[:1].cpu() for name, one in batch.inputs.items()}


def _shorten(path: Path) -> None:
    model = onnx.load(path, load_external_data=False)
    if answer_rows_only(model.graph):
        onnx.save(model, path)
