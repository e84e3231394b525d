"""The int8 artefact: whole or not at all, and sensitive matrices in fp32 only where int8 keeps too little."""

from __future__ import annotations

from pathlib import Path

import pytest
import students
import tiny
import torch

from advisor.compute.artefact import FILE, Made, Wanted, make, score
from advisor.compute.bench import logits


def made(name: str, wanted: Wanted, folder: Path) -> Made:
    return make(students.student(name), tiny.tokenizer(name), students.bench(name), folder, wanted)


@pytest.mark.parametrize("name", ["bert", "gpt2", "opt"])
def test_all_matrices_are_int8_where_that_keeps_enough(name: str, tmp_path: Path) -> None:
    result = made(name, Wanted(accuracy=0, difference=1), tmp_path / "int8")
    assert result.quantized.quantized == result.quantized.matrices
    assert len(result.notes) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["int8"]
    assert {file.name for file in (tmp_path / "int8").glob("*.onnx")} == {FILE}


def test_where_nothing_keeps_enough_the_better_attempt_is_taken(tmp_path: Path) -> None:
    result = made("bert", Wanted(accuracy=2, difference=0), tmp_path / "int8")
    plain = made("bert", Wanted(accuracy=0, difference=1), tmp_path / "plain")
    assert result.kept >= plain.kept
    sensitive = result.quantized.quantized < result.quantized.matrices
    assert sensitive == ("stays fp32" in " ".join(result.notes))
    assert {file.name for file in (tmp_path / "int8").glob("*.onnx")} == {FILE}


def test_scores_of_the_written_artefact_are_near_those_of_its_source(tmp_path: Path) -> None:
    result = made("bert", Wanted(accuracy=0, difference=1), tmp_path / "int8")
    bench = students.bench("bert")
    near = score(tmp_path / "int8", bench, bench.selection)
    source = logits(students.student("bert"), bench, bench.selection)
    difference = (torch.softmax(near, 1) - torch.softmax(source, 1)).abs().mean()
    assert float(difference) == pytest.approx(result.agreement.mean_probability_difference, abs=1e-6)
    assert float(difference) < 0.05
