"""Start-up of `advise --model t5 --samples 3000 --device cpu`: cold processes, in turn with importing pydantic.

Command: python bench/startup.py (about half a minute). The pack is validated and remembered by the first call, which
is shown apart; every later process finds it in the cache folder, and all find their byte code. On a machine that does
other work meanwhile, the least time of a core says most: waiting for others is no part of it.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROUNDS = 30
ADVISE = ["-c", "from advisor.cli import main; raise SystemExit(main())"]
FACTS = ["--model", "t5", "--samples", "3000", "--device", "cpu"]
CASES = {
    "python": ["-c", "pass"],
    "import pydantic": ["-c", "import pydantic"],
    "advise": [*ADVISE, *FACTS],
}


class Cost(NamedTuple):
    """What one process took, in ms: by the clock, and of a core."""

    wall: float
    cpu: float


def cost(arguments: list[str], environment: dict[str, str]) -> Cost:
    """What one process took. It must succeed."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall * 1000, cpu * 1000)


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": str(Path(__file__).parents[1])}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        first = cost(CASES["advise"], environment)
        taken: dict[str, list[Cost]] = {name: [] for name in CASES}
        for _ in range(ROUNDS):
            for name, arguments in CASES.items():
                taken[name].append(cost(arguments, environment))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, Python {platform.python_version()}")
    for name, costs in taken.items():
        walls, cpus = zip(*costs, strict=True)
        print(
            f"{name:<16} median {statistics.median(walls):4.0f} ms, quickest {min(walls):4.0f} ms, "
            f"least of a core {min(cpus):4.0f} ms"
        )
    ours, theirs = taken["advise"], taken["import pydantic"]
    paired = statistics.median(one.wall / other.wall for one, other in zip(ours, theirs, strict=True))
    quickest = min(one.wall for one in ours) / min(one.wall for one in theirs)
    least = min(one.cpu for one in ours) / min(one.cpu for one in theirs)
    print(
        f"advise / import pydantic: {paired:.2f} (median of {ROUNDS} pairs), {quickest:.2f} (quickest of each), "
        f"{least:.2f} (least of a core)"
    )
    print(f"advise, first call of all (pack validated): {first.wall:.0f} ms")


if __name__ == "__main__":
    main()
