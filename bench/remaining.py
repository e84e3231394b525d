"""How true the remaining time is: what a run promises at moments of it, beside what it then still takes.

Command: python bench/remaining.py [RECIPE], after `make demo`, whose recipe it carries out where none is given.
Expected: as long as that run takes, five minutes on two idle cores. Bar: none; it has to be truthful.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from bisect import bisect_right
from pathlib import Path

from advisor.execution import executor
from advisor.execution.job import prepare
from advisor.inspection.recipe_data import read_data
from advisor.policy.pack import core
from advisor.recipe.reader import load
from advisor.records.results import Progress

DEMO = Path(__file__).parents[1] / "runs" / "demo" / "short.yaml"
MOMENTS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9)  # shares of the time that it took in all
Promise = tuple[float, float, str]  # seconds since the start, seconds that are said to remain, the task at work


def promised(file: Path, out: Path) -> tuple[list[Promise], float]:
    """All that a run says while it lasts, and how long it took, in seconds."""
    recipe, document = load(file)
    job = prepare(core(), recipe, document, read_data(recipe, base=file.parent), file.parent, "auto")
    begun, found = time.monotonic(), []
    for event in executor.run(job, out):
        if isinstance(event, Progress) and event.remaining is not None:
            found.append((time.monotonic() - begun, event.remaining, event.label))
    return found, time.monotonic() - begun


def main() -> None:
    """Carry a recipe out, and print promise beside outcome."""
    reader = argparse.ArgumentParser()
    reader.add_argument("recipe", type=Path, nargs="?", default=DEMO)
    with tempfile.TemporaryDirectory() as folder:
        found, took = promised(reader.parse_args().recipe, Path(folder) / "out")
    print(f"the run took {took:.0f} s; first promise after {found[0][0]:.1f} s")
    for moment in MOMENTS:
        at, remaining, label = found[max(0, bisect_right(found, (moment * took, 0.0, "")) - 1)]
        left = took - at
        print(f"at {at:4.0f} s ({label:<16}): {remaining:4.0f} s promised, {left:4.0f} s taken, {remaining / left:.2f}")


if __name__ == "__main__":
    main()
