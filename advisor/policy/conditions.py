"""Conditions of rules: typed, structured, three-valued (true, false, unknown); no expressions, no code."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeGuard

from advisor.base import globs
from advisor.base.errors import Fault, suggest
from advisor.base.interval import FORMS, Interval, exact
from advisor.facts.facts import Value
from advisor.facts.tasks import OLDER, meanings
from advisor.policy.view import META, View, is_text, known

if TYPE_CHECKING:
    from advisor.base.yamlfile import Document

Truth = bool | None
TASK, REGRESSION = "data.task", "regression"
Place: TypeAlias = "Document | _Nowhere"
Path_ = tuple[str | int, ...]


SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


def is_pattern(word: Value) -> bool:
    """Does a word stand for many texts? `*` stands for any characters, `?` for one."""
    return isinstance(word, str) and ("*" in word or "?" in word)


def matches(word: Value, value: Value) -> bool:
    """Is a value this word, or a text that the pattern matches?"""
    if is_pattern(word):
        return isinstance(value, str) and globs.fits(globs.of_text(str(word)), value)
    return word == value and isinstance(word, bool) == isinstance(value, bool)


class Test(NamedTuple):
    """One fact or setting against words (any of them), an interval or another; or only whether it is `known`.

    sign, other: a comparison of two numbers, as in `distillation.epochs: ">= finetune.epochs"`.
    """

    name: str
    words: tuple[Value, ...] = ()
    interval: Interval | None = None
    known: bool = False
    sign: str = ""
    other: str = ""

    def truth(self, view: View) -> Truth:
        there, value = view.get(self.name)
        if self.other and there:
            there, other = view.get(self.other)
            return self.compares(value, other) if there else False
        return self.answers(value) if there else False

    def compares(self, value: Value, other: Value) -> Truth:
        """The answer of a comparison of two; unknown where one of them is."""
        if value is None or other is None:
            return None
        return _is_number(value) and _is_number(other) and SIGNS[self.sign](_number(value), _number(other))

    def answers(self, value: Value) -> Truth:
        """The answer for a value; unknown for None, unless it is asked whether it is known."""
        if self.known:
            return value is not None
        if value is None:
            return None
        if isinstance(value, frozenset):
            return bool(value & set(self.words))
        if self.interval is None:
            return any(matches(word, value) for word in self.words)
        return _is_number(value) and self.interval.holds(value)

    def names(self) -> tuple[str, ...]:
        return (self.name, self.other) if self.other else (self.name,)

    def decisive(self, view: View) -> tuple[Test, ...]:
        """The tests that make the condition hold, or leave it undecided."""
        return (self,) if self.truth(view) is not False else ()

    def __str__(self) -> str:
        if self.known:
            return f"{self.name} is known"
        if self.other:
            return f"{self.name} {self.sign} {self.other}"
        return f"{self.name} {self.interval or 'is ' + ' or '.join(map(str, self.words))}"


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, int | float | Fraction) and not isinstance(value, bool)


def _number(value: Any) -> Any:
    """A number that compares with others as it is written, so that 0.3 equals 3/10."""
    return exact(value) if isinstance(value, float) and abs(value) < float("inf") else value


class Group(NamedTuple):
    """`all`: every part holds; `any`: at least one; `not`: the one part does not."""

    kind: str
    parts: tuple[Condition, ...]

    def truth(self, view: View) -> Truth:
        found = [part.truth(view) for part in self.parts]
        if self.kind == "not":
            return None if found[0] is None else not found[0]
        decisive = self.kind == "any"
        if decisive in found:
            return decisive
        return None if None in found else not decisive

    def decisive(self, view: View) -> tuple[Test, ...]:
        if self.kind == "not":
            return tuple(part for part in self.parts if isinstance(part, Test))
        return tuple(dict.fromkeys(test for part in self.parts for test in part.decisive(view)))

    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names()))

    def __str__(self) -> str:
        if self.kind == "not":
            return f"not ({self.parts[0]})"
        joined = (" and " if self.kind == "all" else " or ").join(
            f"({part})" if isinstance(part, Group) and len(part.parts) > 1 else str(part) for part in self.parts
        )
        return joined or "always"


Condition = Test | Group
ALWAYS = Group("all", ())


def tests_of(condition: Condition) -> tuple[Test, ...]:
    """All tests in a condition, each once."""
    if isinstance(condition, Test):
        return (condition,)
    return tuple(dict.fromkeys(test for part in condition.parts for test in tests_of(part)))


def parse(value: Any, document: Place | None = None, path: Path_ = ()) -> tuple[Condition, list[Fault]]:
    """Read a mapping of conditions that must all hold.

    Args:
        document: where the value stands, for the places of faults; a value that was validated needs none.
    """
    document = document or _Nowhere()
    if not isinstance(value, dict):
        return ALWAYS, [document.fault('expected conditions, as in `data.samples: "< 10000"`', path)]
    parts: list[Condition] = []
    faults: list[Fault] = []
    for name, wanted in value.items():
        read = READERS.get(name, _test)
        part, wrong = read(name, wanted, document, (*path, name))
        faults += wrong
        parts += [part] if part else []
    return (parts[0] if len(parts) == 1 else Group("all", tuple(parts))), faults


class _Nowhere:
    """Stands for the document of a value that was found valid before."""

    def fault(self, message: str, path: Path_, hint: str = "", *, key: bool = False) -> Fault:
        return Fault(message, hint=hint)


def _group(kind: str, value: Any, document: Place, path: Path_) -> tuple[Condition | None, list[Fault]]:
    if kind == "not":
        part, faults = parse(value, document, path)
        return Group("not", (part,)), faults
    if not isinstance(value, list) or not value:
        return None, [document.fault(f"{kind}: expected a list of conditions", path)]
    parts, faults = [], []
    for place, item in enumerate(value):
        part, wrong = parse(item, document, (*path, place))
        parts.append(part)
        faults += wrong
    return Group(kind, tuple(parts)), faults


def _known(kind: str, value: Any, document: Place, path: Path_) -> tuple[Condition | None, list[Fault]]:
    """`known: data.task`, or a list: true only where these facts are known, so that the rule is never undecided."""
    names = value if isinstance(value, list) else [value]
    faults = [] if names else [document.fault("known: expected the names of facts", path)]
    if not isinstance(document, _Nowhere):
        wrong = [name for name in names if name not in known() and not str(name).startswith(META)]
        faults += [document.fault(f"unknown fact or setting {name}", path, suggest(name, known())) for name in wrong]
    return Group("all", tuple(Test(str(name), known=True) for name in names)), faults


TEXTS = "write a text or a list of them; * stands for any characters, ? for one"
READERS = {"all": _group, "any": _group, "not": _group, "known": _known}


def _test(name: str, value: Any, document: Place, path: Path_) -> tuple[Condition | None, list[Fault]]:
    if value == []:
        return None, [document.fault(f"{name}: an empty list holds for nothing", path, "list the values")]
    compares = isinstance(value, str) and (value.lstrip()[:1] in ("<", ">", "!") or ".." in value)
    words = () if compares else tuple(value) if isinstance(value, list) else (value,)
    words = tuple(map(_present, words)) if name == TASK else words
    if not isinstance(document, _Nowhere) and (faults := _test_faults(name, words, document, path)):
        return None, faults
    return _comparison(name, value, document, path) if compares else (Test(name, words), [])


def _present(word: Any) -> Any:
    """A task by its present name; a regression is told apart by its labels, so its older name has none."""
    meant = OLDER.get(word, ()) if isinstance(word, str) and word != REGRESSION else ()
    return meant[0] if len(meant) == 1 else word


def _test_faults(name: str, words: tuple[Any, ...], document: Place, path: Path_) -> list[Fault]:
    """What is wrong with a name and its words; a comparison has none."""
    if name.startswith(META):  # what a key takes is declared in the manifest of the pack
        return []
    if name not in known():
        return [document.fault(f"unknown fact or setting {name}", path, suggest(name, known()), key=True)]
    if is_text(name):
        wrong = [word for word in words if not isinstance(word, str)]
        more = [] if words else [document.fault(f"{name} is a text, not a number", path, TEXTS)]
        return more + [document.fault(f"{name}: {word!r} is no text", path, TEXTS) for word in wrong]
    allowed = known()[name]
    if allowed and not words:
        return [document.fault(f"{name} is not a number", path, suggest("", map(str, allowed)))]
    if not allowed:
        wrong = [word for word in words if isinstance(word, bool) or not isinstance(word, int | float)]
        return [
            document.fault(f"{name}: {word!r} is no value of it", path, f"write a number, {FORMS}") for word in wrong
        ]
    wrong = [word for word in words if word not in allowed or isinstance(word, bool) != isinstance(allowed[0], bool)]
    return [
        document.fault(f"{name}: {word!r} is no value of it", path, _instead(name, word, map(str, allowed)))
        for word in wrong
    ]


def _instead(name: str, word: Any, allowed: Iterable[str]) -> str:
    """What to write instead of a word that a fact cannot have."""
    if name == TASK and word == REGRESSION:
        return f"write data.problem_type: {REGRESSION}"
    return (meanings(word) if name == TASK else "") or suggest(word, allowed)


def _comparison(name: str, value: str, document: Place, path: Path_) -> tuple[Condition | None, list[Fault]]:
    if both := _of_two(name, value):
        return both, []
    unequal = value.lstrip().startswith("!=")
    try:
        interval = Interval.parse(f"{value.split('=', 1)[1]}..{value.split('=', 1)[1]}" if unequal else value)
    except ValueError:
        hint = f'write {FORMS}, or compare with another fact or setting: ">= finetune.epochs"'
        return None, [document.fault(f"{name}: {value!r} is not a comparison", path, hint)]
    test = Test(name, interval=interval)
    return (Group("not", (test,)) if unequal else test), []


def _of_two(name: str, value: str) -> Test | None:
    """A comparison with another number; None where the right side is none."""
    sign = next((sign for sign in SIGNS if value.lstrip().startswith(sign)), "")
    other = value.lstrip().removeprefix(sign).strip()
    if not sign or not other[:1].isalpha():  # most compare with a number, and `known` takes its time
        return None
    number = other.startswith(META) or (other in known() and not known()[other] and not is_text(other))
    return Test(name, sign=sign, other=other) if number else None
