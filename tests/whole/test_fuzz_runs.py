"""Run folders, ledgers and exported runs with any bytes changed: every command answers with a code and in words.

A few cases by default; `-m slow` looks for as long as ADVISE_FUZZ_MINUTES says (5 by default) and prints how many.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import small_runs
from mutations import damaged
from survival import survives

MINUTES = float(os.environ.get("ADVISE_FUZZ_MINUTES", "5"))
CODES = (0, 1, 2, 4, 5)
LONGEST = 20  # seconds of processor time for one case; a case takes a fraction of one


class Runs:
    """A run's folder, a ledger with runs, and files that they were exported to; each case damages one file."""

    def __init__(self, folder: Path) -> None:
        self.run, self.folder = small_runs.write(folder / "run"), folder
        self.ledger = folder / "ledger.sqlite"
        os.environ["ADVISE_LEDGER"] = str(self.ledger)
        for seed in range(3):
            survives("history", "add", small_runs.write(folder / f"other-{seed}", seed=seed), codes=(0,))
        self.exports = [folder / "runs.jsonl", folder / "runs.parquet"]
        for file in self.exports:
            survives("history", "export", file, codes=(0,))
        self.kept = self.ledger.read_bytes()

    def files(self) -> list[Path]:
        inside = [file for file in sorted(self.run.rglob("*")) if file.is_file()]
        return [*inside, self.ledger, *self.exports]

    def case(self, number: int) -> None:
        """Damage a file, give it to the commands that read it, and mend it."""
        chance = random.Random(number)
        file = chance.choice(self.files())
        before = file.read_bytes()
        file.write_bytes(damaged(chance, before))
        start = time.process_time()
        try:
            for command in self.commands(file, chance):
                survives(*command, codes=CODES)
        except BaseException:
            shutil.copy(file, self.folder / f"found-{number}{file.suffix}")
            raise
        finally:
            file.write_bytes(before)
            self.restore()
        assert time.process_time() - start < LONGEST, f"case {number}: {file}"

    def commands(self, file: Path, chance: random.Random) -> Iterator[list[str]]:
        if file == self.ledger:
            yield ["history"]
            yield ["history", "export", str(self.folder / "out.jsonl")]
            yield ["--model", "bert", "--samples", "3000", "--device", "cpu", "--history"]
        elif file in self.exports:
            yield ["history", "import", str(file)]
        else:
            yield ["report", str(self.run)]
            yield ["history", "add", str(self.run)]
            yield from [["gate", str(self.run)]] if chance.random() < 0.2 else []

    def restore(self) -> None:
        for rest in self.folder.glob("ledger.sqlite-*"):
            rest.unlink()
        self.ledger.write_bytes(self.kept)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setenv("ADVISE_LEDGER", "")
    monkeypatch.chdir(tmp_path)
    return Runs(tmp_path)


def test_damaged_runs_are_read_or_refused(runs: Runs) -> None:
    for number in range(40):
        runs.case(number)


@pytest.mark.slow
@pytest.mark.timeout(int(MINUTES * 60) + 600)
def test_damaged_runs_for_minutes(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    cases = _for_minutes(runs.case)
    with capsys.disabled():
        print(f"\n{cases:,} damaged files of runs, ledgers and exports")


def _for_minutes(case: Callable[[int], None]) -> int:
    end, number = time.monotonic() + MINUTES * 60, 1000
    while time.monotonic() < end:
        case(number)
        number += 1
    return number - 1000
