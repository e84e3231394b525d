"""Description: a family as data. Exact sizes of any config of it, and what can be cut, without torch.

A file says which tensors there are under which flags of the config. Where a flag has a value that nobody tried, the
size is not known, and that is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

from advisor.base.errors import AdviseError, Fault
from advisor.base.frozen import frozen, made
from advisor.families.described import kept
from advisor.families.described.axes import sizes_in
from advisor.families.described.axes import value as arithmetic
from advisor.families.described.structure import PLACE, Row, Stack, Structure

Config = Mapping[str, Any]
Condition = Mapping[str, Sequence[str]]  # the kinds of values, by flag, under which a tensor is there
FOLDER = Path(__file__).parent
MALFORMED = (OSError, ValueError, LookupError, TypeError, AttributeError)  # what the data of no description raise
MODEL_TYPE = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
# Weights that are not those of the class, whatever the family: nothing can be said from sizes.
NEVER = ("auto_map", "quantization_config", "per_layer_config")
# Known for these values only: groups of DeBERTa-v2's convolution, whose weights follow hidden // groups; languages of
# XLM, which has a table for two and more.
KNOWN_FOR: Mapping[str, Sequence[int | None]] = {"conv_groups": (None, 1), "n_langs": (None, -1, 0, 1)}
OWN, SAME = "own", "same"  # the kinds of a width that may follow another one
ABSENT = "absent"
OLDER = "_dict"  # as in text_config_dict, which wins over text_config in transformers


@frozen
class Size:
    """Where a size comes from. key: of the config; usual: where it is missing; otherwise: an arithmetic of others."""

    key: str = ""
    usual: int | None = None
    otherwise: str = ""


@frozen
class Flag:
    """A key of the config on which tensors depend.

    usual: the kind of value where it is missing; covered: those tried; follows: the key of the size that a width may be
    the same as.
    """

    usual: str
    covered: tuple[str, ...]
    follows: str = ""


@frozen
class Tensor:
    """A row of the table. tasks: those whose class has it, empty for all; when: any of these conditions, or always."""

    name: str
    row: Row
    tasks: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()


@frozen
class Description:
    """One family. cuts: what `express` found: `possible`, `refused`, `notes`, `multiples`."""

    model_type: str
    transformers: str
    tasks: Mapping[str, str]
    stacks: Mapping[str, Size]
    shared: tuple[str, ...]
    sizes: Mapping[str, Size]
    flags: Mapping[str, Flag]
    tensors: tuple[Tensor, ...]
    cuts: Mapping[str, Any]
    lists: tuple[str, ...] = ()
    aliases: Mapping[str, str] = made(default_factory=dict)

    def structure(self, config: Config, task: str = "", labels: int = 2) -> Structure:
        """The tensors of a config. task: the Hub's name; without it, the family's first one.

        Raises:
            AdviseError: a flag or a size that nobody tried, or a task that transformers has no class for.
        """
        task = task or next(iter(self.tasks))
        if task not in self.tasks:
            raise AdviseError(f"{self.model_type}: transformers has no class for {task}", hint=", ".join(self.tasks))
        labels = 2 if task == "question-answering" else labels  # both ends of an answer
        given = self.given(config)
        kinds = self._kinds(given) | {"task": task}
        sizes = self._sizes(given, labels)
        rows = {
            tensor.name: tensor.row
            for tensor in self.tensors
            if (not tensor.tasks or task in tensor.tasks) and holds(tensor.when, kinds)
        }
        self._refuse_missing(rows.values(), sizes, given)
        return Structure(sizes, self._stacks(given), rows)

    def _refuse_missing(self, rows: Iterable[Row], sizes: Mapping[str, int], given: Config) -> None:
        missing = {name for row in rows for axis in row.axes for name in sizes_in(axis)} - sizes.keys()
        keys = [self.sizes[name].key for name in sorted(missing) if self.sizes[name].key]
        if missing:
            raise AdviseError(*(f"{key}: expected a whole number, got {given.get(key)!r}" for key in keys))

    def stacks_of(self, task: str) -> set[str]:
        """The names of the stacks that the class of a task has: an encoder of sounds goes without Whisper's decoder."""
        rows = [one.name for one in self.tensors if not one.tasks or task in one.tasks]
        used = {mark[0] for name in rows for mark in PLACE.findall(name)}
        return {name for name in self.stacks if name in self.shared or name in used}

    def parameters(self, config: Config, task: str = "", labels: int = 2) -> int:
        """The exact number of parameters of a config; errors as in `structure`."""
        return self.structure(config, task, labels).parameters()

    def uncovered(self, config: Config) -> list[str]:
        """The flags whose values nobody tried, as `key = value`."""
        given = self.given(config)
        found = [f"{key} = {given[key]!r}" for key in NEVER if given.get(key)]
        found += [f"{key} = {given[key]!r}" for key, values in KNOWN_FOR.items() if given.get(key) not in values]
        for key, flag in self.flags.items():
            if self._kind(key, flag, given) not in flag.covered:
                found.append(f"{key} = {given.get(key)!r}")
        return found

    def given(self, config: Config) -> dict[str, Any]:
        """What a config says, flattened, under the names that the class itself uses."""
        flat = flattened(config)
        return {**{self.aliases[key]: flat[key] for key in self.aliases if key in flat}, **flat}

    def same_as_leader(self, key: str, config: Config) -> bool:
        """Whether a width that may follow another size does."""
        return self._kind(key, self.flags[key], self.given(config)) == SAME

    def _kinds(self, given: Config) -> dict[str, str]:
        unknown = self.uncovered(given)
        if unknown:
            raise AdviseError(
                f"{self.model_type}: the size is not known: nobody tried {', '.join(unknown)}",
                hint="describe this config with `advise families add`",
            )
        return {key: self._kind(key, flag, given) for key, flag in self.flags.items()}

    def _kind(self, key: str, flag: Flag, given: Config) -> str:
        if flag.follows:
            leader = next(size for size in self.sizes.values() if size.key == flag.follows)
            own = given.get(key)
            return SAME if own is None and flag.usual == SAME else _same(own, key, given, leader, self.sizes)
        return kind(given[key]) if key in given else flag.usual

    def _stacks(self, given: Config) -> dict[str, Stack]:
        depths: dict[str, int] = {}
        for name, size in self.stacks.items():
            depths[name] = _of(size, given, depths, name)
        return {name: Stack(depth, self.stacks[name].key, name in self.shared) for name, depth in depths.items()}

    def _sizes(self, given: Config, labels: int) -> dict[str, int]:
        found: dict[str, int] = {"labels": labels}
        for name, size in self.sizes.items():
            said = given.get(size.key, size.usual) if size.key else None
            # One that no tensor of this config needs may be missing, or be no number.
            worked_out = said is None and size.otherwise and sizes_in(size.otherwise) <= found.keys()
            if _is_number(said) or worked_out:
                found[name] = _of(size, given, found, name)
        return found


def _same(own: Any, key: str, given: Config, leader: Size, sizes: Mapping[str, Size]) -> str:
    mine = own if own is not None else next((size.usual for size in sizes.values() if size.key == key), None)
    other = given.get(leader.key)
    return SAME if mine == (leader.usual if other is None else other) else OWN


def _of(size: Size, given: Config, others: Mapping[str, int], name: str) -> int:
    """A size of a config.

    Raises:
        AdviseError: it is missing, or no whole number.
    """
    said = given.get(size.key, size.usual) if size.key else None
    if said is None and size.otherwise:
        try:
            return arithmetic(size.otherwise, others)
        except (KeyError, ZeroDivisionError):
            raise AdviseError(f"{size.key or name}: cannot be worked out as {size.otherwise}") from None
    if not _is_number(said):
        raise AdviseError(f"{size.key or name}: expected a whole number, got {said!r}")
    return said


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def holds(conditions: Sequence[Condition], kinds: Mapping[str, str]) -> bool:
    """Whether any of the conditions holds; none at all means always."""
    return not conditions or any(all(kinds[key] in kept for key, kept in one.items()) for one in conditions)


def kind(value: Any) -> str:
    """What a value is, as far as tensors depend on it: `true`, `none`, `+` for any positive number, a word."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case int():
            return "+" if value > 0 else "0" if value == 0 else "-"
        case str():
            return "|".join(sorted(value.split("|")))
        case list() | tuple():
            return "|".join(sorted(map(str, value)))
    return type(value).__name__


def flattened(config: Config, prefix: str = "") -> dict[str, Any]:
    """A config with the keys of its parts as `text_config.hidden_size`."""
    found: dict[str, Any] = {}
    for key, value in sorted(config.items(), key=lambda item: item[0].endswith(OLDER)):
        part = key.removesuffix(OLDER)
        inside = part.endswith("_config") and isinstance(value, Mapping) and key not in NEVER
        found |= flattened(value, f"{prefix}{part}.") if inside else {prefix + key: value}
    return found


def names() -> list[str]:
    """The model types that a file describes, shipped or the user's own."""
    return sorted({file.stem for folder in kept.folders(FOLDER) for file in folder.glob("*.json")})


def shipped(model_type: str) -> bool:
    """Whether advise comes with a description of a model type, which is taken before any other."""
    return (FOLDER / f"{model_type}.json").is_file()


@cache
def find(model_type: str) -> Description | None:
    """The description of a model type, the shipped one first, what was kept of it last; None where no file has it.

    Raises:
        AdviseError: a file of the user's cannot be read.
    """
    if not MODEL_TYPE.fullmatch(model_type):  # it may come from anybody's config, and must name no other file
        return None
    for folder in kept.folders(FOLDER):
        file = folder / f"{model_type}.json"
        if file.is_file():
            return _load(file)
    return _kept(model_type)


def _kept(model_type: str) -> Description | None:
    """What was described when it was first met; a damaged one is made again."""
    try:
        data = kept.recall(model_type)
        return read(data) if data is not None and data["model_type"] == model_type else None
    except MALFORMED:
        return None


def _load(file: Path) -> Description:
    try:
        return read(json.loads(file.read_text(encoding="utf-8")))
    except MALFORMED as error:
        message = f"no description of a family ({type(error).__name__}: {error})"
        raise AdviseError(Fault(message, str(file), hint="make it again with `advise families add MODEL`")) from None


def read(data: Mapping[str, Any]) -> Description:
    """A description from the data of its file."""
    return Description(
        model_type=data["model_type"],
        transformers=data["transformers"],
        tasks=data["tasks"],
        stacks={name: Size(**size) for name, size in data["stacks"].items()},
        shared=tuple(data.get("shared", ())),
        sizes={name: Size(**size) for name, size in data["sizes"].items()},
        flags={key: Flag(**{**flag, "covered": tuple(flag["covered"])}) for key, flag in data["flags"].items()},
        tensors=tuple(_tensor(name, one) for one in data["tensors"] for name in [one["name"]]),
        cuts=data["cuts"],
        lists=tuple(data.get("lists", ())),
        aliases=data.get("aliases", {}),
    )


def _tensor(name: str, data: Mapping[str, Any]) -> Tensor:
    row = Row(tuple(data["axes"]), data.get("site", ""), data.get("counted", True))
    return Tensor(name, row, tuple(data.get("tasks", ())), tuple(data.get("when", ())))
