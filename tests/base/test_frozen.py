"""`@frozen` makes what `@dataclass(frozen=True, slots=True)` makes, as seen by users, `dataclasses` and pydantic."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter, ValidationError

from advisor.base.frozen import frozen, made, names, replace

ROOT = Path(__file__).parents[2]


@frozen
class Base:
    """A base."""

    kind: ClassVar[str] = "base"
    size: int
    name: str = "none"

    def doubled(self) -> int:
        """A method."""
        return 2 * self.size


@frozen
class Derived(Base):
    """A class with more fields."""

    kind: ClassVar[str] = "derived"
    more: Mapping[str, int] = made(default_factory=dict)
    _memo: dict[str, int] = made(default_factory=dict, init=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Like:
    """The same made by the standard library."""

    kind: ClassVar[str] = "base"
    size: int
    name: str = "none"


def test_it_is_made_by_place_and_by_name_with_defaults() -> None:
    assert Base(1) == Base(size=1) == Base(1, name="none")
    assert Base(1) != Base(2)
    assert Base(1) != Like(1)
    assert (Base(3).doubled(), Base.kind, Derived.kind) == (6, "base", "derived")
    assert Derived(1, "x", {"a": 1}).more == {"a": 1}
    assert Derived(1).more is not Derived(1).more
    assert Derived(1) != Base(1)


@pytest.mark.parametrize("arguments", [((), {}), ((1, "a", "b"), {}), ((1,), {"size": 1}), ((1,), {"other": 1})])
def test_wrong_arguments_are_type_errors_as_of_a_dataclass(arguments: Any) -> None:
    for kind in (Base, Like):
        with pytest.raises(TypeError):
            kind(*arguments[0], **arguments[1])


def test_it_cannot_be_changed_and_takes_no_other_attribute() -> None:
    for name in ("size", "other"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(Base(1), name, 2)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(Base(1), name)
    assert not hasattr(Base(1), "__dict__")
    assert not hasattr(Derived(1), "__dict__")


def test_it_can_be_hashed_shown_copied_and_pickled() -> None:
    assert len({Base(1), Base(1), Base(2)}) == 2
    assert repr(Base(1)) == repr(Like(1)).replace("Like", "Base")
    one = Derived(1, more={"a": 1})
    one._memo["x"] = 1
    assert repr(one) == "Derived(size=1, name='none', more={'a': 1})"
    for again in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert again == one
        assert again._memo == {}


def test_dataclasses_take_it_for_one_of_theirs() -> None:
    assert dataclasses.is_dataclass(Base)
    assert dataclasses.is_dataclass(Base(1))
    assert [item.name for item in dataclasses.fields(Base)] == ["size", "name"]
    assert dataclasses.asdict(Base(1)) == dataclasses.asdict(Like(1))  # type: ignore[call-overload]
    assert dataclasses.replace(Derived(1), size=2) == replace(Derived(1), size=2) == Derived(2)  # type: ignore[type-var]
    assert [item.name for item in dataclasses.fields(Derived) if item.init] == ["size", "name", "more"]
    assert names(Derived) == names(Derived(1)) == ("size", "name", "more")


def test_it_matches_by_place() -> None:
    match Base(1, "a"):
        case Base(size, name):
            assert (size, name) == (1, "a")


def test_pydantic_validates_it() -> None:
    from advisor.recipe.recipe import ModelSource
    from advisor.recipe.steps.distillation import Distillation

    made_ = TypeAdapter(ModelSource).validate_python({"source": "x"})
    assert made_ == ModelSource("x")
    for wrong in ({}, {"source": ""}, {"source": 1}, {"source": "x", "more": 1}):
        with pytest.raises(ValidationError):
            TypeAdapter(ModelSource).validate_python(wrong, strict=True)
    assert TypeAdapter(Distillation).validate_python({}) == Distillation()


def test_advice_starts_without_what_the_standard_decorator_imports() -> None:
    code = "import sys; from advisor.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    command = [sys.executable, "-c", code, "--model", "t5", "--samples", "3000", "--device", "cpu"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # validates the pack where it is new
    loaded = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    heavy = ("dataclasses", "inspect", "ast", "hashlib", "rich", "pydantic", "ruamel.yaml", "torch")
    assert [name for name in heavy if name in loaded] == []
