"""What the CPU offers is read from what Linux tells of it."""

from __future__ import annotations

import pytest

from advisor.base.install import pip_command
from advisor.facts.cpu import Use, instruction_sets, int8_for, known_flags
from advisor.facts.facts import INSTRUCTION_SETS


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("flags\t\t: fpu sse2 avx2 vaes", {"avx2"}),
        ("flags\t\t: avx2 avx512f avx512_vnni amx_int8", {"avx2", "avx512_vnni", "amx"}),
        ("flags\t\t: avx2 avx_vnni", {"avx2", "avx_vnni"}),
        ("Features\t: fp asimd crc32 asimddp", {"arm_dotprod"}),
        ("model name\t: avx2", set()),
    ],
)
def test_instruction_sets_are_read(line: str, found: set[str]) -> None:
    assert known_flags(["processor\t: 0", line, "flags\t\t: "]) == found


def test_instruction_sets_of_this_machine_are_known_words() -> None:
    assert instruction_sets() <= set(INSTRUCTION_SETS)


ALL = {"onnxruntime", "openvino", "pytorch"}


@pytest.mark.parametrize(
    ("instructions", "installed", "tokens", "best", "reduce_range"),
    [
        ({"avx2", "avx512_vnni"}, ALL, 30, "onnxruntime", False),
        ({"avx2", "avx512_vnni"}, ALL, 200, "openvino", False),
        ({"avx2", "avx512_vnni"}, ALL - {"openvino"}, 200, "onnxruntime", False),
        ({"amx"}, ALL, 30, "onnxruntime", False),
        ({"arm_dotprod"}, ALL, 30, "onnxruntime", False),
        ({"avx2"}, ALL, 200, "onnxruntime", True),
        (set(), {"pytorch"}, 30, "pytorch", True),
    ],
)
def test_the_backend_is_chosen_by_the_cpu(
    instructions: set[str], installed: set[str], tokens: float, best: str, reduce_range: bool
) -> None:
    found = int8_for(instructions, installed, Use(tokens))
    assert found.backends[0] == best
    assert set(found.backends) == installed
    assert found.reduce_range == reduce_range


def test_the_choice_gives_its_reason() -> None:
    assert int8_for({"avx2"}, ALL).reason == "this CPU has no int8 dot-product instructions, so weights have 7 bits"
    found = int8_for({"avx_vnni", "avx2"}, ALL, LONG).reason
    assert found.startswith(
        "this CPU has int8 dot-product instructions (avx_vnni), so weights have 8 bits; texts have 100 tok"
    )


LONG, BF16 = Use(100, in_bf16=False), Use(30, in_bf16=True)


def test_a_faster_backend_that_is_not_installed_is_named() -> None:
    usable, missing = ALL - {"openvino"}, {"openvino"}
    told = f"texts have 100 tokens in the mean, and OpenVINO is faster from 48 on: {pip_command('openvino')}"
    assert told in int8_for({"avx512_vnni"}, usable, LONG, missing).reason
    for instructions, work, out_of_reach in (({"avx512_vnni"}, Use(30), missing), ({"avx2"}, LONG, missing)):
        assert "OpenVINO" not in int8_for(instructions, usable, work, out_of_reach).reason
    assert "OpenVINO" not in int8_for({"avx512_vnni"}, usable, LONG).reason


def test_openvino_comes_first_where_it_multiplies_the_fp32_matrices_in_bf16() -> None:
    found = int8_for({"avx512_vnni"}, ALL, BF16)
    assert found.backends[0] == "openvino"
    assert "some matrices stay fp32, which OpenVINO multiplies in bfloat16" in found.reason
    assert int8_for({"avx2"}, ALL, BF16).backends[0] == "onnxruntime"
