"""Memory: what training a model takes at least, exactly as its sizes say, against what this machine has left."""

from __future__ import annotations

import os
from pathlib import Path

from advisor.base.errors import AdviseError, Fault
from advisor.families.input_sizes import positions
from advisor.recipe.plan import Plan, PlannedStep

BYTES, HALF = 4, 2  # of a number in fp32 and in bfloat16
TRAINED = 4 * BYTES  # for each weight: itself, its gradient, and the two moments that Adam keeps
MOST_STATES = 4 * 1024**3  # 20,000 texts of 27 tokens at 8 blocks of width 384 take 3.3 GB
MEMINFO, LIMIT, USED = Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


def needed(plan: Plan, rows: int = 0) -> int:
    """Bytes that the largest step of a plan takes beside the texts' own: the least that can do.

    The teacher has answered before a student learns, and has then left memory, where its states fit in a file.

    Args:
        rows: images or sounds in a batch, which are counted too.
    """
    trained = [step for step in plan.steps if getattr(step.step, "epochs", 0)]
    sizes = [TRAINED * step.parameters + of_batch(step, rows) for step in trained]
    return max(sizes, default=BYTES * plan.baseline_parameters)


def of_batch(step: PlannedStep, rows: int) -> int:
    """Bytes that training keeps of so many images or sounds until their gradients are known, at least.

    Counted in bfloat16, of each block and position: the inputs of two norms, queries, keys, values, what attention
    gives, and the neurons before and after their activation. 0 for texts, whose lengths differ.
    """
    seen = positions(step.family, step.after)
    if seen is None:
        return 0
    shape = step.family.shape(step.after)
    numbers = 2 * shape.hidden_size + 4 * shape.attention + 2 * shape.intermediate_size
    return HALF * rows * seen * numbers * shape.layers.get("encoder", shape.depth)


def available() -> int | None:
    """Bytes that this machine, or the container where that is less, has left; None where nobody says."""
    found = _meminfo("MemAvailable")
    limit, used = _read(LIMIT).strip(), _read(USED).strip()
    if limit.isdigit() and used.isdigit():
        found.append(int(limit) - int(used))
    return min(found or _pages(), default=None)


def for_states(plan: Plan) -> int:
    """Bytes that the teacher's hidden states may take in a file: a quarter of all memory at most.

    So much of a file stays in memory as a rule and is quick to read. Not of what is free now, so that a resumed run
    decides alike.
    """
    limit = _read(LIMIT).strip()
    found = [*_meminfo("MemTotal"), *([int(limit)] if limit.isdigit() else [])]
    whole = min(found or _pages(), default=4 * MOST_STATES)
    return max(0, min(MOST_STATES, whole // 4, whole - needed(plan)))


def refuse_too_large(plan: Plan, file: str, free: int | None) -> None:
    """Raise an AdviseError for a model that `free` bytes cannot hold while it is trained. None: nobody knows."""
    least = needed(plan)
    if free is None or least <= free:
        return
    message = (
        f"{plan.baseline_parameters:,} parameters need at least {gigabytes(least)} of memory while they are trained "
        f"(each weight with its gradient and two moments), {gigabytes(free)} are free"
    )
    raise AdviseError(Fault(message, file, hint="use a smaller model, or a machine with more memory"))


def gigabytes(size: int) -> str:
    """Bytes as people read them."""
    return f"{size / 1e9:,.1f} GB"


def _meminfo(key: str) -> list[int]:
    """Bytes by Linux's own account; nothing elsewhere."""
    lines = [line.split() for line in _read(MEMINFO).splitlines() if line.startswith(f"{key}:")]
    return [int(line[1]) * 1024 for line in lines]


def _pages() -> list[int]:
    """Bytes of physical memory, where the system reports it."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return []
    return [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
