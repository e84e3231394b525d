"""Heads: the same family as the class of a task has it. Models that write have output embeddings in place of labels."""

from __future__ import annotations

from functools import cache

from advisor.base.frozen import replace
from advisor.facts.tasks import WRITERS
from advisor.families.family import Config, Family, Tensors

OUTPUT = "lm_head.weight"


@cache
def with_head(family: Family, task: str | None) -> Family:
    """The family with the head of the task's class, and whether `advise run` can run the task with it.

    Args:
        task: the Hub's pipeline tag; those that write nothing leave the family as it is.
    """
    if task not in WRITERS:
        return family
    runs = WRITERS[task] == family.kind and bool(family.vocabulary)
    return replace(family, tensors=lambda config: _written(family, config), executable=runs)


def _written(family: Family, config: Config) -> Tensors:
    """Without the rows for labels; with output embeddings where they are not the input's."""
    table = {name: axes for name, axes in family.tensors(config).items() if "labels" not in axes.split()}
    inputs = next((axes for axes in table.values() if axes.startswith("vocabulary")), "")
    untied = config.get("tie_word_embeddings") is False and bool(inputs)
    return {**table, OUTPUT: inputs} if untied else table
