"""Conditions of rules: typed, structured, three-valued (true, false, unknown); no expressions, no code."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from advisor.base.errors import Fault, suggest
from advisor.base.interval import FORMS, Interval
from advisor.facts.facts import Value
from advisor.policy.view import View, known

if TYPE_CHECKING:
    from advisor.base.yamlfile import Document

Truth = bool | None
Place: TypeAlias = "Document | _Nowhere"
Path_ = tuple[str | int, ...]


class Test(NamedTuple):
    """One fact or setting against words (any of them) or an interval; or only whether it is `known`."""

    name: str
    words: tuple[Value, ...] = ()
    interval: Interval | None = None
    known: bool = False

    def truth(self, view: View) -> Truth:
        there, value = view.get(self.name)
        return self.answers(value) if there else False

    def answers(self, value: Value) -> Truth:
        """The answer for a value; unknown for None, unless it is asked whether it is known."""
        if self.known:
            return value is not None
        if value is None:
            return None
        if isinstance(value, frozenset):
            return bool(value & set(self.words))
        if self.interval is None:
            return value in self.words
        return isinstance(value, int | float | Fraction) and self.interval.holds(value)

    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def decisive(self, view: View) -> tuple[Test, ...]:
        """The tests that make the condition hold, or leave it undecided."""
        return (self,) if self.truth(view) is not False else ()

    def __str__(self) -> str:
        if self.known:
            return f"{self.name} is known"
        return f"{self.name} {self.interval or 'is ' + ' or '.join(map(str, self.words))}"


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
        wrong = [name for name in names if name not in known()]
        faults += [document.fault(f"unknown fact or setting {name}", path, suggest(name, known())) for name in wrong]
    return Group("all", tuple(Test(str(name), known=True) for name in names)), faults


READERS = {"all": _group, "any": _group, "not": _group, "known": _known}


def _test(name: str, value: Any, document: Place, path: Path_) -> tuple[Condition | None, list[Fault]]:
    if value == []:
        return None, [document.fault(f"{name}: an empty list holds for nothing", path, "list the values")]
    compares = isinstance(value, str) and (value.lstrip()[:1] in ("<", ">", "!") or ".." in value)
    words = () if compares else tuple(value) if isinstance(value, list) else (value,)
    if not isinstance(document, _Nowhere) and (faults := _test_faults(name, words, document, path)):
        return None, faults
    return _comparison(name, value, document, path) if compares else (Test(name, words), [])


def _test_faults(name: str, words: tuple[Any, ...], document: Place, path: Path_) -> list[Fault]:
    """What is wrong with a name and its words; a comparison has none."""
    if name not in known():
        return [document.fault(f"unknown fact or setting {name}", path, suggest(name, known()), key=True)]
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
        document.fault(f"{name}: {word!r} is no value of it", path, suggest(word, map(str, allowed))) for word in wrong
    ]


def _comparison(name: str, value: str, document: Place, path: Path_) -> tuple[Condition | None, list[Fault]]:
    unequal = value.lstrip().startswith("!=")
    try:
        interval = Interval.parse(f"{value.split('=', 1)[1]}..{value.split('=', 1)[1]}" if unequal else value)
    except ValueError:
        return None, [document.fault(f"{name}: {value!r} is not a comparison", path, f"write {FORMS}")]
    test = Test(name, interval=interval)
    return (Group("not", (test,)) if unequal else test), []
