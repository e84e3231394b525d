"""`advise rules verify` on the core pack: whole cold processes, and the proof alone.

Command: python bench/verify.py (about half a minute). Bar: at most 1 s.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 10
ADVISE = ["-c", "from advisor.cli import main; raise SystemExit(main())", "rules", "verify"]


def main() -> None:
    """Measure and print."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    whole, proofs = [], []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        done = subprocess.run([sys.executable, *ADVISE], check=True, capture_output=True, text=True, env=environment)
        whole.append(time.perf_counter() - begun)
        proofs.append(float(done.stderr.split(" in ")[1].split()[0]))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, Python {platform.python_version()}: {done.stderr.split(' in ')[0]}")
    for name, seconds in {"whole process": whole[1:], "the proofs": proofs[1:]}.items():
        print(f"{name:<14} median {statistics.median(seconds):.2f} s, quickest {min(seconds):.2f} s")


if __name__ == "__main__":
    main()
