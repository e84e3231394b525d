"""Formulas over variables with finitely many cells: atoms (a variable lies in some of its cells), all, any.

A set of cells is a whole number with a bit for each. There is no `not`: the negation of an atom is the atom of the
other cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple


class Atom(NamedTuple):
    """A variable lies in one of some cells. whole: all of its cells."""

    variable: str
    cells: int
    whole: int


class Join(NamedTuple):
    """`all`: every part holds; `any`: at least one."""

    kind: Literal["all", "any"]
    parts: tuple[Formula, ...]


Formula = Atom | Join
TRUE, FALSE = Join("all", ()), Join("any", ())
Cells = Mapping[str, int]  # by variable; what is not named may be anything


def atom(variable: str, cells: int, whole: int) -> Formula:
    """An atom; TRUE or FALSE where it is no question."""
    return FALSE if not cells else TRUE if cells == whole else Atom(variable, cells, whole)


def all_of(parts: Iterable[Formula]) -> Formula:
    """Every part; atoms of the same variable become one."""
    return _joined("all", parts)


def any_of(parts: Iterable[Formula]) -> Formula:
    """At least one part."""
    return _joined("any", parts)


def _joined(kind: Literal["all", "any"], parts: Iterable[Formula]) -> Formula:
    atoms: dict[str, Atom] = {}
    others: dict[Formula, None] = {}
    queue = list(parts)
    for part in queue:
        if isinstance(part, Atom):
            known = atoms.get(part.variable)
            if known is not None:
                both = part.cells & known.cells if kind == "all" else part.cells | known.cells
                atoms[part.variable] = part._replace(cells=both)
            else:
                atoms[part.variable] = part
        elif part.kind == kind:
            queue.extend(part.parts)
        elif not part.parts:
            return part  # FALSE among all, TRUE among any
        else:
            others[part] = None
    decided = [atom(*one) for one in atoms.values()]
    opposite = FALSE if kind == "all" else TRUE
    if opposite in decided:
        return opposite
    found = (*(one for one in decided if isinstance(one, Atom)), *others)
    return found[0] if len(found) == 1 else Join(kind, found)


def negated(formula: Formula) -> Formula:
    """What holds where the formula does not."""
    if isinstance(formula, Atom):
        return formula._replace(cells=formula.whole & ~formula.cells)
    return Join("any" if formula.kind == "all" else "all", tuple(negated(part) for part in formula.parts))


def given(formula: Formula, cells: Cells) -> Formula:
    """What is left to ask where variables are known to lie in some cells."""
    if isinstance(formula, Atom):
        here = cells.get(formula.variable)
        if here is None:
            return formula
        left = here & formula.cells
        return FALSE if not left else TRUE if left == here else formula
    opposite = FALSE if formula.kind == "all" else TRUE
    found = []
    for part in formula.parts:
        left_part = given(part, cells)
        if left_part == opposite:
            return opposite
        found.append(left_part)
    return _joined(formula.kind, found)
