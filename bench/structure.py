"""Seconds that inferring, proving and trying the cuts of each family take, and the memory of a cut.

Command: python bench/structure.py [FAMILY…] (some minutes). The first build of a family, which imports its module of
transformers, is not timed. `--memory` cuts the layers of a Qwen2 of 494 million random parameters, made in a temporary
folder, and shows the largest resident size beside that of the weights.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
QWEN = {
    **{"vocab_size": 151936, "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24},
    **{"num_attention_heads": 14, "num_key_value_heads": 2, "tie_word_embeddings": True},
}
CUT = """
import re, sys
from pathlib import Path
from advisor.compute.structure.inference.checkpoint import cut_checkpoint, describe
from advisor.compute.structure.inference.cutting import Cut
subject = describe(Path(sys.argv[1]))
largest = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = largest()
cut_checkpoint(subject, Path(sys.argv[2]), Cut(blocks={"decoder": [number for number in range(24) if number % 3 < 2]}))
print(before, largest())
"""


def timed(do: Callable[[], T]) -> tuple[T, float, float]:
    """What something gives, its wall time and its processor time, in s."""
    wall, processor = time.perf_counter(), time.process_time()
    found = do()
    return found, time.perf_counter() - wall, time.process_time() - processor


def families(names: list[str]) -> None:
    """Print a row for each family."""
    import torch
    from transformers import CONFIG_MAPPING

    from advisor.compute.structure.inference import stock
    from advisor.compute.structure.inference.describe import PUBLISHED
    from advisor.compute.structure.inference.express import express
    from advisor.compute.structure.inference.infer import infer
    from advisor.compute.structure.inference.proof import prove
    from advisor.families.described import description

    torch.set_num_threads(1)
    print("| family | inference, s | proof, s | cuts tried, s | largest difference | can be cut |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in names or description.names():
        config: Any = CONFIG_MAPPING[name](**PUBLISHED.get(name, {}))
        stock.built(stock.class_of(config), config)
        inferred, *inference = timed(lambda config=config: infer(config))
        proof, *proving = timed(lambda inferred=inferred: prove(inferred))
        cuts, *trying = timed(lambda proof=proof: express(proof))
        seconds = " | ".join(f"{wall:.2f} ({own:.2f})" for wall, own in (inference, proving, trying))
        worst = max(proof.proven.values(), default=0.0)
        print(f"| {name} | {seconds} | {worst:.0e} | {', '.join(cuts.possible)} |", flush=True)


def memory() -> None:
    """Cut the layers of a large model in a process of its own and print its peak."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large", Path(folder) / "small"
        Qwen2ForCausalLM(Qwen2Config(**QWEN)).save_pretrained(large)
        weights = (large / "model.safetensors").stat().st_size
        told = subprocess.run(
            [sys.executable, "-c", CUT, str(large), str(small)], check=True, capture_output=True, text=True
        )
        before, peak = (1024 * int(one) for one in told.stdout.split())
    print(f"weights {weights / 1e6:.0f} MB; resident before the cut {before / 1e6:.0f} MB, largest {peak / 1e6:.0f} MB")
    print(f"largest / weights: {peak / weights:.2f}")


def main() -> None:
    """Measure and print."""
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}")
    if "--memory" in sys.argv:
        memory()
    else:
        families(sys.argv[1:])


if __name__ == "__main__":
    main()
