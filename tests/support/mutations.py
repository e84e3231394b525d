"""Strategies that spoil valid things: values of a tree, and lines and signs of a text."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

KEYS = ("version", "name", "model", "source", "family", "data", "samples", "task", "labels", "device", "goal", "gates",
        "relative_accuracy", "steps", "finetune", "layer_removal", "keep", "matrix_pruning", "hidden_size", "heads",
        "quantization", "policy", "sha256", "waivers", "rule", "until", "training", "history", "when", "then", "forbid",
        "limit", "examples", "fires", "evidence", "any", "not", "model_type", "architectures",
        "num_hidden_layers")  # fmt: skip
WORDS = ("bert", "t5", "gpt2", "cpu", "cuda", "imdb", "", " ", "null", ">= 0.9", "< 10000", "1..2", "95%", "10k",
         "1e999", "2026-12-31", "core", "\u2028", "\x00", "${X}", "..", "/", "~", "R01", "é", "*")  # fmt: skip
NUMBERS = (0, -1, 1, 2, 3.5, 1e-320, 1e308, math.inf, -math.inf, math.nan, 2**63, 10**17, 10**400, True, 0.1 + 0.2)
PIECES = (b"", b"\x00", b"\xff\xfe", b"[", b"]", b"{", b"}", b'"', b",", b":", b"-1", b"1e999", b"null", b"NaN", b"../",
          b"9" * 40, b"[" * 5000, b"version", b"'", b"\n")  # fmt: skip
keys = st.sampled_from(KEYS) | st.text(max_size=5)
leaves = st.sampled_from([*WORDS, *NUMBERS, None]) | st.text(max_size=8) | st.integers() | st.floats()
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(one for key, inner in inside for one in _paths(inner, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn, value: Any, times: int = 3) -> Any:
    """A tree in which one to some values are replaced, removed, renamed, doubled or moved."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, times))):
        path = draw(st.sampled_from(_paths(value)))
        if not path:
            continue
        *way, last = path
        holder = value
        for part in way:
            holder = holder[part]
        action = draw(st.sampled_from(["replace", "remove", "rename", "double", "wrap"]))
        if action == "remove":
            del holder[last]
        elif action == "rename" and isinstance(holder, dict):
            holder[draw(st.sampled_from(KEYS) | st.text(max_size=6))] = holder.pop(last)
        elif action == "double" and isinstance(holder, list):
            holder.insert(last, copy.deepcopy(holder[last]))
        elif action == "wrap":
            holder[last] = draw(st.sampled_from([[holder[last]], {"x": holder[last]}, {"not": holder[last]}]))
        else:
            holder[last] = draw(trees)
    return value


@st.composite
def scratched(draw: st.DrawFn, text: str) -> str:
    """A text in which lines are gone, doubled, indented otherwise or swapped, and signs are changed."""
    lines = text.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        action = draw(st.sampled_from(["drop", "double", "indent", "dedent", "swap", "sign"]))
        if action == "drop" and len(lines) > 1:
            del lines[place]
        elif action == "double":
            lines.insert(place, lines[place])
        elif action == "indent":
            lines[place] = draw(st.sampled_from([" ", "  ", "\t", "\u00a0", "- ", "# ", "&a ", "!x "])) + lines[place]
        elif action == "dedent":
            lines[place] = lines[place].lstrip(" -")
        elif action == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[place], lines[other] = lines[other], lines[place]
        else:
            lines[place] = _changed(draw, lines[place])
    return draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"])).join(lines)


def _changed(draw: st.DrawFn, line: str) -> str:
    place = draw(st.integers(0, len(line)))
    signs = draw(
        st.sampled_from([*"{}[]:,'\"#&*!|>%@`\\-?", "", "\x00", "\ufeff", "\u2028", "：", "€"]) | st.characters()
    )
    return line[:place] + signs + line[place + draw(st.integers(0, 2)) :]


def one_of(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    """A spoilt copy of one of some trees."""
    return st.sampled_from(list(values)).flatmap(spoilt)


def damaged(chance: random.Random, content: bytes) -> bytes:
    """Some bytes of a file changed, lost, doubled or put in."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(made) + 1), chance.choice([0, 1, 1, 4, 100])
        action = chance.choice(["piece", "noise", "cut", "double"])
        if action == "cut":
            del made[at : at + length * chance.choice([1, 50])]
        elif action == "double":
            made[at:at] = made[at : at + length]
        else:
            made[at : at + length] = chance.choice(PIECES) if action == "piece" else chance.randbytes(length)
    return bytes(made)
