"""Start-up of `advise --model t5 --samples 3000 --device cpu`: cold processes, in turn with importing pydantic.

Command: python bench/startup.py (about half a minute). The pack is validated and remembered by the first call, which
is shown apart; every later process finds it in the cache folder.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 30
ADVISE = ["-c", "from advisor.cli import main; raise SystemExit(main())"]
FACTS = ["--model", "t5", "--samples", "3000", "--device", "cpu"]
CASES = {
    "python": ["-c", "pass"],
    "import pydantic": ["-c", "import pydantic"],
    "advise": [*ADVISE, *FACTS],
}


def milliseconds(arguments: list[str], environment: dict[str, str]) -> float:
    """Wall time of one process, in ms. It must succeed."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    return (time.perf_counter() - begun) * 1000


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": str(Path(__file__).parents[1])}
        first = milliseconds(CASES["advise"], environment)
        taken: dict[str, list[float]] = {name: [] for name in CASES}
        for _ in range(ROUNDS):
            for name, arguments in CASES.items():
                taken[name].append(milliseconds(arguments, environment))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, Python {platform.python_version()}")
    for name, values in taken.items():
        print(f"{name:<16} median {statistics.median(values):4.0f} ms, quickest {min(values):4.0f} ms")
    paired = [ours / theirs for ours, theirs in zip(taken["advise"], taken["import pydantic"], strict=True)]
    print(f"advise / import pydantic: {statistics.median(paired):.2f} (median of {ROUNDS} paired ratios)")
    print(f"advise, first call of all (pack validated): {first:.0f} ms")


if __name__ == "__main__":
    main()
