"""The notation of axes: lengths, and the places that kept units hold."""

from __future__ import annotations

import pytest

from advisor.families.described.axes import length, places, units

SIZES = {"heads": 4, "kv": 2, "head": 2, "ffn": 3, "hidden": 5, "positions": 6}


@pytest.mark.parametrize(
    ("axis", "long", "made_of"),
    [
        ("hidden", 5, {"hidden"}),
        ("heads:head", 8, {"heads"}),
        ("heads:3*head", 24, {"heads"}),
        ("heads:head | kv:head | kv:head", 16, {"heads", "kv"}),
        ("kv:(heads//kv + 2)*head", 16, {"kv"}),
        ("ffn | ffn", 6, {"ffn"}),
        ("positions + 2", 8, set()),
        ("(positions//2)**2 + 1", 10, set()),
        ("3", 3, set()),
    ],
)
def test_lengths(axis: str, long: int, made_of: set[str]) -> None:
    assert length(axis, SIZES) == long
    assert units(axis) == made_of


@pytest.mark.parametrize(
    ("axis", "kept", "found"),
    [
        ("hidden", {"hidden": [4, 0]}, [4, 0]),
        ("heads:head", {"heads": [1, 3]}, [2, 3, 6, 7]),
        ("heads:3*head", {"heads": [1]}, [6, 7, 8, 9, 10, 11]),
        ("heads:head | heads:head | heads:head", {"heads": [1]}, [2, 3, 10, 11, 18, 19]),
        ("heads:head | kv:head | kv:head", {"heads": [2, 3], "kv": [1]}, [4, 5, 6, 7, 10, 11, 14, 15]),
        ("ffn | ffn", {"ffn": [0, 2]}, [0, 2, 3, 5]),
        ("ffn:2", {"ffn": [2]}, [4, 5]),
        ("hidden", {"ffn": [0]}, None),
    ],
)
def test_places(axis: str, kept: dict[str, list[int]], found: list[int] | None) -> None:
    assert places(axis, SIZES, kept) == found


def test_an_axis_is_arithmetic_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="no arithmetic of sizes"):
        length("__import__('os')", SIZES)
