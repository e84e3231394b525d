"""int8 for PyTorch: dynamic, the fallback where neither ONNX Runtime nor OpenVINO runs.

Every `nn.Linear` (GPT-2's `Conv1D` among them, see `servable`) becomes an `Int8Linear`, whose weight is a plain int8
tensor with a scale for each output: it is saved as safetensors, and PyTorch's packed form is made anew where it is
loaded. Embeddings stay fp32.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from transformers import AutoConfig

from advisor.base.errors import AdviseError, Fault
from advisor.compute.int8.backends import FILES, Source
from advisor.compute.int8.quantized import Quantized, check, prove
from advisor.compute.int8.servable import matrices, servable
from advisor.compute.int8.smoothing import Smoothed, put, smooth
from advisor.compute.int8.written import written
from advisor.compute.tasks.registry import task_of
from advisor.compute.tasks.scorer import Scorer, WordScorer
from advisor.compute.tasks.writing import Writer
from advisor.facts.cpu import DOT_PRODUCT, instruction_sets
from advisor.facts.tasks import task_of_config


class Int8Linear(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """y = x W^T + b with W as int8 and a scale for each output; x becomes uint8 as it passes, by one scale."""

    weight: Tensor  # (outputs, inputs), int8
    scale: Tensor  # (outputs), fp32

    def __init__(self, outputs: int, inputs: int, biased: bool) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(outputs, inputs, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(outputs))
        self.register_buffer("bias", torch.zeros(outputs) if biased else None)
        self.packed: Any = None
        # Without int8 dot-product instructions pairs of products are added in 16 bits, so activations get 7 bits.
        self.reduce_range = not instruction_sets() & DOT_PRODUCT

    @classmethod
    def of(cls, linear: nn.Linear) -> Int8Linear:
        """The int8 form of a matrix: each output's largest weight becomes 127."""
        weight = linear.weight.detach()
        outputs, inputs = weight.shape
        made = cls(outputs, inputs, linear.bias is not None)
        made.scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
        made.weight = (weight / made.scale[:, None]).round().to(torch.int8)
        made.bias = None if linear.bias is None else linear.bias.detach()
        return made

    def forward(self, x: Tensor) -> Tensor:
        """(…, inputs) to (…, outputs)."""
        if self.packed is None:
            zero = torch.zeros(len(self.scale), dtype=torch.int64)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # quantized tensors are to be replaced by torchao's some day
                weight = torch._make_per_channel_quantized_tensor(self.weight, self.scale, zero, 0)
            self.packed = torch.ops.quantized.linear_prepack(weight, self.bias)
        return torch.ops.quantized.linear_dynamic(x, self.packed, self.reduce_range)


def prepare(source: Source) -> TorchModel:
    """The model with every matrix in an `nn.Linear`, smoothed, and proved to answer as before."""
    scorer = servable(source.scorer)
    smooth(scorer, source.calibration)
    prove(source.scorer, _reader(scorer, 0), source.proof, "the model with nn.Linear for Conv1D")
    return TorchModel(scorer)


class TorchModel:
    """An fp32 scorer whose matrices are all `nn.Linear`."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer, self.matrices = scorer, matrices(scorer.model)

    def quantize(self, folder: Path, keep: frozenset[str] = frozenset()) -> Quantized:
        """Write `int8.safetensors`."""
        scorer = servable(self.scorer)
        _to_int8(scorer.model, set(self.matrices) - keep)
        file = folder / FILES["pytorch"]
        save_model(scorer.model, str(file))
        left = matrices(scorer.model)
        int8 = [one for one in scorer.model.modules() if isinstance(one, Int8Linear)]
        fp32_bytes = sum(one.numel() * one.element_size() for one in self.scorer.model.parameters())
        return check(
            Quantized(
                matrices=len(self.matrices),
                quantized=len(self.matrices) - len(left),
                kept_fp32=left,
                tables=0,
                reduce_range=bool(int8) and int8[0].reduce_range,
                size_bytes=file.stat().st_size,
                fp32_bytes=fp32_bytes,
            ),
            keep,
            str(folder),
        )

    def trial(self, keep: frozenset[str], threads: int) -> None:
        """Quantizing anew takes no calibration."""

    def fp32(self, threads: int = 0) -> TorchReader | Writer:
        """The fp32 model with every matrix in an `nn.Linear`."""
        return _reader(self.scorer, threads)


def _to_int8(model: Any, names: Iterable[str]) -> None:
    for name in names:
        put(model, name, Int8Linear.of(model.get_submodule(name)))


def read(folder: Path, threads: int = 0, processor: Any = None) -> TorchReader | Writer:
    """The int8 model of a folder: the stock class, filled from `int8.safetensors`. `threads`: see `TorchReader`."""
    file = folder / FILES["pytorch"]
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with safe_open(file, "pt") as tensors:
            names = list(tensors.keys())
            smoothed = {name: tensors.get_tensor(name) for name in names if name.endswith(".factor")}
        scorer = servable(_empty(folder, config, processor))
        _untie(scorer.model, set(names))
        for name, factor in smoothed.items():
            one = name.removesuffix(".factor")
            put(scorer.model, one, Smoothed(scorer.model.get_submodule(one), factor))
        _to_int8(scorer.model, [name.removesuffix(".scale") for name in names if name.endswith(".scale")])
        load_model(scorer.model, str(file))
    except (OSError, ValueError, KeyError, AttributeError, RuntimeError, SafetensorError) as error:
        raise AdviseError(
            Fault(f"cannot be loaded: {(str(error) or repr(error)).splitlines()[0]}", str(file))
        ) from None
    return _reader(scorer, threads)


def _empty(folder: Path, said: Mapping[str, Any], processor: Any) -> Scorer:
    """The task's model without weights. said: the artefact's config."""
    if (found := written(folder)) is not None:
        made = found.task.stock_class().from_config(found.config)
        made.generation_config = found.generation
        return found.scorer(made, processor)
    config = AutoConfig.from_pretrained(folder)
    words = tuple(map(tuple, said.get("label_tokens") or ()))
    task = task_of(task_of_config(said), (), said.get("problem_type"))  # artefacts of older versions do not say
    model = task.stock_class(text_to_text=bool(words)).from_config(config)
    return WordScorer(model, words) if words else task.scorer(model, None)


def _untie(model: Any, names: set[str]) -> None:
    """Give a model output embeddings of its own if the file has them: the config of a Flan-T5 does not say so."""
    head = model.get_output_embeddings()
    if head is None:
        return
    shared = {name for name, one in model.named_parameters(remove_duplicate=False) if one is head.weight}
    if len(shared & names) > 1:  # of tied ones a file has one
        head.weight = nn.Parameter(head.weight.detach().clone())


def _reader(scorer: Scorer, threads: int) -> TorchReader | Writer:
    """A scorer as it is read; one that writes reads and writes by itself. threads: as of `TorchReader`."""
    reader = TorchReader(scorer, threads)
    return scorer if isinstance(scorer, Writer) else reader


class TorchReader:
    """A scorer of PyTorch on the CPU. `threads`: of the whole process; as they are if 0."""

    def __init__(self, scorer: Scorer, threads: int = 0) -> None:
        self.scorer = scorer.eval()
        if threads:
            torch.set_num_threads(threads)

    def __call__(self, **inputs: ArrayLike) -> NDArray[np.float32]:
        """The raw scores, (batch, …), of a batch's inputs by name."""
        with torch.inference_mode():
            found = self.scorer(**{name: torch.as_tensor(one) for name, one in inputs.items()})
        scores: NDArray[np.float32] = found.float().numpy()
        return scores
