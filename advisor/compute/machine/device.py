"""Which device trains and how precisely, which kinds are present, what this machine is; and the one place for seeds."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import torch
from accelerate.utils import set_seed

from advisor.base.errors import AdviseError
from advisor.base.version import __version__
from advisor.compute.machine import processes
from advisor.facts import cpu
from advisor.records.training_settings import MOST_SEED

PACKAGES = ("torch", "transformers", "datasets", "onnxruntime", "codecarbon")


def present(kind: str) -> bool:
    """Whether a device of this kind is present. Every machine has a CPU; an edge device cannot be detected."""
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
    return processes.own(torch.device(train_on))


def named(name: str) -> torch.device:
    """The device of this name: `cpu`, `cuda`, `mps`, or one of several, as `cuda:1`.

    Raises:
        AdviseError: there is no such device here.
    """
    try:
        found = torch.device(name)
        if present(found.type) and (found.index or 0) < max(1, torch.cuda.device_count()):
            return found
    except (RuntimeError, TypeError):  # torch knows no such name
        pass
    raise AdviseError(f"device: there is no {name!r} here", hint="device='cpu', or 'cuda' or 'mps' where there is one")


def accelerators() -> list[tuple[str, str]]:
    """The GPUs that torch can use: kind, and name with memory and compute capability."""
    found = []
    for number in range(torch.cuda.device_count()):
        one = torch.cuda.get_device_properties(number)
        about = f"{one.name}, {one.total_memory / 1e9:.0f} GB, compute capability {one.major}.{one.minor}"
        found.append((f"cuda:{number}", about))
    return found + ([("mps", "Apple GPU")] if present("mps") else [])


def bf16(wanted: str, device: torch.device) -> bool:
    """Does training compute in bfloat16? wanted: `auto`, `fp32` or `bf16`, the setting of a recipe."""
    if wanted == "auto":
        return (
            cpu.multiplies_bf16() if device.type == "cpu" else device.type == "cuda" and torch.cuda.is_bf16_supported()
        )
    return wanted == "bf16"


def precision(wanted: str, device: torch.device) -> str:
    """How training computes, for the report."""
    return "bf16 (weights fp32)" if bf16(wanted, device) else "fp32"


def own_memory(device: torch.device) -> int | None:
    """Bytes that are free on a GPU with memory of its own; None for devices that use the machine's."""
    return int(torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else None


def seed(number: int) -> None:
    """Seed every random generator: Python's, numpy's and torch's on all devices."""
    set_seed(number % (MOST_SEED + 1))  # further processes count on from the last one


def provenance() -> dict[str, object]:
    """Machine and versions, for the report."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    threads = torch.get_num_threads()
    with_threads = f"{cpu.name()}, {threads} thread{'' if threads == 1 else 's'}"
    return {
        "machine": with_threads + (f", {gpu}" if gpu else ""),
        "versions": {"advise": __version__, **versions(PACKAGES)},
    }


def versions(packages: Sequence[str]) -> dict[str, str]:
    """The version of each package."""
    return {name: _version(name) for name in packages}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # `python cli.py` in a checkout that was never installed
        return "not installed"
