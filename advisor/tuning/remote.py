"""What a worker of a Ray cluster does: make a node in a folder of its own, with what it lacks asked of the driver."""

from __future__ import annotations

import os
import platform
import socket
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from advisor.execution import resumption, transfer
from advisor.execution.transfer import Borrowing, Contents, Files
from advisor.tuning.making import JobOf, Maker
from advisor.tuning.tree import Node, Outcome

# Of other versions the same steps come out different, so that they could not be shared.
PACKAGES = ("advise", "torch", "transformers", "accelerate", "onnx", "onnxruntime", "openvino", "nncf")


class Sent(NamedTuple):
    """What a worker needs beside the node. search: names its folder. sources: local model and data; keeper: an actor.

    make.job_of: has a method `moved`, which gives the same with other places of model and data.
    """

    make: Maker
    search: str
    sources: Mapping[str, Contents]
    keeper: Any


class Asked(NamedTuple):
    """The keeper of the driver's files, as a worker asks it."""

    keeper: Any

    def file(self, path: str, name: str) -> bytes:
        """A file of the model or the data."""
        found: bytes = _get(self.keeper.file.remote(path, name))
        return found

    def entry(self, key: str) -> Files | None:
        """A finished step, None where the driver has none."""
        found: Files | None = _get(self.keeper.entry.remote(key))
        return found


def make(sent: Sent, node: Node) -> tuple[Outcome, dict[str, Files]]:
    """Make a node; returns its outcome and what the driver lacks of its steps."""
    folder, asked = work_folder(sent.search), Asked(sent.keeper)
    places = {name: str(transfer.placed(one, folder / "inputs", asked)) for name, one in sent.sources.items()}
    moved: Callable[[Mapping[str, str]], JobOf] = sent.make.job_of.moved  # type: ignore[attr-defined]
    store = Borrowing(folder / "store", asked)
    outcome = replace(sent.make, job_of=moved(places), out=folder, store=store)(node)
    if outcome.status == "failed":
        outcome = outcome._replace(why=f"{outcome.why} (on {socket.gethostname()})")  # the steps before it are made
    lacking = _get(sent.keeper.missing.remote({key: transfer.names(store, key) for key in sorted(store.used)}))
    packed = {key: transfer.packed(store, key, names) for key, names in lacking.items()}
    return outcome, {key: files for key, files in packed.items() if files is not None}


def work_folder(search: str) -> Path:
    """Where the workers of a machine keep what they make; what one of them had begun when it died goes on there."""
    return Path(tempfile.gettempdir()) / f"search-{os.getuid()}-{search}"


def clear(search: str) -> None:
    """Remove that folder."""
    resumption.remove(work_folder(search))


def versions() -> dict[str, str]:
    """Of Python and of the packages that decide what a step makes."""
    from advisor.compute.machine.device import versions as packages

    return {"Python": platform.python_version(), **packages(PACKAGES)}


def _get(ref: Any) -> Any:
    import ray

    return ray.get(ref)
