"""Recorded times stand for steps like them, and a table's numbers are what its lines say."""

from __future__ import annotations

from typing import Any

import pytest
from search_scale import Recorded, Simulated, rows
from search_table import table

from advisor.recipe.reader import loads
from advisor.recipe.recipe import Recipe
from advisor.tuning.tree import Node


def recipe(keep: int) -> Recipe:
    steps = f"[finetune: {{epochs: 3}}, layer_removal: {{keep: {keep}}}, distillation: {{epochs: 3}}]"
    return loads(f"version: 1\nname: r\nmodel: {{source: bert-base-uncased}}\ndevice: cpu\nsteps: {steps}\n")[0]


def node(step: str, share: str, layers: int | None, seconds: float, **more: Any) -> dict[str, Any]:
    kept = more.pop("kept", 0.9)
    return {
        "kind": "node", "name": f"{step} {share} {layers}", "step": step, "share": share, "layers": layers,
        "seconds": seconds, "kept": [kept, kept - 0.1, kept + 0.1], "loss": 0.5, **more,
    }  # fmt: skip


LINES = [
    node("finetune", "0", None, 40.0),
    node("distillation", "1", 4, 30.0, kept=0.95),
    node("distillation", "1", 4, 34.0, kept=0.97),
    node("distillation", "1", 3, 20.0, kept=0.9),
    node("distillation", "1/9", 4, 5.0, kept=0.8),
    {
        "kind": "leaf", "name": "distillation 1 4", "layers": 4, "int8": False, "time": [0.6, 0.5, 0.7],
        "emissions": [None], "size_mb": [60.0], "seconds": 12.0,
    },
]  # fmt: skip


@pytest.mark.parametrize(("keep", "seconds", "kept"), [(4, 32.0, 0.96), (3, 20.0, 0.9), (2, 30.0, 0.95)])
def test_a_step_takes_as_long_as_those_of_its_kind_share_and_layers(keep: int, seconds: float, kept: float) -> None:
    made = Recorded(LINES).made(Node(recipe(keep)))
    assert (made.seconds, made.kept) == (seconds, pytest.approx(kept))


def test_a_leaf_that_was_not_measured_takes_the_time_of_others() -> None:
    found = Recorded(LINES).leaf(recipe(3))
    assert (found.time, found.seconds, found.emissions) == (0.6, 12.0, None)


def test_a_table_is_what_its_lines_say() -> None:
    found = table(LINES)
    assert found.nodes["finetune 0 None"].seconds == 40.0
    leaf = found.leaves["distillation 1 4"]
    assert (leaf.kept, leaf.cost, leaf.size_mb) == (0.97, 0.6, 60.0), "the last line of a node counts"


def test_the_share_of_waiting() -> None:
    found = [Simulated(1, 100.0, 90.0, 20.0, 10.0, 9), Simulated(4, 40.0, 90.0, 20.0, 10.0, 9)]
    assert found[1].idle == pytest.approx(1 - 90 / 160)
    assert rows(found)[-1] == "| 4 | 40 s | 2.50 | 25% | 44% |"
