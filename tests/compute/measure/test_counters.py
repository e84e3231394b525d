"""Energy counters: RAPL's files as Linux has them, and NVML's of a GPU, which is a library of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.compute.measure.counters import Gpu, rapl, read
from advisor.compute.measure.windows import NotMeasured

DOMAINS = {
    "intel-rapl:0": ("package-0", 5_000_000),
    "intel-rapl:0:0": ("core", 3_000_000),
    "intel-rapl:0:1": ("dram", 700_000),
    "intel-rapl:1": ("package-1", 4_000_000),
    "intel-rapl:2": ("psys", 12_000_000),
}


@pytest.fixture
def powercap(tmp_path: Path) -> Path:
    for folder, (name, energy) in DOMAINS.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "name").write_text(f"{name}\n")
        (tmp_path / folder / "energy_uj").write_text(f"{energy}\n")
    return tmp_path


def test_packages_and_memory_are_counted_once(powercap: Path) -> None:
    assert read(rapl(powercap)) == {"RAPL 0 package-0": 5.0, "RAPL 0:1 dram": 0.7, "RAPL 1 package-1": 4.0}


def test_a_machine_without_counters(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="no RAPL counters in"):
        rapl(tmp_path)


def test_rights_that_are_lost_while_it_runs(powercap: Path) -> None:
    counters = rapl(powercap)
    (powercap / "intel-rapl:1" / "energy_uj").unlink()
    assert "intel-rapl:1 cannot be read" in str(read(counters))
    with pytest.raises(NotMeasured, match="intel-rapl:1 cannot be read"):  # a part of the CPU is no measurement
        rapl(powercap)


class NVMLError(Exception):
    """Any error of the library."""


class Nvml:
    """What nvidia-ml-py offers for one GPU, as far as it is used."""

    NVMLError = NVMLError

    def __init__(self, counter: int | None = 9000, users: int = 1) -> None:
        self.counter, self.users = counter, users

    def nvmlInit(self) -> None:  # noqa: N802
        """There is nothing to start."""

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        if uuid != "GPU-1":
            raise NVMLError("Not Found")
        return uuid

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[str]:  # noqa: N802
        return ["process"] * self.users

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        if self.counter is None:
            raise NVMLError("Not Supported")
        return self.counter


def test_a_gpu_is_found_by_its_uuid_and_counts_joules() -> None:
    assert Gpu(Nvml(), "GPU-1").joules() == 9.0
    with pytest.raises(NotMeasured, match="does not know the GPU GPU-2: Not Found"):
        Gpu(Nvml(), "GPU-2")


def test_a_gpu_without_an_energy_counter_is_an_error() -> None:
    with pytest.raises(NotMeasured, match="cannot be read: Not Supported"):
        Gpu(Nvml(None), "GPU-1")


def test_a_gpu_that_others_use_too() -> None:
    library = Nvml()
    one = Gpu(library, "GPU-1")
    library.users = 2
    assert "2 processes use this GPU" in str(read({"gpu": one}))
