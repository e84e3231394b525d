"""Claims about a policy: what refutes them, and the cells that they are looked at in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from advisor.base.errors import PolicyError
from advisor.policy.conditions import Condition
from advisor.policy.rule import Rule
from advisor.policy.view import View
from advisor.proofs.space import cells

MOST_LOOKS = 3_000_000  # about half a minute; far beyond any pack that people can keep in mind


class Refutation(NamedTuple):
    """A claim that does not hold: the rules at fault, what they do, and a situation in which they do it."""

    rules: tuple[str, ...]
    message: str
    witness: str

    def __str__(self) -> str:
        return f"{', '.join(self.rules)}: {self.message}\n  for example: {self.witness}"


class Proof(NamedTuple):
    """A claim, how many cells it was looked at in, and what refutes it; proven when nothing does."""

    claim: str
    cells: int
    refutations: tuple[Refutation, ...]


class Counter:
    """Goes through cells and counts them."""

    def __init__(self) -> None:
        self.cells = 0

    def over(self, conditions: Iterable[Condition]) -> Iterator[View]:
        for view in cells(conditions):
            self.cells += 1
            if self.cells > MOST_LOOKS:
                raise PolicyError(f"not proven: more than {MOST_LOOKS:,} cells for one claim", hint="split the pack")
            yield view


def together(rules: Sequence[Rule], count: Counter) -> View | None:
    """A situation in which all of these rules apply."""
    conditions = [rule.when for rule in rules]
    return next((view for view in count.over(conditions) if all(one.truth(view) for one in conditions)), None)
