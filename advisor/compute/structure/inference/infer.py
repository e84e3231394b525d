"""Infer: the structure of any model that transformers can build, from its config alone.

The stock class is built on the meta device under three settings of small sizes; which lengths grow with which size says
what every axis follows, and which names come with one block more says what the blocks are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from advisor.compute.structure.inference import inputs, stock
from advisor.compute.structure.inference.attention import NUMBER, attentions
from advisor.compute.structure.inference.inputs import answers
from advisor.compute.structure.inference.labels import Unlabelled, label
from advisor.compute.structure.inference.sizes import DEPTH, scope_and_word
from advisor.compute.structure.inference.small import REFUSED, SETTINGS, SmallConfigs, with_heads
from advisor.compute.structure.inference.stock import Tensors
from advisor.errors import AdviseError
from advisor.families.described.structure import Row, Stack, Structure

Choice = tuple[str, int]  # a row and one of its axes


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a config says of its model.

    structure: with the more usual groupings. small: the configs it was inferred from. choices: other groupings, which
    the proof has to try, by the axes that have to change together. places: where names hold the number of a block.
    """

    class_: Any
    config: Any
    structure: Structure
    small: SmallConfigs = field(repr=False)
    choices: tuple[Mapping[Choice, tuple[str, ...]], ...] = field(default=(), repr=False)
    refused: Mapping[str, str] = field(default_factory=dict)

    def at(self, setting: int, structure: Structure | None = None) -> Structure:
        """The structure of a small model."""
        known = structure or self.structure
        return known.resized(dict.fromkeys(self.depths(), DEPTH), **self.small.values(setting))

    def depths(self) -> list[str]:
        return [name for name, stack in self.structure.stacks.items() if stack.key in self.small.depths]


def infer(config: Any, class_: Any = None) -> Inferred:
    """The structure of the stock class (default: of the family's first task) with this config.

    Raises:
        AdviseError: the class refuses small sizes, an axis follows nothing that is known, or blocks differ.
    """
    class_ = class_ or stock.class_of(config)
    small = SmallConfigs(config, _has_free_heads(config, class_))
    try:
        return _infer(config, class_, small)
    except REFUSED as error:
        raise AdviseError(f"{class_.__name__}: its structure cannot be inferred: {error}") from error


def _infer(config: Any, class_: Any, small: SmallConfigs) -> Inferred:
    base = stock.built(class_, small.config())
    blocks = _blocks(class_, small, base)
    settings = [stock.built(class_, small.config(setting)) for setting in SETTINGS]
    lengths = _lengths(settings)
    model = class_(small.config()).eval()
    rows, choices = _rows(model, lengths, base, blocks, small, _main_heads(small))
    stacks = {
        name: Stack(small.given[key], key, shared=not paths)
        for name, (key, paths) in blocks.items()
        if paths or _runs(class_, small, model, key)
    }
    sizes = _sizes(config, small)
    tied = _tied(base.tied, blocks)
    structure = Structure(sizes, stacks, rows, tied)
    _compare(structure, class_, config)
    return Inferred(class_, config, structure, small, tuple(choices), _refusals(model, structure))


def _has_free_heads(config: Any, class_: Any) -> bool:
    """Whether heads x head size may differ from the hidden size: the config has a key for it that the class follows."""
    fixed, free = SmallConfigs(config, False), SmallConfigs(config, True)
    if not any(size.name == "heads" for size in free.sizes):
        return False
    try:
        with stock.reading() as names:
            before = stock.built(class_, fixed.config())
        key = next((size.key for size in free.sizes if size.name == "head"), "")
        if key not in names and key not in fixed.given:
            return False
        after = class_(free.config()).eval()
        answers(after)
        longer = stock.built(class_, free.config(**{key: 2 * free.values(0)["head"]}))
    except REFUSED:
        return False
    shapes = stock.tensors_of(after).shapes
    # BERT and others take a head size, and ignore it.
    return shapes.keys() == before.shapes.keys() and shapes != longer.shapes


Blocks = Mapping[str, tuple[str, tuple[str, ...]]]  # by stack: the key for their number, and the paths before it


def _blocks(class_: Any, small: SmallConfigs, base: Tensors) -> Blocks:
    """Which lists of blocks each key for a number makes longer; other numbers that the class follows become sizes."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for key in small.depths:
        names = _new(class_, small, base, {key: DEPTH + 1, **_longer(small, key)})
        found[_stack_name(key, small)] = (key, _paths(names))
    for key, value in _numbers(small):
        other = _other(class_, small, key, value)
        if other is None or other[1].shapes == base.shapes:
            continue
        more, tensors = other
        new = sorted(tensors.shapes.keys() - base.shapes.keys())
        if new and not base.shapes.keys() - tensors.shapes.keys():
            found[key] = (key, _paths(new))
        elif tensors.shapes.keys() == base.shapes.keys():
            small.others[key] = (value, more, _third(class_, small, key, more))
    return found


def _longer(small: SmallConfigs, key: str) -> dict[str, Any]:
    """Lists by layer with one entry more."""
    config = small.config().to_dict()
    found = {one: [*entries, entries[-1]] for one, entries in config.items() if _is_by_layer(entries)}
    if config.get("attention_types"):
        found["attention_types"] = [[found["attention_layers"], 1]]
    return found


def _is_by_layer(entries: Any) -> bool:
    return isinstance(entries, list) and len(entries) == DEPTH


def _new(class_: Any, small: SmallConfigs, base: Tensors, changes: Mapping[str, Any]) -> list[str]:
    return sorted(stock.built(class_, small.config(**changes)).shapes.keys() - base.shapes.keys())


def _paths(names: list[str]) -> tuple[str, ...]:
    """The paths before the number of a block that is new."""
    found: dict[str, None] = {}
    for name in names:
        # The first number under which nothing was there before is the new block's.
        for mark in NUMBER.finditer(name):
            if int(name[mark.start() + 1 : mark.end()]) > 0:
                found[name[: mark.start()]] = None
                break
    return tuple(found)


def _numbers(small: SmallConfigs) -> Iterator[tuple[str, int]]:
    """The whole numbers of a config that no role is known for."""
    known = {size.key for size in small.sizes} | small.depths.keys()
    for key, value in small.given.items():
        whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        if whole and key not in known and not key.endswith("_token_id"):
            yield key, value


def _other(class_: Any, small: SmallConfigs, key: str, value: int) -> tuple[int, Tensors] | None:
    for more in (value + 1, 2 * value):
        try:
            return more, stock.built(class_, small.config(**{key: more}))
        except REFUSED:
            continue
    return None


def _third(class_: Any, small: SmallConfigs, key: str, second: int) -> int:
    other = _other(class_, small, key, second)
    return other[0] if other else second


def _stack_name(key: str, small: SmallConfigs) -> str:
    scope = scope_and_word(key)[0]
    if scope:
        return scope
    if len(small.depths) > 1:
        return "encoder"
    return "decoder" if _is_decoder(small) else "encoder"


def _is_decoder(small: SmallConfigs) -> bool:
    tasks = stock.tasks_of(small.config())
    return "text-generation" in tasks and "fill-mask" not in tasks


def _runs(class_: Any, small: SmallConfigs, model: Any, key: str) -> bool:
    """Whether one layer more changes the answers, though no tensor is new: layers that run the same block."""
    deeper = class_(small.config(**{key: DEPTH + 1})).eval()
    deeper.load_state_dict(model.state_dict())
    return inputs.difference(answers(model), answers(deeper)) > 0


def _lengths(settings: list[Tensors]) -> dict[str, tuple[tuple[int, ...], ...]]:
    """The lengths of every tensor's axes in the three settings."""
    names = settings[0].shapes.keys()
    if any(one.shapes.keys() != names for one in settings):
        raise AdviseError("its tensors differ with its sizes, not only their shapes")
    return {name: tuple(zip(*(one.shapes[name] for one in settings), strict=True)) for name in names}


def _main_heads(small: SmallConfigs) -> str:
    return next((size.name for size in small.sizes if size.name.rpartition("_")[2] == "heads"), "")


def _rows(
    model: Any,
    lengths: Mapping[str, tuple[tuple[int, ...], ...]],
    base: Tensors,
    blocks: Blocks,
    small: SmallConfigs,
    heads: str,
) -> tuple[dict[str, Row], list[dict[Choice, tuple[str, ...]]]]:
    settings = [small.values(setting) for setting in SETTINGS]
    found = attentions(model, lambda name: _pattern(name, blocks) != name, lambda one: answers(one))
    marks = {tensor: (one.name, axes) for one in found for tensor, axes in one.heads.items()}
    rows: dict[str, Row] = {}
    seen: dict[str, list[int]] = {}
    choices: dict[str, dict[Choice, tuple[str, ...]]] = {}
    for name, axes in lengths.items():
        pattern = _pattern(name, blocks)
        site, holds = marks.get(name, ("", (False,) * len(axes)))
        own = _heads_of(pattern, heads, settings[0])
        try:
            labels = [label(one, settings, own, mark) for one, mark in zip(axes, holds, strict=True)]
        except Unlabelled as error:
            raise AdviseError(f"{name}: what an axis follows is not clear: {error}") from None
        row = Row(tuple(one[0] for one in labels), _site(pattern, site, labels, blocks), name in base.counted)
        if pattern in rows and rows[pattern].axes != row.axes:
            raise AdviseError(f"{name}: its shape is not that of the other blocks, which advise cannot cut yet")
        rows.setdefault(pattern, row)
        seen.setdefault(pattern, []).append(_block(name, blocks))
        for axis, groupings in enumerate(labels):
            if len(groupings) > 1:
                choices.setdefault(row.site + groupings[0], {})[pattern, axis] = groupings
    renamed = {pattern: _with_blocks(pattern, numbers, blocks) for pattern, numbers in seen.items()}
    return (
        _alike({renamed[pattern]: row for pattern, row in rows.items()}),
        [{(renamed[row], axis): one for (row, axis), one in group.items()} for group in choices.values()],
    )


def _heads_of(pattern: str, heads: str, sizes: Mapping[str, int]) -> str:
    """The heads of the part of the model that a tensor stands in."""
    scope = next((one for one in ("decoder", "vision") if one in pattern.split(".")[:-1] or f"{{{one}}}" in pattern), "")
    scope = scope or ("vision" if pattern.startswith("vision") else "")
    return f"{scope}_heads" if f"{scope}_heads" in sizes else heads


def _pattern(name: str, blocks: Blocks) -> str:
    """A name with the number of its block as `{encoder}`."""
    for stack, (_, paths) in blocks.items():
        for path in paths:
            if name.startswith(path + "."):
                rest = name[len(path) + 1 :]
                number, dot, rest = rest.partition(".")
                if number.isdigit():
                    return _inner(f"{path}.{{{stack}}}{dot}{rest}", stack, blocks)
    return name


def _inner(pattern: str, stack: str, blocks: Blocks) -> str:
    """Blocks in blocks, as ALBERT's groups have."""
    for other, (_, paths) in blocks.items():
        for path in paths:
            generic = re.escape(path).replace(r"\.0", rf"\.\{{{stack}\}}")
            match = re.match(rf"({generic})\.\d+(.*)", pattern) if other != stack else None
            if match:
                return f"{match[1]}.{{{other}}}{match[2]}"
    return pattern


def _block(name: str, blocks: Blocks) -> int:
    for _, paths in blocks.values():
        for path in paths:
            if name.startswith(path + ".") and name[len(path) + 1 :].partition(".")[0].isdigit():
                return int(name[len(path) + 1 :].partition(".")[0])
    return 0


def _with_blocks(pattern: str, numbers: list[int], blocks: Blocks) -> str:
    """A name that says in which blocks the tensor stands."""
    stack = next((one for one in blocks if f"{{{one}}}" in pattern), "")
    if not stack or len(set(numbers)) == DEPTH or stack not in ("encoder", "decoder", "text", "vision", "audio"):
        return pattern
    first = min(numbers)
    if numbers == [0]:
        return pattern.replace(f"{{{stack}}}", f"{{{stack}:0}}")
    if sorted(numbers) == list(range(first, DEPTH)):
        return pattern.replace(f"{{{stack}}}", f"{{{stack}:{first}+}}")
    raise AdviseError(f"{pattern}: only blocks {numbers} have it, which advise cannot cut yet")


def _site(pattern: str, attention: str, labels: list[tuple[str, ...]], blocks: Blocks) -> str:
    """The module whose units are chosen by themselves: the attention, or the block for neurons."""
    text = " ".join(one[0] for one in labels)
    if attention and re.search(r"heads|kv", text):
        return _pattern(attention, blocks)
    block = re.match(r".*?\{\w+\}(?:\.\w+\.\{\w+\})?", pattern)
    return block[0] if block and "ffn" in text else ""


def _alike(rows: Mapping[str, Row]) -> dict[str, Row]:
    """Attentions that share a table of their heads have to keep the same ones: T5's and MPNet's position biases."""
    found = dict(rows)
    for pattern, row in rows.items():
        table = [axis for axis in row.axes if axis.endswith("heads") and ":" not in axis]
        if not table or (row.site and not re.search(r"\{\w+:0\}", pattern)):
            continue
        shared = row.site or next((one.site for one in rows.values() if f"{table[0]}:" in " ".join(one.axes)), "")
        common = re.sub(r"\{\w+\}", "*", shared)
        for name, one in rows.items():
            if one.site == shared or name == pattern:
                found[name] = replace(one, site=common)
    return found


def _tied(tied: Mapping[str, str], blocks: Blocks) -> dict[str, str]:
    return {name: owner for name, owner in tied.items() if _pattern(name, blocks) == name}


def _sizes(config: Any, small: SmallConfigs) -> dict[str, int]:
    """The real sizes by name."""
    found = {size.name: small.given[size.key] for size in small.sizes if small.given.get(size.key) and not size.follows}
    found |= {key.replace(".", "_"): small.given[key] for key in small.others}
    if "ffn" not in found and any(size.name == "ffn" for size in small.sizes):
        found["ffn"] = 4 * found["hidden"]
    labels = {} if "num_labels" in found else {"labels": config.num_labels}
    return with_heads({**found, **labels})


def _compare(structure: Structure, class_: Any, config: Any) -> None:
    """The structure is that of the given config too, not only of small ones."""
    real = stock.built(class_, config)
    wrong = sorted(structure.shapes().items() ^ real.shapes.items())
    if wrong:
        raise AdviseError(f"{class_.__name__}: {wrong[0][0]} has not the shape that small models of it suggest")


def _refusals(model: Any, structure: Structure) -> dict[str, str]:
    """Axes that are refused by name, whatever the proof would say."""
    found: dict[str, str] = {}
    for name, module in model.named_modules():
        kind = type(module).__name__
        if isinstance(module, torch.nn.Conv1d | torch.nn.Conv2d) and module.groups > 1:
            found["hidden"] = f"{name} is a grouped convolution"
        if re.search(r"Experts|MoE|Moe|SparseMLP", kind):
            found["ffn"] = f"{name} is a mixture of experts ({kind})"
        if re.search(r"Mamba|SSM|DeltaNet|RgLru|Recurrent", kind):
            found |= dict.fromkeys(("ffn", "heads", "hidden"), f"{name} is no attention ({kind})")
    return found
