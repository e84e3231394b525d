"""Energy counters: RAPL of the CPU, from Linux's powercap files, and NVML's of the GPU that is used, found by UUID."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from advisor.compute.measure.windows import NotMeasured, Reading

POWERCAP = Path("/sys/class/powercap")
COUNTED = ("package", "dram")  # `psys` covers the packages again, `core` and `uncore` are parts of them


class Counter(Protocol):
    """One energy counter."""

    def joules(self) -> float:
        """What it has counted so far. Raises NotMeasured where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Rapl:
    """A domain of RAPL, a folder of powercap files. Its unit is a microjoule."""

    folder: Path

    def joules(self) -> float:
        """What it has counted so far."""
        try:
            return int((self.folder / "energy_uj").read_text()) / 1e6
        except (OSError, ValueError) as error:
            raise NotMeasured(f"the energy counter in {self.folder} cannot be read: {error}") from None


class Gpu:
    """The energy counter of one GPU since its driver was loaded. Its unit is a millijoule."""

    def __init__(self, nvml: Any, uuid: str) -> None:
        self.nvml = nvml
        try:
            nvml.nvmlInit()
            self.handle = nvml.nvmlDeviceGetHandleByUUID(uuid)
        except nvml.NVMLError as error:
            raise NotMeasured(f"NVML does not know the GPU {uuid}: {error}") from None
        self.joules()

    def joules(self) -> float:
        """What it has counted so far; refused where another process uses the GPU too, whose energy it would count."""
        try:
            users = len(self.nvml.nvmlDeviceGetComputeRunningProcesses(self.handle))
            counted = float(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)) / 1000
        except self.nvml.NVMLError as error:
            raise NotMeasured(f"this GPU's energy counter cannot be read: {error}") from None
        if users > 1:
            raise NotMeasured(f"{users} processes use this GPU, and its counter cannot tell them apart")
        return counted


def rapl(root: Path = POWERCAP) -> dict[str, Counter]:
    """The readable RAPL counters by name: each package, and its memory where that is counted apart.

    Raises:
        NotMeasured: there is none, or one may not be read: a part of the CPU's energy is no measurement.
    """
    found: dict[str, Counter] = {name: Rapl(folder) for name, folder in _domains(root)}
    if not found:
        raise NotMeasured(f"no RAPL counters in {root}")
    for counter in found.values():
        counter.joules()
    return found


def _domains(root: Path) -> Iterator[tuple[str, Path]]:
    for folder in sorted(root.glob("intel-rapl:*")):
        try:
            name = (folder / "name").read_text().strip()
        except OSError:
            continue
        if name.startswith(COUNTED):
            yield f"RAPL {folder.name.removeprefix('intel-rapl:')} {name}", folder


def gpu() -> dict[str, Counter]:
    """The counter of the GPU that torch uses.

    Raises:
        NotMeasured: NVML is not installed, does not know it, or counts no energy of it.
    """
    uuid = f"GPU-{torch.cuda.get_device_properties(torch.cuda.current_device()).uuid}"
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        raise NotMeasured("the package nvidia-ml-py, which reads a GPU's energy counter, is not installed") from None
    return {f"NVML {uuid[:12]}": Gpu(nvml, uuid)}


def read(counters: Mapping[str, Counter]) -> Reading:
    """All counters now, or the reason why one could not be read."""
    try:
        return {name: counter.joules() for name, counter in counters.items()}
    except NotMeasured as reason:
        return str(reason)
