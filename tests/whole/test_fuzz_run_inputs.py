"""Damaged data, tokenizers, weights, configs and recipes given to `advise run`: it ends with a code and in words.

A few cases by default; `-m slow` looks for as long as ADVISE_FUZZ_MINUTES says (5 by default) and prints how many.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import time
from pathlib import Path

import pytest
import tables
import tiny
from mutations import damaged
from survival import survives

MINUTES = float(os.environ.get("ADVISE_FUZZ_MINUTES", "5"))
CODES = (0, 1, 2, 4, 5)
LONGEST = 60  # seconds of processor time for one case; an undamaged run takes a tenth of it
KILOBYTES = 4_000_000  # of memory, for all cases together
DATA = ("rows.csv", "rows.jsonl", "rows.json", "rows.parquet")
MODEL = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
HEAD = 3_000  # bytes of weights in which a change is one of their description
RECIPE = """\
version: 1
name: fuzzed
model: {source: model, family: bert}
data: {source: ROWS}
device: cpu
steps:
  - finetune: {epochs: 1}
  - layer_removal: {keep: 3}
  - distillation: {epochs: 1}
training: {batch_size: 32, max_tokens: 16}
"""


class Inputs:
    """A tiny model, rows in every format and a recipe; each case damages one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tiny.checkpoint("bert", folder / "model")
        for name in DATA:
            tables.write(folder / name, tables.reviews(60))

    def case(self, number: int) -> None:
        """Damage a file, run the recipe, and mend the file."""
        chance = random.Random(number)
        rows = chance.choice(DATA)
        recipe = self.folder / "recipe.yaml"
        recipe.write_text(RECIPE.replace("ROWS", rows))
        file = chance.choice([self.folder / rows, recipe, *(self.folder / "model" / name for name in MODEL)])
        before = file.read_bytes()
        head = HEAD if file.suffix == ".safetensors" and chance.random() < 0.8 else len(before)
        file.write_bytes(damaged(chance, before[:head]) + before[head:])
        start = time.process_time()
        try:
            self.run(recipe)
        except BaseException:
            shutil.copy(file, self.folder / f"found-{number}-{file.name}")
            raise
        finally:
            file.write_bytes(before)
        assert time.process_time() - start < LONGEST, f"case {number}: {file}"
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < KILOBYTES, f"case {number}: {file}"

    def run(self, recipe: Path) -> int:
        """By the core pack, which only warns of data so few."""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        return survives("run", recipe, "--out", out, "--no-ledger", "--measure-seconds", "0.1", codes=CODES)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return Inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(autouse=True)
def inside(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(inputs.folder)


def test_damaged_inputs_of_a_run_are_told(inputs: Inputs) -> None:
    for number in range(4):
        inputs.case(number)


@pytest.mark.slow
@pytest.mark.timeout(int(MINUTES * 60) + 600)
def test_damaged_inputs_of_runs_for_minutes(inputs: Inputs, capsys: pytest.CaptureFixture[str]) -> None:
    end, number = time.monotonic() + MINUTES * 60, 1_000
    (inputs.folder / "recipe.yaml").write_text(RECIPE.replace("ROWS", DATA[0]))
    assert inputs.run(inputs.folder / "recipe.yaml") in (0, 4), "else only refusals would be tried"
    while time.monotonic() < end:
        inputs.case(number)
        number += 1
    with capsys.disabled():
        print(f"\n{number - 1_000:,} runs with a damaged file")
