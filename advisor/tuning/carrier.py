"""Carrier: what makes the nodes of the tree, here one after another; other carriers use several processes or machines.

Whoever drives a search starts nodes whose parents are done and waits for the next one to end. A carrier makes steps and
keeps them in the store; it decides nothing, and writes nothing that the driver writes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from advisor.tuning.tree import Node, Outcome

Make = Callable[[Node], Outcome]  # makes a node, or finds it in the store; a failure is an outcome, not an exception


class Carrier(Protocol):
    """Makes nodes. workers: how many at the same time; cores: of each, None where it has as many as this process.

    shares_gpu: all of them train on one GPU, if they train on any.
    """

    workers: int
    cores: int | None
    shares_gpu: bool

    def start(self, node: Node) -> None:
        """Begin to make a node. Its parent is done."""

    def next(self) -> tuple[Node, Outcome]:
        """Wait until one of the nodes that were started ends. Where a worker dies, its node is made again."""

    def close(self) -> None:
        """End all work; what was started and has not ended may be lost."""


class Serial:
    """One node after another in this process."""

    workers = 1
    cores: int | None = None
    shares_gpu = True

    def __init__(self, make: Make) -> None:
        self.make, self.waiting = make, deque[Node]()

    def start(self, node: Node) -> None:
        self.waiting.append(node)

    def next(self) -> tuple[Node, Outcome]:
        node = self.waiting.popleft()
        return node, self.make(node)

    def close(self) -> None:
        self.waiting.clear()
