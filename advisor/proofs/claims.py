"""Claims about a policy: what refutes them, what could not be decided, and how they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from advisor.advice.recommendation import advise
from advisor.base.errors import NotMet, PolicyError
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.policy.view import View
from advisor.proofs.formula import Cells, Formula, all_of
from advisor.proofs.situations import Situation, find, words_of
from advisor.proofs.solver import solve
from advisor.proofs.translation import Translation
from advisor.recipe.recipe import DataSource


class Refutation(NamedTuple):
    """A claim that does not hold: the rules at fault, what they do, and a situation in which they do it."""

    rules: tuple[str, ...]
    message: str
    witness: str
    situation: Situation | None = None

    def __str__(self) -> str:
        return f"{_of(self.rules, self.message)}\n  for example: {self.witness}"


class Undecided(NamedTuple):
    """What a claim leaves open: for these rules it is neither proven nor refuted, and why."""

    rules: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        return _of(self.rules, self.message)


def _of(rules: Sequence[str], message: str) -> str:
    """What is said of some rules; of none where the policy or the program as a whole is at fault."""
    return f"{', '.join(rules)}: {message}" if rules else message


class Proof(NamedTuple):
    """A claim, how many questions were asked about it, what refutes it, and what it leaves open."""

    claim: str
    questions: int
    refutations: tuple[Refutation, ...]
    undecided: tuple[Undecided, ...] = ()

    @property
    def verdict(self) -> str:
        return "refuted" if self.refutations else "not decided" if self.undecided else "proven"


Found = Refutation | Undecided


class Asking:
    """Asks where formulas about the rules of a policy hold, and counts the questions."""

    def __init__(self, policy: Policy, known: Translation) -> None:
        self.policy, self.known, self.questions = policy, known, 0

    @property
    def rules(self) -> Sequence[Rule]:
        return self.policy.rules

    @property
    def errors(self) -> list[Rule]:
        return [rule for rule in self.rules if rule.severity == "error"]

    def cells(self, parts: Iterable[Formula], *amounts: str) -> dict[str, int] | None:
        """Cells in which all parts hold, or None where there are none."""
        self.questions += 1
        return solve(all_of(parts), self.known.possible(*amounts))

    def together(self, rules: Sequence[Rule], *more: Formula) -> dict[str, int] | None:
        """Cells in which all of these rules surely apply."""
        return self.cells([*(self.known.truth(rule.when, surely=True) for rule in rules), *more])

    def real(self, cells: Cells, wanted: Callable[[View], bool]) -> Situation | None:
        """A real situation in some cells that is as wanted."""
        return find(self.known, cells, lambda situation: wanted(situation.view))


def apply(rules: Sequence[Rule]) -> Callable[[View], bool]:
    """Do all of these rules apply in a situation?"""
    return lambda view: all(rule.when.truth(view) is True for rule in rules)


def witness(situation: Situation, rules: Iterable[Rule]) -> str:
    """A situation in words, as far as some rules look at it."""
    return words_of(situation.view, dict.fromkeys(name for rule in rules for name in rule.when.names()))


def advice_fails(policy: Policy, situation: Situation) -> bool:
    """Does advice find no recipe that the policy admits?"""
    try:
        advise(policy, situation.facts, situation.model, DataSource(), "example")
    except NotMet:
        return False
    except PolicyError:
        return True
    return False
