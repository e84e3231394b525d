"""Frozen value classes that are quick to define: `@frozen` does what `@dataclass(frozen=True, slots=True)` does.

The standard decorator imports `inspect` and compiles six functions for each class: a third of the start-up of
`advise`. Classes made here share their methods. To `dataclasses` and pydantic they are dataclasses, described as
such when one of these asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, dataclass_transform

T = TypeVar("T")
DESCRIPTIONS = ("__dataclass_fields__", "__dataclass_params__")


class _Made(NamedTuple):
    """The default of a field: made anew for each object. init: it may be given; else it has no part in equality."""

    default_factory: Callable[[], Any]
    init: bool


def made(*, default_factory: Callable[[], T], init: bool = True) -> T:
    """A default that is made anew for each object, as of a mapping."""
    return _Made(default_factory, init)  # type: ignore[return-value]


@dataclass_transform(frozen_default=True, field_specifiers=(made,))
def frozen(cls: type[T]) -> type[T]:
    """The class as one of frozen values with slots; fields are its annotations, those of its bases first."""
    own = {name: hint for name, hint in cls.__annotations__.items() if not str(hint).startswith("ClassVar")}
    body = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    defaults = {name: body.pop(name) for name in own if name in body}
    base = next((one for one in cls.__mro__[1:] if "_fields" in one.__dict__), None)
    fields = {**getattr(base, "_fields", {}), **own}
    defaults = {**getattr(base, "_defaults", {}), **defaults}
    hidden = {name for name, value in defaults.items() if isinstance(value, _Made) and not value.init}
    shown = tuple(name for name in fields if name not in hidden)
    body |= {"__slots__": tuple(own), "_fields": fields, "_defaults": defaults, "_shown": shown}
    body |= {"__match_args__": shown, **{name: _Described(name) for name in DESCRIPTIONS}}
    kind: Any = type(cls)
    new: type[T] = kind(cls.__name__, cls.__bases__, {**_METHODS, **body})
    return new


def names(value: Any) -> tuple[str, ...]:
    """The names of the fields of a value, or of its class, in order."""
    kind: Any = value if isinstance(value, type) else type(value)
    found: tuple[str, ...] = kind._shown
    return found


def replace(value: T, **changes: Any) -> T:
    """The value with other fields."""
    return type(value)(**{**{name: getattr(value, name) for name in names(value)}, **changes})


def _init(self: Any, *args: Any, **kwargs: Any) -> None:
    kind = type(self)
    shown: tuple[str, ...] = kind._shown
    given = dict(zip(shown, args, strict=False))
    if wrong := [name for name in kwargs if name in given or name not in shown]:
        raise TypeError(f"{kind.__name__}() got an unexpected or repeated argument {wrong[0]!r}")
    if len(args) > len(shown):
        raise TypeError(f"{kind.__name__}() takes {len(shown)} arguments, got {len(args)}")
    values = kind._defaults | given | kwargs
    for name in kind._fields:
        if name not in values:
            raise TypeError(f"{kind.__name__}() misses the argument {name!r}")
        value = values[name]
        object.__setattr__(self, name, value.default_factory() if type(value) is _Made else value)


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in type(self)._shown])


def _equal(self: Any, other: object) -> Any:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(tuple([value for value in _values(self) if not isinstance(value, dict)]))  # a mapping has no hash


def _repr(self: Any) -> str:
    parts = (f"{name}={getattr(self, name)!r}" for name in type(self)._shown)
    return f"{type(self).__qualname__}({', '.join(parts)})"


def _refuse(self: Any, name: str, *_: Any) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot change field {name!r}")


_METHODS = {
    "__init__": _init,
    "__eq__": _equal,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__reduce__": lambda self: (type(self), _values(self)),
}


class _Described:
    """What `dataclasses` knows of a class: taken from a twin that it makes itself, once somebody asks."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: Any) -> Any:
        import dataclasses

        space: dict[str, Any] = {"__annotations__": dict(owner._fields), "__module__": owner.__module__}
        for name, value in owner._defaults.items():
            space[name] = dataclasses.field(**value._asdict()) if isinstance(value, _Made) else value
        twin: Any = dataclasses.dataclass(frozen=True)(type(owner.__name__, (), space))
        for name in DESCRIPTIONS:
            setattr(owner, name, getattr(twin, name))
        return getattr(owner, self.name)
