"""A search on a real local Ray cluster of two workers: one is killed on the way, and nothing of the search changes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import advisor
from advisor.base.errors import AdviseError
from advisor.records.search import SearchResult
from advisor.tuning import machines, remote
from advisor.tuning.machines import Machine, connected, cores


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "cannot be reached: .*refused"),
        ("nowhere.invalid:6379", "cannot be reached"),
        ("127.0.0.1:99999", "cannot be reached"),
        ("hello", "no address, which is HOST:PORT or auto"),
        ("ray://127.0.0.1:10001", "a search runs on a machine of the cluster"),
    ],
)
def test_an_address_where_no_cluster_is(address: str, message: str) -> None:
    with pytest.raises(AdviseError, match=message) as raised:
        connected(address)
    assert "ray start --head" in str(raised.value)


def test_cores_are_shared_and_no_machine_is_too_small() -> None:
    two = [Machine("a", "10.0.0.1", 12), Machine("b", "10.0.0.2", 4)]
    assert [cores(two, workers) for workers in (1, 2, 4, 8, 64)] == [4, 4, 4, 2, 1]


def test_other_versions_are_named_one_by_one() -> None:
    own = {"Python": "3.11.7", "torch": "2.13.0", "advise": "1.0"}
    assert machines.differs(own, own) == ""
    other = machines.differs(own, {"Python": "3.11.7", "torch": "2.9.0"})
    assert other == "has torch 2.9.0 instead of 2.13.0, advise not installed instead of 1.0"
    assert machines.differs(own, ValueError("trace\nModuleNotFoundError: advisor")).endswith("advisor")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two machines, as far as Ray can tell, with a worker each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_raylet_start_wait_time_s"] = "300"  # noqa: SIM112 - Ray's own name; other work keeps machines busy
    from ray.cluster_utils import Cluster

    memory = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
    local = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **memory})
    for _ in range(2):
        local.add_node(num_cpus=1, **memory)
    local.wait_for_nodes()
    yield local.address
    local.shutdown()


def searched(model: Path, data: Path, out: Path, **more: Any) -> SearchResult:
    return advisor.search(
        model, data=data, device="cpu", budget="3trials", out=out, min_accuracy=0.5, max_samples=60,
        measure_seconds=0.05, record=False, progress=False, **more,
    )  # fmt: skip


class Killer(threading.Thread):
    """Kills the first worker that is seen at work for a second, by SIGKILL. killed: its process."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.killed: int | None = None

    def run(self) -> None:
        import psutil

        for _ in range(3000):
            for one in psutil.process_iter(["cmdline"]):
                if one.info["cmdline"] and one.info["cmdline"][0].startswith("ray::make"):
                    time.sleep(1)
                    os.kill(one.pid, signal.SIGKILL)
                    self.killed = one.pid
                    return
            time.sleep(0.1)


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(
    tmp_path: Path, address: str, checkpoints: dict[str, Path], text: Path
) -> None:
    killer = Killer()
    killer.start()
    there = searched(checkpoints["bert"], text, tmp_path / "there", ray=address)
    assert killer.killed is not None
    here = searched(checkpoints["bert"], text, tmp_path / "here")
    # All but what was measured beside other work of this machine, which a search refuses to believe.
    told = [[(one.choices, one.recipe, one.rungs, one.kept) for one in found.trials] for found in (there, here)]
    assert told[0] == told[1]
    assert [point.trial for point in there.front] and there.stopped == here.stopped
    assert not list(Path(remote.work_folder("").parent).glob(f"search-{os.getuid()}-*")), "workers clear up"


@pytest.mark.slow
def test_a_machine_with_other_versions_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = connected(address)
    try:
        assert [one.cores for one in machines.examined(ray)] == [1, 1]
        own = remote.versions()
        monkeypatch.setattr(machines, "own_versions", lambda: {**own, "torch": "1.0"})
        with pytest.raises(AdviseError, match=r"instead of 1\.0") as raised:
            machines.examined(ray)
        assert len(raised.value.faults) == 2
        with pytest.raises(AdviseError, match="has a GPU"):
            machines.gpus(ray)
    finally:
        ray.shutdown()
