"""A short trial of an int8 model's time on the machine that made it; a run measures it with care at its end."""

from __future__ import annotations

import time

from advisor.compute.int8.backends import TITLES
from advisor.compute.int8.quantized import Reader, serve
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.writing import Writer
from advisor.compute.training.context import Context

ROWS, ROUNDS = 64, 5
TEXTS, TEXT_ROUNDS = 8, 3  # of a model that writes, which takes long for each


def short_trial(
    scorer: Scorer, same: Reader | Writer, int8: Reader | Writer, context: Context, name: str
) -> tuple[str, str]:
    """The share of fp32's time that int8 takes on this machine, in words, and a warning if it takes longer.

    Args:
        same: the fp32 model in the runtime called `name`, which serves int8.
    """
    rows, rounds = (TEXTS, TEXT_ROUNDS) if isinstance(scorer, Writer) else (ROWS, ROUNDS)
    batches = list(context.batches(context.selection.take(rows)))
    scorer.to("cpu").eval()
    readers: dict[str, Reader | Scorer] = {"PyTorch": scorer, "same": same, "int8": int8}
    taken: dict[str, list[float]] = {which: [] for which in readers}
    for _ in range(rounds):
        for which, reader in readers.items():
            begun = time.perf_counter()
            for batch in batches:
                serve(reader, batch)
            taken[which].append(time.perf_counter() - begun)
    scorer.to(context.device)
    best = {which: min(some) for which, some in taken.items()}
    share, runtime = best["int8"] / best["PyTorch"], best["same"] / best["PyTorch"]
    words = f"takes {share:.2f} of the time of fp32 in PyTorch on this CPU, fp32 in {TITLES[name]} takes "
    words += f"{runtime:.2f} (a short trial)"
    slower = f"int8 is slower than fp32 on this CPU: {share:.2f} times its time (a short trial); leave the step out "
    slower += "if the measured times agree"
    return words, slower if share > 1 else ""
