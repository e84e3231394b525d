"""Solver: cells in which a formula holds, or the certainty that there are none.

It narrows every variable by what has to hold, then tries the parts of the shortest choice that is left, each without
those tried before. What no cell can say (that two amounts have a sum) is asked of `possible` at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from advisor.base.errors import PolicyError
from advisor.proofs.formula import FALSE, Atom, Cells, Formula, Join, given, negated

MOST_CHOICES = 200_000  # in one question, about a minute
Possible = Callable[[Cells], bool]


class TooHard(PolicyError):
    """A question was given up, so that nothing is proven by it."""


def solve(formula: Formula, possible: Possible = lambda cells: True) -> dict[str, int] | None:
    """The cells of every variable in which a formula holds for sure; None where it never does.

    Args:
        possible: can all variables lie in these cells together?

    Raises:
        TooHard: it takes more than MOST_CHOICES.
    """
    return _Search(possible).run({}, [formula])


class _Search:
    def __init__(self, possible: Possible) -> None:
        self.possible, self.left = possible, MOST_CHOICES

    def run(self, cells: dict[str, int], open_: Sequence[Formula]) -> dict[str, int] | None:
        """Narrow, then choose. cells: what is known so far; it is changed."""
        self.left -= 1
        if self.left < 0:
            raise TooHard(f"not decided: more than {MOST_CHOICES:,} choices for one question")
        choices = _narrowed(cells, open_)
        if choices is None or not self.possible(cells):
            return None
        if not choices:
            return cells
        first = min(choices, key=lambda one: len(one.parts))
        rest: list[Formula] = [one for one in choices if one is not first]
        for part in first.parts:
            found = self.run(dict(cells), [*rest, part])
            if found is not None:
                return found
            rest.append(negated(part))
        return None


def _narrowed(cells: dict[str, int], open_: Sequence[Formula]) -> list[Join] | None:
    """Narrow the cells by all that has to hold; the choices that are left, None for a contradiction."""
    asked = list(open_)
    while True:
        before = dict(cells)
        choices: list[Join] = []
        while asked:
            left = given(asked.pop(), cells)
            if left == FALSE:
                return None
            if isinstance(left, Atom):
                cells[left.variable] = cells.get(left.variable, left.whole) & left.cells
            elif left.kind == "any":
                choices.append(left)
            else:
                asked.extend(left.parts)
        if cells == before:
            return choices
        asked.extend(choices)
