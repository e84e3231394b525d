"""Served: int8 after the compressions of `bench/targets.py`, all models timed side by side on this machine.

Command: python bench/served.py [--seeds 1], on a machine that does nothing else, after `python bench/targets.py` (whose
runs it goes on with: nothing is trained again). Expected: three minutes for each arm and seed. Results:
bench/results/served.jsonl.
"""

from __future__ import annotations

from targets import A_THIRD, LARGE, TWO_THIRDS
from trials import HERE, Arm, Trial, options, results, run

FILE = HERE / "results" / "served.jsonl"
INT8 = "quantization: {}"
ARMS = (
    Arm("two thirds int8", (*TWO_THIRDS.steps, INT8), serves=True, goes_on=TWO_THIRDS.name),
    Arm("a third int8", (*A_THIRD.steps[:2], INT8), serves=True, goes_on=A_THIRD.name),
    Arm("a third and narrow int8", (*A_THIRD.steps, INT8), serves=True, goes_on=A_THIRD.name),
)


def main() -> None:
    """Measure what is not measured yet, and print all."""
    given = options(__doc__)
    run([Trial(arm, LARGE, seed) for seed in range(given.seeds) for arm in ARMS], FILE, given)
    for arm in ARMS:
        for line in results(FILE, arm, LARGE):
            print(f"{arm.name}, seed {line['seed']}")
            for name, one in line["steps"].items():
                time = f"{one['time']:.3f} of the time" if "time" in one else "not timed"
                print(f"  {name:<16} {one['relative']:.3f} of the accuracy, {time}, {one['size']:.3f} of the size")


if __name__ == "__main__":
    main()
