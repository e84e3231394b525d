"""Checkpoint: cut the model in a folder, without holding more than the smaller model and one tensor of the larger.

What was proven of a small model of the same class and flags is cut; everything else is refused before weights are read.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import transformers
from torch import Tensor

from advisor.base.errors import AdviseError, Fault
from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.cutting import Cut, smaller, taken, untied
from advisor.compute.structure.inference.express import Cuts, express
from advisor.compute.structure.inference.infer import Inferred, infer
from advisor.compute.structure.inference.norms import rescaled
from advisor.compute.structure.inference.proof import Proof, prove
from advisor.compute.structure.inference.stored import Stored
from advisor.families.described.structure import Structure

CONFIG = "config.json"
CARRIED = ("*.json", "*.txt", "*.model", "*.spm", "*.jinja")  # tokenizer, processor, generation settings


@dataclass(frozen=True, slots=True)
class Subject:
    """A checkpoint folder and what was proven of it. values: of its config.json."""

    folder: Path
    values: Mapping[str, Any]
    proof: Proof
    cuts: Cuts

    @property
    def structure(self) -> Structure:
        return self.proof.structure


def describe(folder: Path, task: str = "") -> Subject:
    """Infer and prove the structure of the model in a folder, from its config alone.

    task: the Hub's name of one, where another class than that which saved the checkpoint is meant.

    Raises:
        AdviseError: no config that transformers can read, remote code, a class without the head, weights that were
            quantized, or a structure that cannot be inferred.
    """
    values = _read(folder)
    config = stock.config_of(values)
    class_ = stock.class_of(config, task) if task else _saved_class(values) or stock.class_of(config)
    proof = prove(infer(config, class_))
    return Subject(folder, values, proof, express(proof))


def _read(folder: Path) -> dict[str, Any]:
    file = folder / CONFIG
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AdviseError(Fault(f"cannot be read: {error}", str(file))) from None
    if not isinstance(values, dict):
        raise AdviseError(Fault("no config of a model", str(file)))
    if values.get("auto_map"):
        raise AdviseError(
            Fault("auto_map: the model's class comes with the checkpoint, which advise never runs", str(file))
        )
    if values.get("quantization_config"):
        raise AdviseError(Fault("quantization_config: its weights are quantized already", str(file)))
    return values


def _saved_class(values: Mapping[str, Any]) -> Any:
    """The class that saved a checkpoint, None where it is not one of transformers'."""
    named = values.get("architectures")
    name = named[0] if isinstance(named, list) and named else ""
    found = getattr(transformers, name, None)
    return found if hasattr(found, "from_pretrained") else None


def refuse(subject: Subject, cut: Cut) -> None:
    """Raise an AdviseError for all that was not proven, or that no config of the family can say; reads no weights."""
    cuts, structure = subject.cuts, subject.structure
    units = {unit for unit, _ in cut.kept}
    stacks = [f"layers.{stack}" for stack in {*cut.blocks, *cut.depths}]
    faults = [Fault(f"{name}: {cuts.refused.get(name, 'not proven')}") for name in stacks if name not in cuts.possible]
    for unit in sorted(units):
        alone, together = unit in cuts.possible, f"{unit}+heads" in cuts.possible
        goes_along = any(f"{other}+heads" in cuts.possible for other in units)
        if not (alone or together or goes_along):
            faults.append(Fault(f"{unit}: {cuts.refused.get(unit, 'not proven')}"))
    sizes = cut.apply(structure).sizes
    for name, of in cuts.multiples.items():
        if sizes[name] % sizes[of]:
            faults.append(Fault(f"{name} {sizes[name]} cannot be divided by {of} {sizes[of]}"))
    faults += [
        Fault(
            f"{unit} {sizes[unit]} is not {heads} {sizes[heads]} x {structure.sizes[head]}: a config has nothing else"
        )
        for unit, heads, head in _coupled(units, cuts, sizes)
        if sizes[unit] != sizes[heads] * structure.sizes[head]
    ]
    if faults:
        raise AdviseError(*faults)


def _coupled(units: set[str], cuts: Cuts, sizes: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """Hidden sizes that are heads x head size."""
    found = []
    for name in cuts.possible:
        unit = name.removesuffix("+heads")
        scope = unit.removesuffix("hidden")
        if name.endswith("+heads") and unit in units:
            found += [
                (unit, f"{one}heads", f"{one}head") for one in {scope, scope or "decoder_"} if f"{one}heads" in sizes
            ]
    return found


def cut_checkpoint(subject: Subject, out: Path, cut: Cut, rescale: bool = False) -> int:
    """Write the smaller model into a new folder, whole or not at all, and prove that it comes back the same.

    rescale: multiply the weights of RMS norms by sqrt(N / N') where hidden channels go. Returns the number of
    parameters.

    Raises:
        AdviseError: the cut was not proven, the weights are not those of the config, or the result does not hold.
    """
    if out.exists():
        raise AdviseError(Fault("exists", str(out), hint="give a new folder"))
    refuse(subject, cut)
    inferred = replace(subject.proof.inferred, structure=subject.structure)
    values = smaller(inferred, subject.values, cut)
    stored = Stored(subject.folder, stock.on_meta(inferred.class_, inferred.config))
    structure = untied(subject.structure, [name for name in stored.untied if name in subject.structure.tied])
    lacking = stored.refuse_unfitting(structure)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as draft:
        folder = Path(draft) / out.name
        tensors = _taken(stored, structure, cut, lacking)
        tensors = rescaled(tensors, inferred, cut) if rescale else tensors
        _write(folder, subject, inferred, values, tensors)
        count = check(folder, inferred.class_, cut.apply(structure).parameters(), lacking)
        folder.rename(out)
    return count


def _taken(stored: Stored, structure: Structure, cut: Cut, lacking: frozenset[str]) -> dict[str, Tensor]:
    slices = structure.slices(cut.kept, cut.blocks)
    return {one.name: taken(stored.read(one.source), one).contiguous() for one in slices if one.source not in lacking}


def _write(
    folder: Path, subject: Subject, inferred: Inferred, values: Mapping[str, Any], tensors: dict[str, Tensor]
) -> None:
    model = stock.on_meta(inferred.class_, stock.config_of(values))
    model.save_pretrained(folder, state_dict=tensors)
    for pattern in CARRIED:
        for file in subject.folder.glob(pattern):
            if not (folder / file.name).exists() and not file.name.endswith(".index.json"):
                shutil.copy2(file, folder / file.name)
    # The values as they were: transformers 5.24 forgets as it saves that T5 1.1 does not scale its answers.
    (folder / CONFIG).write_text(json.dumps(dict(values), indent=2) + "\n", encoding="utf-8")


def check(folder: Path, class_: Any, predicted: int, lacking: frozenset[str] = frozenset()) -> int:
    """Load what was written with its stock class. lacking: tensors that the larger checkpoint was without, too.

    Raises:
        AdviseError: tensors are missing or left over, or the number of parameters is not the predicted one.
    """
    model, info = class_.from_pretrained(folder, output_loading_info=True, local_files_only=True)
    wrong = [name for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") for name in info[kind]]
    if wrong := sorted({*wrong} - lacking):
        raise AdviseError(f"the smaller model does not reload whole: {wrong[0]}")
    count: int = sum(one.numel() for one in model.parameters())
    if count != predicted:
        raise AdviseError(f"the smaller model has {count:,} parameters, {predicted:,} were predicted")
    return count
