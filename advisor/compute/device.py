"""Which device trains, which kinds are present, and what this machine is."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from advisor.errors import AdviseError

PACKAGES = ("advise", "torch", "transformers", "datasets", "onnxruntime", "codecarbon")


def present(kind: str) -> bool:
    """Is a device of this kind here? Every machine has a CPU; whether it is an edge device nobody can tell."""
    if kind in ("cuda", "mps"):
        return bool(torch.cuda.is_available() if kind == "cuda" else torch.backends.mps.is_available())
    return kind == "cpu"


def pick(train_on: str) -> torch.device:
    """The device to train on; `auto` takes the best that is present.

    Raises:
        AdviseError: the one that was asked for is not here.
    """
    if train_on == "auto":
        train_on = next((kind for kind in ("cuda", "mps") if present(kind)), "cpu")
    if not present(train_on):
        raise AdviseError(f"--train-on {train_on}: no such device here", hint="--train-on auto")
    return torch.device(train_on)


def provenance() -> dict[str, object]:
    """Machine and versions, for the report."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "machine": f"{_cpu()}, {torch.get_num_threads()} threads" + (f", {gpu}" if gpu else ""),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # `python cli.py` in a checkout that was never installed
        return "not installed"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
