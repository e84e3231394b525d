"""Weight files: which files the weights of a checkpoint come from, refused unless they are safetensors in its folder.

transformers follows the index of a sharded checkpoint wherever it leads, and opens what it finds there as a pickle if
the name does not end in `.safetensors`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from advisor.base.errors import AdviseError, Fault
from advisor.base.unsafe_files import holds_pickle
from advisor.compute.structure.loading_checks import HINT

WEIGHTS, INDEX, ADAPTER = "model.safetensors", "model.safetensors.index.json", "adapter_config.json"
SAFE = "save the weights as safetensors: model.save_pretrained(folder) of transformers writes nothing else"
MERGE = "merge the adapter into the model (merge_and_unload of PEFT) and save the model"
LARGEST_INDEX = 2**26  # bytes; that of a model with 100,000 tensors has 8 MB
NAMED = 3


def refuse_unsafe_weights(folder: Path) -> None:
    """Raise an AdviseError where the weights are a pickle or would come from files outside the folder.

    Nothing else in the folder is looked at: code and pickles beside safetensors are never opened.
    """
    faults = list(_faults(folder))
    if faults:
        raise AdviseError(*faults)


def _faults(folder: Path) -> Iterator[Fault]:
    if (folder / ADAPTER).is_file():
        yield Fault("an adapter, whose weights are not those of the model alone", str(folder / ADAPTER), hint=MERGE)
    if (folder / WEIGHTS).is_file():
        if holds_pickle(folder / WEIGHTS):
            yield Fault("cannot be loaded: its weights are a pickle", str(folder / WEIGHTS), hint=HINT)
    elif (folder / INDEX).is_file():
        yield from _of_index(folder / INDEX)
    elif pickled := sorted(path.name for path in folder.glob("*.bin") if path.is_file() and holds_pickle(path)):
        message = f"cannot be loaded: its weights are a pickle, {_listed(pickled)}, which can run code when it is read"
        yield Fault(message, str(folder), hint=HINT)


def _of_index(index: Path) -> Iterator[Fault]:
    try:
        text = index.read_bytes() if index.stat().st_size <= LARGEST_INDEX else b""
        shards = sorted(set(json.loads(text)["weight_map"].values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        message = "cannot be loaded: expected a JSON mapping with weight_map, from tensors to files"
        yield Fault(message, str(index), hint="copy the file again from its source")
        return
    wrong = [name for name in shards if not _stays(name)]
    if wrong:
        message = f"cannot be loaded: expected .safetensors files in the same folder, got {_listed(wrong)}"
        yield Fault(message, str(index), hint=SAFE)
    for name in shards:
        if name not in wrong and not (index.parent / name).is_file():
            yield Fault(f"cannot be loaded: {name} is missing", str(index), hint="copy this file, too")
        elif name not in wrong and holds_pickle(index.parent / name):
            yield Fault("cannot be loaded: its weights are a pickle", str(index.parent / name), hint=SAFE)


def _stays(name: object) -> bool:
    """Whether this is the plain name of a safetensors file: no folder, no way out."""
    return isinstance(name, str) and name.endswith(".safetensors") and Path(name).name == name and "\\" not in name


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(map(str, names[:NAMED])) + rest
