"""Doctor: what this machine offers for advice, runs and measurement, and what follows from it.

No heavy library is imported. Only torch, where it is installed, is asked for GPUs; every other version is read from the
packages' metadata.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from advisor.base import user_folders
from advisor.base.errors import AdviseError
from advisor.base.install import pip_command
from advisor.execution import memory
from advisor.facts import cpu
from advisor.runs import ledger

POWERCAP, CGROUP, PROC = Path("/sys/class/powercap"), Path("/sys/fs/cgroup"), Path("/proc")
EXTRAS = {  # packages that an extra adds, as pyproject.toml names them (a test compares)
    "run": ("torch", "transformers", "datasets", "safetensors", "accelerate", "codecarbon", "psutil", "onnx",
            "onnxruntime", "scipy", "huggingface-hub", "numpy", "pyarrow", "pillow", "nvidia-ml-py"),
    "report": ("matplotlib", "jinja2", "markupsafe"),
    "openvino": ("openvino", "nncf"),
    "generation": ("rouge-score", "sacrebleu"),
    "audio": ("soundfile", "jiwer"),
    "search": ("optuna", "ray"),
}  # fmt: skip
BACKENDS = {"onnxruntime": ("onnx", "onnxruntime"), "openvino": ("openvino", "nncf"), "pytorch": ("torch",)}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. follows: what it means for advice or measurement; good: None where neither."""

    topic: str
    name: str
    found: str
    follows: str = ""
    good: bool | None = None


def examine() -> tuple[Line, ...]:
    """Look at everything."""
    return (*processor(), *free_memory(), *gpus(), *backends(), *energy(), *folders(), *extras())


def processor() -> Iterator[Line]:
    sets = cpu.instruction_sets()
    yield Line("cpu", "processor", f"{cpu.name()}, {platform.machine()}")
    offered = cpu.int8_for(sets, frozenset())
    found = ", ".join(sorted(sets)) or "none known"
    yield Line("cpu", "int8 instructions", found, offered.reason, not offered.reduce_range)
    bf16 = cpu.multiplies_bf16()
    yield Line(
        "cpu", "bf16 instructions", "yes" if bf16 else "no",
        "training computes in bf16 (precision: auto)" if bf16 else "training computes in fp32", bf16,
    )  # fmt: skip
    cores, share = threads(), quota()
    few = f"{cores} usable" + (f", limited to {share:g} at a time" if share and share < cores else "")
    yield Line("cpu", "threads", f"{few} of {os.cpu_count()}", _threads(cores, share), not (share and share < cores))


def _threads(cores: int, share: float | None) -> str:
    if share and share < cores:
        return f"set OMP_NUM_THREADS={max(1, int(share))}: more threads than the limit wait for each other"
    given = os.environ.get("OMP_NUM_THREADS")
    return f"OMP_NUM_THREADS={given} is set: training and serving use so many" if given else ""


def threads() -> int:
    """Threads that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def quota(root: Path = CGROUP) -> float | None:
    """CPUs that a container may use at a time; None without a limit."""
    words = _read(root / "cpu.max").split()
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0].isdigit() else None


def free_memory() -> Iterator[Line]:
    """Memory that is free, of the machine or of the container where that is less."""
    free = memory.available()
    if free is None:
        yield Line("memory", "memory", "not known")
        return
    most = free / memory.TRAINED / 1e6
    follows = f"advise run refuses to train models above {most:,.0f} M parameters here, as they cannot fit"
    yield Line("memory", "memory", f"{free / 1e9:.1f} GB free", follows)


def gpus() -> Iterator[Line]:
    if find_spec("torch") is None:
        driver = (PROC / "driver/nvidia/version").exists()
        found = "an NVIDIA driver is here" if driver else "no NVIDIA driver"
        yield Line("gpu", "GPUs", f"{found}; torch is not installed, so nothing more is known")
        return
    from advisor.compute.machine.device import accelerators

    found_ = accelerators()
    yield from (Line("gpu", kind, about, "training and serving use it", True) for kind, about in found_)
    if not found_:
        follows = "models train on the CPU; time and emissions of models for a GPU cannot be measured here"
        yield Line("gpu", "GPUs", "none that torch can use", follows, None)


def backends() -> Iterator[Line]:
    here = frozenset(name for name, packages in BACKENDS.items() if all(map(_version, packages)))
    order = cpu.int8_for(cpu.instruction_sets(), here).backends
    for name, packages in BACKENDS.items():
        found = ", ".join(f"{package} {_version(package)}" for package in packages if _version(package))
        if name in here:
            follows = "`backend: auto` takes it here" if order[0] == name else ""
            yield Line("int8", name, found, follows, True)
        else:
            follows = pip_command("openvino" if name == "openvino" else "run")
            yield Line("int8", name, found or "not installed", follows, None if name == "openvino" else False)


def energy(powercap: Path = POWERCAP) -> Iterator[Line]:
    """Counters of energy, and where a figure of power comes from without them."""
    zones = sorted(powercap.glob("*rapl*:*")) if powercap.is_dir() else []
    readable = [zone for zone in zones if _read(zone / "energy_uj").strip().isdigit()]
    names = ", ".join(dict.fromkeys(_read(zone / "name").strip() or zone.name for zone in zones))
    if readable:
        yield Line("energy", "RAPL", f"{names}: readable", "the CPU's energy is counted", True)
    elif zones:
        remedy = f"sudo chmod -R a+r {powercap}/*/energy_uj until the next start"
        follows = f"energy is derived from processor time, no power is measured; to count it: {remedy}"
        yield Line("energy", "RAPL", f"{names}: not readable by this user", follows, False)
    elif platform.system() == "Darwin":
        yield Line("energy", "powermetrics", "macOS", "counted only where codecarbon may run powermetrics with sudo")
    else:
        follows = "energy is derived from processor time, no power is measured; `--power-log` takes a meter's file"
        yield Line("energy", "RAPL", f"no counter in {powercap}", follows, False)
    yield _nvml()
    yield Line("energy", "memory", "has no counter of its own on most machines", "its energy is left out there")
    found = _version("codecarbon")
    missing = "" if found else f"without it energy and emissions are not measured: {pip_command('run')}"
    yield Line("energy", "codecarbon", found or "not installed", missing, bool(found))


def _nvml() -> Line:
    if not (PROC / "driver/nvidia/version").exists():
        return Line("energy", "NVML", "no NVIDIA GPU to count")
    try:
        import pynvml

        pynvml.nvmlInit()
        pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByIndex(0))
    except Exception as error:  # the library is missing, or NVML's own errors, which it alone defines
        return Line("energy", "NVML", f"not readable: {error}", "the GPU's energy is not measured", False)
    return Line("energy", "NVML", "readable", "the GPU's energy is counted, of all programs together", True)


def folders() -> Iterator[Line]:
    """Where runs, remembered packs and downloaded models are kept."""
    try:
        found, good = f"{ledger.where()}: {_many(len(ledger.find()), 'run')}", True
    except AdviseError as error:
        found, good = error.faults[0].message, False
    yield Line("folders", "ledger", found, "" if good else "runs are not recorded", good)
    try:
        yield Line("folders", "cache", f"{user_folders.cache()}/advise", "may be deleted at any time")
        models = len(list(Path(hub := user_folders.hub()).glob("models--*")))
        means = "models named by their Hub id are looked for here"
        yield Line("folders", "Hub", f"{hub}: {_many(models, 'model')}", means)
    except user_folders.NoFolder as error:
        yield Line("folders", "cache", str(error.strerror), "nothing is remembered between two commands", False)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def extras(has: Callable[[str], str] | None = None) -> Iterator[Line]:
    has = has or _version
    for extra, packages in EXTRAS.items():
        missing = [package for package in packages if not has(package)]
        found = f"missing: {', '.join(missing)}" if missing else "installed"
        remedy = pip_command(extra) if missing else ""
        yield Line("extras", f"[{extra}]", found, remedy, not missing)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _read(path: Path) -> str:
    """A small file's text; "" where it is missing or may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
