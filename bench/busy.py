"""Busy: does another program turn a faster model into a dirtier one? Two models are measured with and without one.

Command: python bench/busy.py [--seconds 10] [--burning 1], on a machine that does nothing else. Two BERTs with random
weights, of 12 and of 4 layers (time does not depend on the weights), answer as in the report of a run; then so many
processes burn a core each and they answer again. Expected: two minutes. Results: bench/results/busy.jsonl.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported, as `advise run` does

import torch
from transformers import BertConfig, BertForSequenceClassification

from advisor.compute.data.batches import Encoded
from advisor.compute.measure.models import Place
from advisor.compute.measure.serving import Comparison, measure
from advisor.compute.tasks.scorer import TextScorer
from advisor.compute.tasks.text_classification import TextClassification
from advisor.compute.training.context import Context
from advisor.facts import cpu
from advisor.families.registry import find
from advisor.records.carbon import Assumptions
from advisor.records.measuring import Measuring
from advisor.records.training_settings import Training

FILE = Path(__file__).parent / "results" / "busy.jsonl"
LAYERS = {"finetune": 12, "layer_removal": 4}
WIDTH, VOCABULARY, ROWS, TOKENS = 384, 30_522, 256, (8, 48)


def model(folder: Path, layers: int) -> Path:
    """A BERT of hidden size 384 with random weights."""
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=4 * WIDTH,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def rows() -> Encoded:
    """Random tokens in the lengths of short sentences."""
    random_ = random.Random(0)
    lengths = [random_.randint(*TOKENS) for _ in range(ROWS)]
    return Encoded(
        tuple(tuple(random_.randrange(1000, VOCABULARY) for _ in range(length)) for length in lengths), (0,) * ROWS
    )


def measured(folders: dict[str, Path], seconds: float) -> Comparison:
    """Serve both models side by side, as a run does at its end."""
    nothing, bert = Encoded((), ()), find("bert")
    assert bert is not None
    context = Context(bert, TextClassification(), torch.device("cpu"), Training(), nothing, nothing)
    place = Place(
        lambda folder: TextScorer(BertForSequenceClassification.from_pretrained(folder)),
        "cpu",
        Assumptions(),
        Measuring(seconds),
    )
    work = measure(folders, context, rows(), place)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Comparison = end.value
            return found


def _burn() -> None:
    while True:
        pass


@contextmanager
def burning(count: int) -> Iterator[None]:
    """Within, so many processes burn a core each."""
    burners = [multiprocessing.get_context("spawn").Process(target=_burn, daemon=True) for _ in range(count)]
    for one in burners:
        one.start()
    try:
        yield
    finally:
        for one in burners:
            one.kill()
            one.join()


def line(found: Comparison, burners: int, seconds: float) -> dict[str, Any]:
    """What is kept of a measurement."""
    served = found.served["layer_removal"]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{cpu.name()}, {os.cpu_count()} cores",
        "load": os.getloadavg()[0],
        "burning": burners,
        "seconds": seconds,
        "time": asdict(served.time),
        "emissions": asdict(served.emissions),
        "notes": list(found.notes),
    }


def main() -> None:
    """Measure quietly, then with other work, and print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--burning", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folders = {name: model(Path(work) / name, layers) for name, layers in LAYERS.items()}
        for burners in (0, given.burning):
            with burning(burners):
                one = line(measured(folders, given.seconds), burners, given.seconds)
            with FILE.open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
            print(f"{burners} burning, load {one['load']:.1f}")
            for name in ("time", "emissions"):
                share = one[name]
                print(f"  {name}: {share['value']} {share['interval']} {share['why_not'] or share['source']}")
            print(*(f"  note: {note}" for note in one["notes"]), sep="\n")


if __name__ == "__main__":
    main()
