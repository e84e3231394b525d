"""Several processes of this machine, each making one node at a time with its share of the cores."""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from advisor.base.errors import AdviseError
from advisor.tuning.carrier import Make
from advisor.tuning.tree import Node, Outcome

MOST_DEATHS = 3  # of workers on one node, after which it is at fault itself


class Processes:
    """Nodes in `workers` processes. make: travels to them, so it has to be picklable."""

    def __init__(self, make: Make, workers: int) -> None:
        self.make, self.workers = make, workers
        self.pool = self._pool()
        self.running: dict[Future[Outcome], Node] = {}
        self.deaths: dict[str, int] = {}

    def _pool(self) -> ProcessPoolExecutor:
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        start = get_context("spawn")  # a fork would copy locks of threads that are held
        return ProcessPoolExecutor(self.workers, start, _begin, (threads,))

    def start(self, node: Node) -> None:
        self.running[self.pool.submit(self.make, node)] = node

    def next(self) -> tuple[Node, Outcome]:
        while True:
            done, _ = wait(self.running, return_when=FIRST_COMPLETED)
            future = done.pop()
            node = self.running.pop(future)
            try:
                return node, future.result()
            except BrokenProcessPool:
                if (outcome := self._died(node)) is not None:
                    return node, outcome

    def _died(self, node: Node) -> Outcome | None:
        """A worker died, and the pool with it: all nodes are made again, but for one that kills every worker."""
        again = [node, *self.running.values()]
        self.running, self.pool = {}, self._pool()
        outcome = None
        for one in again:
            self.deaths[one.name] = self.deaths.get(one.name, 0) + 1
            if one is node and self.deaths[one.name] >= MOST_DEATHS:
                outcome = Outcome("failed", f"its process was killed {MOST_DEATHS} times; is there enough memory?")
            else:
                self.start(one)
        return outcome

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        for process in list((self.pool._processes or {}).values()):
            process.terminate()


def _begin(threads: int) -> None:
    """Prepare a worker before it imports the libraries."""
    os.environ["OMP_NUM_THREADS"] = str(threads)


def refuse_too_many(workers: int) -> None:
    """Raise an AdviseError for more workers than cores: they would only wait for each other."""
    cores = os.cpu_count() or 1
    if workers > cores:
        raise AdviseError(f"--workers {workers}: this machine has {cores} cores", hint=f"--workers {cores} or fewer")
