"""Backends: runtimes that serve int8 on a CPU, behind one small interface; one module for each.

Each quantizes the same weights, writes files into a folder of its own, and reads them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

from advisor.base.errors import AdviseError
from advisor.base.install import pip_command
from advisor.compute.data.batches import Batch
from advisor.compute.int8.quantized import Quantized, Reader
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.writing import Writer

# The file by which an artefact of each backend is known, and what is not in the extra [run]. ONNX Runtime's lies where
# optimum and transformers.js look for it.
FILES = {"onnxruntime": "onnx/model_quantized.onnx", "openvino": "openvino_model.xml", "pytorch": "int8.safetensors"}
FORMER = {"model.onnx": "onnxruntime"}  # the file in run folders up to version 2
NEEDS = {"onnxruntime": ("onnx", "onnxruntime"), "openvino": ("openvino", "nncf"), "pytorch": ()}
EXTRAS = {"onnxruntime": "run", "openvino": "openvino"}
TITLES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "pytorch": "PyTorch in the form that serves"}


@dataclass(frozen=True, slots=True)
class Source:
    """The fp32 model that int8 is made of.

    calibration: batches of training rows, for smoothing and for the ranges of static int8. proof: batches that every
    fp32 form of the model is proved on. work: an empty folder for its forms. reduce_range: the CPU that will serve has
    no int8 dot-product instructions.
    """

    scorer: Scorer
    calibration: Sequence[Batch] = field(repr=False)
    proof: Sequence[Batch] = field(repr=False)
    work: Path
    reduce_range: bool

    def onnx(self) -> Path:
        """Its fp32 ONNX file, written and proved when first asked for."""
        from advisor.compute.int8.export import export

        path = self.work / "fp32.onnx"
        if not path.exists():
            export(self.scorer, path, self.proof, self.calibration)
        return path


class Prepared(Protocol):
    """A model that a backend is ready to quantize, as often as wanted. matrices: the names of all that can be int8."""

    matrices: tuple[str, ...]

    def quantize(self, folder: Path, keep: frozenset[str] = frozenset()) -> Quantized:
        """Write the int8 model into a folder; the matrices in `keep` stay fp32.

        Raises:
            AdviseError: no matrix became int8, some were left out, or the file grew.
        """

    def trial(self, keep: frozenset[str], threads: int) -> Reader | None:
        """The int8 model that was made first, with these matrices back in fp32; None where only `quantize` can do that.

        It tells how much int8 hurts these matrices; the model that is kept is always made by `quantize`.
        """

    def fp32(self, threads: int = 0) -> Reader | Writer:
        """The fp32 model in the runtime that serves int8. threads: as of `Backend.read`."""


class Backend(Protocol):
    """A module of this package."""

    def prepare(self, source: Source) -> Prepared:
        """Bring the model into the runtime's own form, and prove that it answers as before.

        Raises:
            AdviseError: it does not.
        """

    def read(self, folder: Path, threads: int = 0, processor: Any = None) -> Reader | Writer:
        """Load what `quantize` wrote. threads: for one request; all cores of the process if 0.

        processor: the tokenizer, which a model that writes needs.

        Raises:
            AdviseError: a file is missing, or the runtime cannot load it.
        """


def installed() -> frozenset[str]:
    """Names of the backends whose packages are here."""
    return frozenset(name for name in FILES if not _missing(name))


def _missing(name: str) -> list[str]:
    return [package for package in NEEDS[name] if find_spec(package) is None]


def backend(name: str) -> Backend:
    """The backend of this name.

    Raises:
        AdviseError: its packages are not installed.
    """
    missing = _missing(name)
    if missing:
        message = f"the int8 backend {name} needs {' and '.join(missing)}, not installed"
        raise AdviseError(message, hint=f"{pip_command(EXTRAS[name])}, or name another backend")
    return cast(Backend, import_module(f"{__name__}.{name}"))


def wrote(folder: Path) -> str | None:
    """The name of the backend that wrote a folder; None for a plain checkpoint."""
    known = {file: name for name, file in FILES.items()} | FORMER
    return next((name for file, name in known.items() if (folder / file).exists()), None)
