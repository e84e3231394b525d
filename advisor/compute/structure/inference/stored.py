"""Stored: the tensors of a checkpoint folder, read one at a time by the names that they have in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from advisor.base.errors import AdviseError, Fault
from advisor.compute.structure.inference.stock import Tensors, tensors_of
from advisor.families.described.structure import Structure

INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"


class Stored:
    """The tensors in a folder's safetensors files. Reading one copies that one alone.

    names: where each tensor of the model is: its name in the files. untied: names of tensors that the class ties to
    another one and that the files hold with values of their own.
    """

    def __init__(self, folder: Path, model: Any) -> None:
        self._folder = folder
        self._places = _places(folder)
        self.tensors = tensors_of(model)
        self.names = _names(self._places, model, self.tensors)
        self.untied = [name for name, owner in self.tensors.tied.items() if self._differ(name, owner)]

    def _differ(self, name: str, owner: str) -> bool:
        if name not in self.names or owner not in self.names or self.names[name] == self.names[owner]:
            return False
        return not torch.equal(self.read(name), self.read(owner))

    def read(self, name: str) -> Tensor:
        """One tensor.

        Raises:
            AdviseError: the files have none of this name.
        """
        if name not in self.names:
            raise AdviseError(Fault(f"{name} is missing", str(self._folder), hint="give a whole checkpoint"))
        stored = self.names[name]
        with _opened(self._folder / self._places[stored]) as file:
            found: Tensor = file.get_tensor(stored)
        return found

    def refuse_unfitting(self, structure: Structure) -> frozenset[str]:
        """The tensors outside the blocks that the files lack, as a pooler or a head that has to be trained yet.

        Raises:
            AdviseError: tensors of blocks are missing, or some have other shapes than the config says. No weight is
                read.
        """
        faults, lacking = [], set()
        for name, row, _ in structure.tensors():
            shape = structure.shape(row)
            if name not in self.names:
                lacking.add(name)
                if name not in structure.rows:
                    faults.append(Fault(f"{name} is missing", str(self._folder)))
            elif (actual := self._shape(name)) != shape:
                faults.append(Fault(f"{name} is {actual}, the config says {shape}", str(self._folder)))
        if faults:
            raise AdviseError(*faults[:5])
        return frozenset(lacking)

    def _shape(self, name: str) -> tuple[int, ...]:
        stored = self.names[name]
        with _opened(self._folder / self._places[stored]) as file:
            return tuple(file.get_slice(stored).get_shape())


def shapes(folder: Path, model: Any) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in a folder's files by its name in the model, from their headers.

    Empty where there are no safetensors, or transformers makes other tensors of them as it loads.

    Raises:
        any error: a file cannot be read.
    """
    found: dict[str, tuple[int, ...]] = {}
    for path in (folder / name for name in sorted(_files(folder))):
        if not path.is_file():
            return {}
        with safe_open(path, framework="pt") as file:
            found |= {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    try:
        own = _names(dict.fromkeys(found, ""), model, tensors_of(model))
    except AdviseError:
        return {}
    return {name: found[key] for name, key in own.items()}


def _files(folder: Path) -> set[str]:
    index = folder / INDEX
    return set(json.loads(index.read_bytes())["weight_map"].values()) if index.exists() else {WHOLE}


def _places(folder: Path) -> dict[str, str]:
    """The file of every tensor.

    Raises:
        AdviseError: there are no safetensors, or they cannot be read.
    """
    index = folder / INDEX
    if index.exists():
        return dict(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
    if not (folder / WHOLE).exists():
        raise AdviseError(Fault("no model.safetensors", str(folder), hint="save it with save_pretrained"))
    with _opened(folder / WHOLE) as file:
        return dict.fromkeys(file.keys(), WHOLE)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        file = safe_open(path, framework="pt")
    except Exception as error:  # safetensors raises an error of its own, outside any hierarchy
        raise AdviseError(Fault(f"cannot be read: {error}", str(path))) from None
    with file as opened:
        yield opened


def _names(places: Mapping[str, str], model: Any, tensors: Tensors) -> dict[str, str]:
    """The name in the files of every tensor of a model; transformers renames those of some models as it loads them."""
    from transformers.conversion_mapping import get_model_conversion_mapping
    from transformers.core_model_loading import WeightConverter, rename_source_key

    transforms = get_model_conversion_mapping(model)
    converters = [one for one in transforms if isinstance(one, WeightConverter)]
    renamings = [one for one in transforms if not isinstance(one, WeightConverter)]
    state = dict.fromkeys([*tensors.shapes, *tensors.tied], True)
    found = {}
    for stored in places:
        name, converted = rename_source_key(stored, renamings, converters, model.base_model_prefix, state)
        if converted is not None:
            raise AdviseError(f"{stored}: transformers makes other tensors of it as it loads, which advise cannot cut")
        found[name] = stored
    for name, owner in tensors.tied.items():  # a file may hold a tied tensor by any of its names
        if owner not in found and name in found:
            found[owner] = found[name]
    return {name: stored for name, stored in found.items() if name in state}
