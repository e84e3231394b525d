"""Make a smaller model of a larger one: whole blocks go, or rows and columns; never masks.

Only what was proven of a small model of the same class and flags is cut. A new model of the stock class is built from
the smaller config and filled with slices of the old weights, so block numbers, caches and position biases are right by
construction (T5's relative bias lives in block 0 of each stack and is always taken from there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from advisor.base.errors import AdviseError, Fault
from advisor.compute.structure.inference.cutting import Cut, cut_model
from advisor.compute.structure.proven import proven, structure_of
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.writing import writing_as
from advisor.families.described.structure import Kept


def keep_layers(student: Scorer, kept: Mapping[str, Sequence[int]]) -> Scorer:
    """A model of the kept blocks, in their order. kept: old block numbers by stack.

    Raises:
        AdviseError: a list of the config says something of each block that nobody knows, or one of them has to stay.
    """
    stacks = structure_of(student.model).stacks
    blocks = {stack: numbers for stack, numbers in kept.items() if not stacks[stack].shared}
    depths = {stack: len(numbers) for stack, numbers in kept.items() if stacks[stack].shared}
    return _cut(student, Cut(blocks=blocks, depths=depths))


def narrow(student: Scorer, kept: Kept) -> Scorer:
    """A model of the kept units, by name and site.

    Raises:
        AdviseError: units that nobody has proven, or that no config of the class can express.
    """
    refused = proven(type(student.model), student.model.config).refused
    faults = [Fault(f"{unit}: {refused[unit]}") for unit in sorted({unit for unit, _ in kept}) if unit in refused]
    if faults:
        raise AdviseError(*faults)
    scorer = _cut(student, Cut(kept=kept))
    if ("hidden", "") in kept:
        places = torch.tensor(kept["hidden", ""], device=student.channels.device)
        scorer.channels = student.channels[places]
    return scorer


def _cut(student: Scorer, cut: Cut) -> Scorer:
    model: Any = student.model
    structure = structure_of(model)
    inferred = replace(proven(type(model), model.config).inferred, structure=structure)
    found = writing_as(cut_model(model, inferred, cut), model)
    # Whisper's times of words are read from heads by their numbers, of which some may be gone.
    vars(getattr(found, "generation_config", found)).pop("alignment_heads", None)
    scorer = student.around(found)
    scorer.channels = student.channels
    scorer.to(model.device)
    return scorer
