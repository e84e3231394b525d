"""Export: a scorer as an fp32 ONNX file that answers the same, proved on batches.

The file is made to be served: attention is written out plainly (`servable`), and the last block works out only the one
row that the answer is read from (`answer_rows`).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.batches import Batch
from advisor.compute.int8.answer_rows import answer_rows_only
from advisor.compute.int8.quantized import prove
from advisor.compute.int8.servable import servable
from advisor.compute.int8.smoothing import smooth
from advisor.compute.structure.scorer import Scorer

OPSET = 17  # the first with LayerNormalization as one operator


def export(scorer: Scorer, path: Path, batches: Sequence[Batch], calibration: Sequence[Batch] = ()) -> float:
    """Write the model as fp32 ONNX for any number of rows and tokens, and prove it on the batches.

    Inputs `input_ids`, `attention_mask` (batch, tokens), int64; output `logits` (batch, labels). Above 2 GB
    the weights go into many files beside `path`: give it a folder of its own.

    Args:
        batches: what it is proved on. calibration: rows that tell where activations need smoothing for int8.

    Returns:
        The largest absolute difference of logits from torch's.

    Raises:
        AdviseError: there is no batch, or the exported model's logits differ by more than `EXPORT_TOLERANCE`.
    """
    from advisor.compute.int8.onnx_files import OnnxReader

    if not batches:
        raise AdviseError(Fault("the export cannot be proved without a batch", str(path), hint="give rows"))
    form = servable(scorer)
    smooth(form, calibration)
    _trace(form, path)
    _shorten(path)
    return prove(scorer, OnnxReader(path), batches, str(path))


def _trace(scorer: Scorer, path: Path) -> None:
    # A shape of its own, and padded: a size that got frozen in the file shows on the batches.
    sample = torch.ones(2, 5, dtype=torch.long), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that transformers compares
        torch.onnx.export(
            scorer, sample, str(path), dynamo=False, opset_version=OPSET,  # dynamo=True would need onnxscript
            input_names=["input_ids", "attention_mask"], output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
        )  # fmt: skip


def _shorten(path: Path) -> None:
    model = onnx.load(path, load_external_data=False)
    if answer_rows_only(model.graph):
        onnx.save(model, path)
