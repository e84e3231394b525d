"""What the CPU offers is read from what Linux tells of it."""

from __future__ import annotations

import pytest

from advisor.cpu import instruction_sets, known_flags
from advisor.facts import INSTRUCTION_SETS


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
