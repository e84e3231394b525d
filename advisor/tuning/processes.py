"""Several processes of this machine, each making one node at a time with its share of the cores."""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process

from advisor.base.errors import AdviseError
from advisor.tuning.carrier import Make
from advisor.tuning.tree import Node, Outcome

MOST_DEATHS = 3  # of workers on one node, after which it is at fault itself


class Processes:
    """Nodes in `workers` processes. make: travels to them, so it has to be picklable.

    Each process is a pool of its own, so that its death concerns no node but the one that it was making.
    """

    shares_gpu = True

    def __init__(self, make: Make, workers: int) -> None:
        self.make, self.workers = make, workers
        self.cores: int | None = max(1, (os.cpu_count() or 1) // workers)
        self.free = [self._pool() for _ in range(workers)]
        self.running: dict[Future[Outcome], tuple[Node, ProcessPoolExecutor]] = {}
        self.deaths: dict[str, int] = {}

    def _pool(self) -> ProcessPoolExecutor:
        start = get_context("spawn")  # a fork would copy locks of threads that are held
        return ProcessPoolExecutor(1, start, _begin, (self.cores or 1,))

    def start(self, node: Node) -> None:
        pool = self.free.pop()
        self.running[pool.submit(self.make, node)] = node, pool

    def next(self) -> tuple[Node, Outcome]:
        while True:
            done, _ = wait(self.running, return_when=FIRST_COMPLETED)
            future = done.pop()
            node, pool = self.running.pop(future)
            broken = isinstance(future.exception(), BrokenProcessPool)
            self.free.append(self._pool() if broken else pool)
            if not broken:
                return node, future.result()
            if self._is_at_fault(node):
                why = f"its process was killed {MOST_DEATHS} times; is there enough memory?"
                return node, Outcome("failed", why)
            self.start(node)

    def _is_at_fault(self, node: Node) -> bool:
        """Whether as many workers have died of a node as may."""
        self.deaths[node.name] = self.deaths.get(node.name, 0) + 1
        return self.deaths[node.name] >= MOST_DEATHS

    def close(self) -> None:
        pools = [*self.free, *(pool for _, pool in self.running.values())]
        working = [process for pool in pools for process in (pool._processes or {}).values()]
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)  # forgets its processes
        for process in working:
            process.terminate()


def _begin(threads: int) -> None:
    """Prepare a worker before it imports the libraries."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    threading.Thread(target=_end_with_driver, daemon=True).start()


def _end_with_driver() -> None:
    """End this worker when the driver is killed: it would go on, and hold the folder that a resumed search needs."""
    driver = parent_process()
    if driver is not None:
        connection.wait([driver.sentinel])
        os._exit(1)


def refuse_too_many(workers: int) -> None:
    """Raise an AdviseError for more workers than cores: they would only wait for each other."""
    cores = os.cpu_count() or 1
    if workers > cores:
        raise AdviseError(f"--workers {workers}: this machine has {cores} cores", hint=f"--workers {cores} or fewer")
