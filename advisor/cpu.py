"""What this machine's CPU offers for int8, read without any library."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from pathlib import Path

FLAGS = {
    "avx2": "avx2",
    "avx512_vnni": "avx512_vnni",
    "avx_vnni": "avx_vnni",
    "amx_int8": "amx",
    "asimddp": "arm_dotprod",
}
DOT_PRODUCT = frozenset({"avx512_vnni", "avx_vnni", "amx", "arm_dotprod"})


BF16 = frozenset({"avx512_bf16", "amx_bf16"})


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
