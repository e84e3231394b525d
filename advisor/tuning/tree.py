"""The tree of prefixes: recipes of a space share their first steps, and each step is made once.

fine-tune -> layers -> distillation -> width -> int8. A node is one step of a recipe at a rung, made from what its
parent has left in the store. Where a rung trains less, the steps that distil are shortened; fine-tuning never is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

from advisor.base.files import fingerprint
from advisor.base.frozen import replace
from advisor.recipe.recipe import Recipe
from advisor.recipe.steps.step import Step
from advisor.records.results import NOT_YET, Measured
from advisor.records.search import Spent
from advisor.records.training_settings import Training

WHOLE = Fraction(1)


class Node(NamedTuple):
    """A step to make: the last of the recipe, after all that come before it. share: of the training steps.

    seed: how many seeds after the recipe's own; the data are split by the recipe's own seed whatever it is.
    """

    recipe: Recipe
    share: Fraction = WHOLE
    seed: int = 0

    @property
    def name(self) -> str:
        """What tells it from other nodes, whatever they are made for: a hash of its steps and settings."""
        return _name(self.recipe.steps, self.recipe.training, self._counts, self.seed)

    @property
    def parent(self) -> Node | None:
        """The step before it; None of the first."""
        steps = self.recipe.steps[:-1]
        return self._replace(recipe=replace(self.recipe, steps=steps)) if steps else None

    @property
    def _counts(self) -> Fraction:
        """The share, where it changes anything."""
        return self.share if any(step.distils for step in self.recipe.steps) else WHOLE


@lru_cache(4096)
def _name(steps: tuple[Step, ...], training: Training, share: Fraction, seed: int) -> str:
    settings = [{step.name: asdict(step)} for step in steps]
    return fingerprint([settings, asdict(training), str(share), *([seed] if seed else [])])


class Outcome(NamedTuple):
    """What became of a node. why: it failed. key: of its step in the store. reused: it was there already.

    kept: of the baseline's metric, on the selection rows; loss: mean loss there, None where it was not computed.
    """

    status: Literal["made", "failed"]
    why: str = ""
    key: str = ""
    reused: bool = False
    kept: Measured = NOT_YET
    loss: float | None = None
    size_bytes: int = 0
    parameters: int = 0
    spent: Spent = Spent()


def path(node: Node) -> tuple[Node, ...]:
    """The nodes from the first step to this one."""
    found = [node]
    while (parent := found[-1].parent) is not None:
        found.append(parent)
    return tuple(reversed(found))


def tree(leaves: Iterable[Node]) -> dict[str, Node]:
    """The nodes worth making one by one to get at the leaves: these, and where paths to them part. Parents first.

    A node with one child is made together with it.
    """
    found: dict[str, Node] = {}
    children: dict[str, set[str]] = {}
    ends: set[str] = set()
    for leaf in leaves:
        whole = path(leaf)
        ends.add(leaf.name)
        for node, after in zip(whole, (*whole[1:], None), strict=True):
            found[node.name] = node
            children.setdefault(node.name, set()).update([after.name] if after else [])
    return {name: node for name, node in found.items() if name in ends or len(children[name]) > 1}


def before(node: Node, nodes: Mapping[str, Node]) -> str | None:
    """The name of the nearest of these nodes on the way to a node; None where there is none."""
    return next((one.name for one in reversed(path(node)[:-1]) if one.name in nodes), None)
