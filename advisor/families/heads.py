"""Heads: a family's table of tensors with the head of another task than text classification.

The described families say which tensors each of transformers' classes has. What those classes do not share with the
one for text classification is taken out of the family's table, or put in. Models that write have output embeddings in
place of labels.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from advisor.base.frozen import replace
from advisor.facts.facts import Kind
from advisor.facts.tasks import OF_TOKENS, TASKS, WRITERS
from advisor.families.family import Config, Family, Tensors

if TYPE_CHECKING:
    from advisor.families.described.description import Description

CLASSIFIES = "text-classification"
OF_FAMILIES = (None, CLASSIFIES)  # their tables have this head already
OUTPUT = "lm_head.weight"
ENCODERS = "use an encoder, such as BERT, RoBERTa, MPNet or DeBERTa"


@cache
def with_head(family: Family, task: str | None) -> Family:
    """The family with the head of a task; the same one where it is not known what that head is made of."""
    if task in OF_FAMILIES:
        return family
    from advisor.families.described import description  # the usual head needs none of its imports

    if task in WRITERS:
        # Of those that read one text and write another, mT5's class forgets which have output embeddings of their own.
        runs = family.kind in TASKS[str(task)].kinds and (family.kind == "decoder" or family.executable)
        return replace(family, tensors=lambda config: _written(family, config), executable=runs)
    one = None if family.kind == "encoder-decoder" else description.find(family.model_type)
    if one is None or task not in one.tasks or CLASSIFIES not in one.tasks:
        return family
    found: Family = replace(family, tensors=lambda config: _tensors(family, one, str(task), config))
    return found


def lacking(family: str, kind: Kind, task: str | None) -> str:
    """Why models of a family cannot score the tokens of a text for a task; empty where they can, or do something else.

    An encoder-decoder has such classes too, of which some leave its decoder out: they are other models.
    """
    if task not in OF_TOKENS:
        return ""
    from advisor.families.described import description

    one = description.find(family)
    if kind != "encoder-decoder" and one is not None and task in one.tasks:
        return ""
    return f"{task} cannot be run with {family}: transformers has no class for it with one stack of blocks"


def _tensors(family: Family, one: Description, task: str, config: Config) -> Tensors:
    was, now = (one.structure(config, of, 2).rows for of in (CLASSIFIES, task))
    kept = {name: axes for name, axes in family.tensors(config).items() if name in now or name not in was}
    added = {name: " ".join(row.axes) for name, row in now.items() if name not in was and row.counted}
    return kept | added


def _written(family: Family, config: Config) -> Tensors:
    """Without the rows for labels; with output embeddings where they are not the input's."""
    table = {name: axes for name, axes in family.tensors(config).items() if "labels" not in axes.split()}
    inputs = next((axes for axes in table.values() if axes.startswith("vocabulary")), "")
    # transformers 5 says tied of every T5; one that is not does not scale what it writes from.
    flags = ("tie_word_embeddings", "scale_decoder_outputs")
    untied = bool(inputs) and any(config.get(flag) is False for flag in flags)
    return {**table, OUTPUT: inputs} if untied else table
