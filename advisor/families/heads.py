"""Heads: a family's table of tensors with the head of another task than text classification.

The described families say which tensors each of transformers' classes has. What those classes do not share with the
one for text classification is taken out of the family's table, or put in.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from advisor.families import registry
from advisor.families.described import description
from advisor.families.described.description import Description
from advisor.families.family import Config, Family, Tensors

CLASSIFIES = "text-classification"
OF_FAMILIES = (None, CLASSIFIES)  # their tables have this head already
LABELS = "labels"


@cache
def with_head(family: Family, task: str | None) -> Family:
    """The family with the head of a task; the same one where it is not known what that head is made of."""
    one = None if task in OF_FAMILIES else description.find(family.model_type)
    if one is None or task not in one.tasks or CLASSIFIES not in one.tasks:
        return family
    found: Family = replace(family, tensors=lambda config: _tensors(family, one, str(task), config))
    return found


def has_head(family: str, task: str) -> bool:
    """Whether transformers has a class of this family for a task."""
    one = description.find(family)
    return registry.find(family) is not None and (task in OF_FAMILIES or (one is not None and task in one.tasks))


def _tensors(family: Family, one: Description, task: str, config: Config) -> Tensors:
    was, now = (one.structure(config, of, 2).rows for of in (CLASSIFIES, task))
    kept = {name: axes for name, axes in family.tensors(config).items() if name in now or name not in was}
    added = {name: " ".join(row.axes) for name, row in now.items() if name not in was and row.counted}
    return kept | added
