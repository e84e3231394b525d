"""Fixtures: tiny checkpoints and real text, made once for each test run."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, as `advise run` does
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny matrices, and as many processes of tests as cores

LONGEST = "execution", "whole", "deployment"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A slow test may take an hour. The wings whose tests take longest come first, so that no process ends late."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST)
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Remembered packs and recorded runs of the user do not reach the tests, nor the other way round."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))
    os.environ.pop("ADVISE_LEDGER", None)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny checkpoint of each family."""
    import tiny

    folder = tmp_path_factory.mktemp("checkpoints")
    return {family: tiny.checkpoint(family, folder / family) for family in tiny.FAMILIES}


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with real labelled text."""
    import tiny

    return tiny.write_rows(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small finished run; nobody may change it. All processes of the tests share one."""
    import gated

    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    with (shared / "gated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder, made = shared / "gated", shared / "gated.made"
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            made.write_text(str(gated.make(folder)))
        return Path(made.read_text())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a file system of two megabytes needs the right to mount one")
    yield disk
    subprocess.run(["umount", disk], check=True)
