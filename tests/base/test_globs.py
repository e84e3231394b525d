"""Patterns with stars: what they mean, and that none takes long."""

from __future__ import annotations

import random
import re
import time

import pytest

from advisor.base.globs import fits, of_paths, of_text

TEXT, PATHS = {"*": ".*", "?": "."}, {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def test_a_pattern_means_what_an_expression_does() -> None:
    chance = random.Random(0)
    for _ in range(2_000):
        parts = chance.choices(["*", "?", "a", "b", "/", ".", "\n"], k=chance.randint(0, 6))
        text = "".join(chance.choices("ab/.*\n", k=chance.randint(0, 8)))
        meant = "".join(TEXT.get(part) or re.escape(part) for part in parts)
        assert fits(of_text("".join(parts)), text) == bool(re.fullmatch(meant, text, re.DOTALL)), (parts, text)


def test_a_glob_of_files_means_what_an_expression_does() -> None:
    chance = random.Random(0)
    for _ in range(2_000):
        glob = "".join(chance.choices([*PATHS, "a", "b", "/", "["], k=chance.randint(1, 6))) + "a"
        glob = re.sub(r"\*\*\*+", "**", glob)
        meant = "".join(PATHS.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*\*|\*|\?)", glob))
        path = "".join(chance.choices("ab/[*", k=chance.randint(1, 8)))
        assert fits(of_paths(glob), path) == bool(re.fullmatch(meant, path)), (glob, path)


@pytest.mark.parametrize("reading", [of_text, of_paths])
@pytest.mark.parametrize(
    "glob", ["*" * 200 + "b", "a*" * 60 + ".yaml", "**/" * 60 + "b", "**/*a" * 40 + "b", "?*" * 90]
)
def test_no_pattern_takes_long(glob: str, reading: object) -> None:
    begun = time.process_time()
    assert callable(reading) and not fits(reading(glob + "b"), "a/" * 100 + "a" * 200 + ".yam")
    assert time.process_time() - begun < 1
