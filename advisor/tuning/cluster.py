"""A Ray cluster: nodes of the tree are made on its machines, each with its share of cores and GPUs.

Ray Core alone: a task for each node of the tree. Data and finished steps are told by hash, and a machine asks for what
it lacks. The driver alone writes the search's folder; workers write to a folder of their own, which goes at the end.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError
from advisor.execution import transfer
from advisor.execution.store import Store
from advisor.execution.transfer import Contents, Files
from advisor.tuning import machines, remote
from advisor.tuning.making import Maker
from advisor.tuning.processes import MOST_DEATHS
from advisor.tuning.remote import Sent
from advisor.tuning.tree import Node, Outcome


class Where(NamedTuple):
    """A cluster and what to use of it. workers: nodes at the same time; None: one for each machine, or each GPU.

    search: names the workers' folders. device: that the driver trains on, which workers have to have too.
    """

    address: str
    search: str
    device: str = "cpu"
    workers: int | None = None


class Cluster:
    """Carries nodes to a Ray cluster (see `carrier.Carrier`)."""

    shares_gpu = False  # Ray gives each task one of its own

    def __init__(self, where: Where, maker: Maker, sources: Mapping[str, Path]) -> None:
        """Connect, and look whether every machine can do the work. sources: local `model` and `data`.

        Raises:
            AdviseError: nobody answers at the address, or a machine lacks a library or has another version of it.
        """
        self.ray, self.store, self.running = machines.connected(where.address), maker.store, dict[Any, Node]()
        try:
            self.machines = machines.examined(self.ray)
            gpus = machines.gpus(self.ray) if where.device == "cuda" else 0
        except AdviseError:
            self.ray.shutdown()
            raise
        self.workers = where.workers or gpus or len(self.machines)
        found = {name: transfer.contents(path.absolute()) for name, path in sources.items()}
        here = machines.on(self.ray.get_runtime_context().get_node_id())
        keeper = self.ray.remote(Keeper).options(num_cpus=0, scheduling_strategy=here).remote(found, maker.store)
        self.sent, self.search = self.ray.put(Sent(maker, where.search, found, keeper)), where.search
        cores = machines.cores(self.machines, self.workers)
        self.cores: int | None = cores
        share = {"num_cpus": cores, "num_gpus": 1 if gpus else 0}
        self.task = self.ray.remote(remote.make).options(max_retries=MOST_DEATHS - 1, **share)

    def start(self, node: Node) -> None:
        self.running[self.task.remote(self.sent, node)] = node

    def next(self) -> tuple[Node, Outcome]:
        """Wait for a node and put its steps into the store. Ray makes a node again whose worker or machine dies."""
        (done, *_), _ = self.ray.wait(list(self.running), num_returns=1)
        node = self.running.pop(done)
        errors = self.ray.exceptions
        try:
            outcome, entries = self.ray.get(done)
        except errors.RayTaskError as error:
            if isinstance(error.cause, AdviseError):
                raise error.cause from None
            if isinstance(error.cause, OSError):
                hint = "mend it there; --resume goes on"
                raise AdviseError(f"a worker cannot go on: {error.cause}", hint=hint) from None
            if isinstance(error.cause, errors.RayError):
                raise _gone(error.cause) from None
            raise
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError, errors.ObjectLostError):
            return node, Outcome("failed", f"its worker was lost {MOST_DEATHS} times; is there enough memory?")
        except errors.RayError as error:
            raise _gone(error) from None
        for key, files in entries.items():
            transfer.unpacked(self.store, key, files)
        return node, outcome

    def close(self) -> None:
        """End all work, clear the workers' folders and leave the cluster, which goes on."""
        for ref in self.running:
            self.ray.cancel(ref, force=True)
        self.running.clear()
        machines.everywhere(self.ray, self.machines, remote.clear, self.search)
        self.ray.shutdown()


def _gone(error: Exception) -> AdviseError:
    said = str(error).strip().partition("\n")[0]
    return AdviseError(f"the Ray cluster cannot go on: {said}", hint="mend it; --resume goes on")


class Keeper:
    """Answers workers on the driver's machine, as an actor: it reads and never writes."""

    def __init__(self, sources: Mapping[str, Contents], store: Store) -> None:
        self.offered, self.store = {one.path: one.files for one in sources.values()}, store

    def file(self, path: str, name: str) -> bytes:
        """A file of the model or the data."""
        if name not in self.offered.get(path, {}):
            raise AdviseError(f"{path}{os.sep}{name} is no file of this search")
        return (Path(path) / name).read_bytes()

    def entry(self, key: str) -> Files | None:
        """A finished step."""
        return transfer.packed(self.store, key)

    def missing(self, offered: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """What is not here of finished steps, by key; each step is told by the names of its files."""
        with self.store.locked(fcntl.LOCK_SH):
            here = {key: set(transfer.names(self.store, key)) for key in offered}
        lacking = {key: sorted(set(names) - here[key]) for key, names in offered.items()}
        return {key: names for key, names in lacking.items() if names}
