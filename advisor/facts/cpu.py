"""What this machine's CPU offers for int8, read without any library, and which backend suits it."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Set
from pathlib import Path
from typing import NamedTuple

from advisor.base.install import pip_command

FLAGS = {
    "avx2": "avx2",
    "avx512_vnni": "avx512_vnni",
    "avx_vnni": "avx_vnni",
    "amx_int8": "amx",
    "asimddp": "arm_dotprod",
}
DOT_PRODUCT = frozenset({"avx512_vnni", "avx_vnni", "amx", "arm_dotprod"})
LONG = 48  # mean tokens from which OpenVINO served faster than ONNX Runtime on AVX512-VNNI (bench/README.md)


BF16 = frozenset({"avx512_bf16", "amx_bf16"})


class Int8(NamedTuple):
    """How int8 is made for a CPU. backends: the best first. reduce_range: weights get 7 bits. reason: a clause."""

    backends: tuple[str, ...]
    reduce_range: bool
    reason: str


class Use(NamedTuple):
    """What int8 is made for. tokens: of a text, in the mean. in_bf16: matrices stay fp32, and the CPU has bfloat16."""

    tokens: float = 0
    in_bf16: bool = False


ANY = Use()


def int8_for(instructions: Set[str], installed: Set[str], use: Use = ANY, missing: Set[str] = frozenset()) -> Int8:
    """The backends that suit a CPU's instruction sets, of those installed. missing: others that could be used.

    int8 dot-product instructions (VNNI, AMX, ARM's) take 8-bit weights as they are. Without them x86 adds pairs in
    16 bits, which 8-bit weights overflow: ONNX Runtime gives them 7 bits (`reduce_range`). There OpenVINO and
    PyTorch come last, as only their activations can be narrowed.
    """
    dot = sorted(instructions & DOT_PRODUCT)
    order = ["onnxruntime", "openvino", "pytorch"]
    has = (
        f"this CPU has int8 dot-product instructions ({', '.join(dot)})"
        if dot
        else "this CPU has no int8 dot-product instructions"
    )
    reason = f"{has}, so weights have {8 if dot else 7} bits"
    if dot and (faster := _openvino_is_faster(use)) and "openvino" in {*installed, *missing}:
        order.insert(0, order.pop(1))
        reason += f"; {faster}" + ("" if "openvino" in installed else f": {pip_command('openvino')}")
    return Int8(tuple(name for name in order if name in installed), not dot, reason)


def _openvino_is_faster(use: Use) -> str:
    """Why, or nothing (bench/README.md)."""
    if use.tokens >= LONG:
        return f"texts have {use.tokens:.0f} tokens in the mean, and OpenVINO is faster from {LONG} on"
    return "some matrices stay fp32, which OpenVINO multiplies in bfloat16" if use.in_bf16 else ""


def instruction_sets() -> frozenset[str]:
    """What this CPU offers for int8, as `facts.INSTRUCTION_SETS` calls it; empty where it cannot be read."""
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return frozenset({"arm_dotprod"})  # every Apple chip since the M1
    return known_flags(_lines())


def multiplies_bf16() -> bool:
    """Has this CPU instructions for products of bfloat16? Without them it is slower than fp32."""
    return bool(BF16 & _flags(_lines()))


def name() -> str:
    """The processor's name, or its architecture where no name can be read."""
    named = [line.split(":", 1)[1].strip() for line in _lines() if line.startswith("model name") and ":" in line]
    return named[0] if named else platform.processor() or platform.machine()


def known_flags(lines: Iterable[str]) -> frozenset[str]:
    """The instruction sets that the lines of /proc/cpuinfo name."""
    flags = _flags(lines)
    return frozenset(name for flag, name in FLAGS.items() if flag in flags)


def _flags(lines: Iterable[str]) -> set[str]:
    found = (line.partition(":")[2].split() for line in lines if line.lower().startswith(("flags", "features")))
    return set(next(found, []))


def _lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
