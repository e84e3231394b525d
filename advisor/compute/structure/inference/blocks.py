"""Blocks: which numbers in a model's names count blocks, and which key of the config each list of blocks follows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.inputs import answers, difference
from advisor.compute.structure.inference.sizes import DEPTH, role_of, scope_and_word
from advisor.compute.structure.inference.small import REFUSED, SmallConfigs
from advisor.compute.structure.inference.stock import Tensors

Blocks = Mapping[str, tuple[str, tuple[str, ...]]]  # by stack: the key for their number, and the paths before it
NUMBER = re.compile(r"\.\d+(?=\.|$)")


def find(class_: Any, small: SmallConfigs, base: Tensors) -> Blocks:
    """Which lists of blocks each key for a number makes longer. Other numbers that the class follows become sizes."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for key in small.depths:
        deeper = stock.built(class_, small.config(**{key: DEPTH + 1, **_longer(small)}))
        found[_stack_name(key, small)] = (key, _paths(deeper.shapes.keys() - base.shapes.keys()))
    for key, value in numbers(small):
        other = _other(class_, small, key, value)
        if other is None or other[1].shapes == base.shapes:
            continue
        more, tensors = other
        new = tensors.shapes.keys() - base.shapes.keys()
        if new and base.shapes.keys() <= tensors.shapes.keys():
            if paths := _paths(new):  # XLM has a table more with two languages
                found[key] = (key, paths)
        elif tensors.shapes.keys() == base.shapes.keys():
            third = _other(class_, small, key, more)
            small.others[key] = (value, more, third[0] if third else more)
    return found


def runs(class_: Any, small: SmallConfigs, model: Any, key: str) -> bool:
    """Whether one layer more changes the answers, though no tensor is new: layers that run the same block."""
    deeper = class_(small.config(**{key: DEPTH + 1})).eval()
    deeper.load_state_dict(model.state_dict())
    return difference(answers(model), answers(deeper)) > 0


def numbers(small: SmallConfigs) -> Iterator[tuple[str, int]]:
    """The whole numbers of a config that no role is known for."""
    known = {size.key for size in small.sizes} | small.depths.keys()
    for key, value in small.given.items():
        whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        # A head's size that is not free of the hidden size follows it.
        if whole and key not in known and not key.endswith("_token_id") and role_of(key) != "head":
            yield key, value


def pattern(name: str, blocks: Blocks) -> str:
    """A name with the number of its block as `{encoder}`."""
    place = _place(name, blocks)
    if not place:
        return name
    stack, path, rest = place
    return _inner(f"{path}.{{{stack}}}{rest}", stack, blocks)


def named(names: Iterable[str], blocks: Blocks) -> dict[str, str]:
    """The pattern of every tensor, saying in which blocks it stands.

    Raises:
        AdviseError: a tensor of some blocks only, in the middle of others.
    """
    patterns = {name: pattern(name, blocks) for name in names}
    seen: dict[str, list[int]] = {}
    for name, one in patterns.items():
        seen.setdefault(one, []).append(_number(name, blocks))
    return {name: _marked(one, seen[one], blocks) for name, one in patterns.items()}


def _marked(one: str, found: list[int], blocks: Blocks) -> str:
    stack = next((stack for stack in blocks if f"{{{stack}}}" in one), "")
    if not stack or len(set(found)) == DEPTH or "." in stack or blocks[stack][0] == stack:
        return one
    if found == [0]:
        return one.replace(f"{{{stack}}}", f"{{{stack}:0}}")
    if sorted(found) == list(range(min(found), DEPTH)):
        return one.replace(f"{{{stack}}}", f"{{{stack}:{min(found)}+}}")
    raise AdviseError(f"{one}: only blocks {found} have it, which advise cannot cut yet")


def _longer(small: SmallConfigs) -> dict[str, Any]:
    """Lists by layer with one entry more."""
    config = small.config().to_dict()
    longer = {key: [*one, one[-1]] for key, one in config.items() if isinstance(one, list) and len(one) == DEPTH}
    if config.get("attention_types"):
        longer["attention_types"] = [[longer["attention_layers"], 1]]
    return longer


def _paths(new: Iterable[str]) -> tuple[str, ...]:
    """The paths before the number of a block that is new."""
    found: dict[str, None] = {}
    for name in sorted(new):
        first = next((mark for mark in NUMBER.finditer(name) if mark[0] != ".0"), None)
        found |= {name[: first.start()]: None} if first else {}
    return tuple(found)


def _other(class_: Any, small: SmallConfigs, key: str, value: int) -> tuple[int, Tensors] | None:
    for more in (value + 1, 2 * value):
        try:
            return more, stock.built(class_, small.config(**{key: more}))
        except REFUSED:
            continue
    return None


def _stack_name(key: str, small: SmallConfigs) -> str:
    scope = scope_and_word(key)[0]
    if scope or len(small.depths) > 1:
        return scope or "encoder"
    tasks = stock.tasks_of(small.config())
    return "decoder" if "text-generation" in tasks and "fill-mask" not in tasks else "encoder"


def _place(name: str, blocks: Blocks) -> tuple[str, str, str] | None:
    """The stack that a name stands in, the path before the number, and what follows it."""
    for stack, (_, paths) in blocks.items():
        for path in paths:
            number, dot, rest = name[len(path) + 1 :].partition(".")
            if name.startswith(path + ".") and number.isdigit():
                return stack, path, dot + rest
    return None


def _number(name: str, blocks: Blocks) -> int:
    place = _place(name, blocks)
    return int(name[len(place[1]) + 1 :].partition(".")[0]) if place else 0


def _inner(outer: str, stack: str, blocks: Blocks) -> str:
    """Blocks in blocks, as ALBERT's groups have."""
    for other, (_, paths) in blocks.items():
        for path in paths:
            inside = re.escape(path).replace(r"\.0", rf"\.\{{{stack}\}}")
            match = re.match(rf"({inside})\.\d+(.*)", outer) if other != stack else None
            if match:
                return f"{match[1]}.{{{other}}}{match[2]}"
    return outer
