"""The machines of a Ray cluster: whether they answer, and whether they have what the driver has."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.tuning import remote
from advisor.tuning.remote import versions as own_versions

ANSWER = 5.0  # seconds that an address has to answer in
EXAMINATION = 120.0  # seconds for each machine: a new worker imports the libraries first
GONE = "not installed"
MEND = "install the same versions there, and start Ray on it again"


class Machine(NamedTuple):
    """A machine of the cluster. node: Ray's name of it. cores: that Ray may use."""

    node: str
    address: str
    cores: int


def connected(address: str) -> Any:
    """Ray, connected to a cluster.

    Raises:
        AdviseError: nobody answers there, or not as Ray, or its Ray or Python are of another version.
    """
    hint = "give the address that `ray start --head` has printed, as in --ray 10.0.0.1:6379"
    if "://" in address:
        raise AdviseError(f"--ray {address}: a search runs on a machine of the cluster", hint=f"join it, then {hint}")
    if address != "auto":
        _refuse_silent(address, hint)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, SystemExit) as error:
        first = str(error).strip().partition("\n")[0] if not isinstance(error, SystemExit) else "that is no Ray cluster"
        raise AdviseError(f"--ray {address}: {first}", hint=hint) from None
    return ray


def _refuse_silent(address: str, hint: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise AdviseError(f"--ray {address}: no address, which is HOST:PORT or auto", hint=hint)
    try:
        socket.create_connection((host, int(port)), ANSWER).close()
    except (OSError, OverflowError) as error:
        raise AdviseError(f"--ray {address}: cannot be reached: {error}", hint=hint) from None


def examined(ray: Any) -> list[Machine]:
    """The machines that can make nodes.

    Raises:
        AdviseError: there is none, or some of them do not answer or have other versions; names them all.
    """
    alive = [one for one in ray.nodes() if one["Alive"]]
    found = [
        Machine(one["NodeID"], one["NodeManagerAddress"], int(cores))
        for one in alive
        if (cores := one["Resources"].get("CPU", 0)) >= 1
    ]
    if not found:
        raise AdviseError("no machine of the cluster lends a core to Ray", hint="ray start --address … --num-cpus N")
    own = own_versions()
    asked = everywhere(ray, found, remote.versions)
    wrong = [(one, words) for one, answer in zip(found, asked, strict=True) if (words := differs(own, answer))]
    if wrong:
        raise AdviseError(*(Fault(words, f"machine {one.address}", hint=MEND) for one, words in wrong))
    return found


def differs(own: Mapping[str, str], answer: Any) -> str:
    """How the versions of a machine, or the error that it gave instead, differ from the driver's; "": not at all."""
    if isinstance(answer, Exception):
        return f"cannot work: {str(answer).strip().splitlines()[-1]}"
    other = [
        f"{name} {answer.get(name, GONE)} instead of {mine}" for name, mine in own.items() if answer.get(name) != mine
    ]
    return f"has {', '.join(other)}" if other else ""


def everywhere(ray: Any, found: Sequence[Machine], what: Callable[..., Any], *arguments: Any) -> list[Any]:
    """The answer of each machine to a question, or the error that it gave instead."""
    task = ray.remote(what)
    options = [{"num_cpus": 0, "max_retries": 0, "scheduling_strategy": on(one.node)} for one in found]
    return [_answer(ray, ref) for ref in [task.options(**one).remote(*arguments) for one in options]]


def _answer(ray: Any, ref: Any) -> Any:
    try:
        return ray.get(ref, timeout=EXAMINATION)
    except ray.exceptions.RayError as error:
        with suppress(Exception):
            ray.cancel(ref, force=True)
        return error


def on(node: str) -> Any:
    """The strategy that puts a task on a machine."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


def gpus(ray: Any) -> int:
    """GPUs of the cluster.

    Raises:
        AdviseError: it has none.
    """
    found = int(ray.cluster_resources().get("GPU", 0))
    if not found:
        raise AdviseError("no machine of the cluster has a GPU", hint="--train-on cpu, or add machines with GPUs")
    return found


def cores(found: Sequence[Machine], workers: int) -> int:
    """Cores of each worker: an equal share, and no more than the smallest machine has."""
    return max(1, min(sum(one.cores for one in found) // workers, *(one.cores for one in found)))
