"""Facts about the device and the texts become known by options and by fields of the recipe, so their rules are live."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.cli import main
from advisor.policy.pack import core, find
from advisor.recipe.reader import loads
from advisor.review.review import review_document

ADVISE = ["--model", "bert", "--samples", "12000"]


def rules_of(text: str, pack: str = "core") -> set[str]:
    recipe, document = loads(text)
    return {one.rule for one in review_document(find(pack), recipe, document, Path()).findings}


def test_a_cpu_without_dot_products_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ADVISE, "--device", "cpu", "--cpu-features", "avx2"]) == 0
    shown = capsys.readouterr()
    assert "warning cpu-isa: this CPU has no int8 dot product" in shown.err
    assert "instruction_sets: [avx2]" in shown.out and "cpu-isa" in rules_of(shown.out)
    assert main([*ADVISE, "--device", "cpu", "--cpu-features", "avx2,avx512_vnni"]) == 0
    shown = capsys.readouterr()
    assert "cpu-isa" not in shown.err and "cpu-isa" not in rules_of(shown.out)


def test_a_gpu_with_eight_bit_cores_is_told_of_int8(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ADVISE, "--device", "cuda", "--compute-capability", "8.6", "--policy", "beyond"]) == 0
    shown = capsys.readouterr()
    assert "gpu-low-precision: this GPU has 8-bit tensor cores" in shown.err
    assert "gpu-low-precision" in rules_of(shown.out, "beyond")


def test_what_is_stated_comes_back_from_the_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main([*ADVISE, "--device", "cpu", "--memory-gb", "2.5", "--mean-tokens", "37", "--cpu-features", "none"]) == 0
    )
    recipe, document = loads(capsys.readouterr().out)
    facts = review_document(core(), recipe, document, Path()).facts
    assert (facts.device.memory_gb, facts.data.mean_tokens, facts.device.instruction_sets) == (2.5, 37, frozenset())


def test_options_that_make_no_sense_say_what_would(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ADVISE, "--device", "cpu", "--cpu-features", "avx9", "--meta", "owner"]) == 2
    told = capsys.readouterr().err
    assert "unknown: avx9" in told and "expected KEY=VALUE" in told
    assert main([*ADVISE, "--device", "cpu", "--meta", "owner=ada", "--meta", "owner=bob"]) == 2
    assert "--meta owner: given 2 times" in capsys.readouterr().err
