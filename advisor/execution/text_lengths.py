"""Text lengths: where a recipe does not say at how many tokens texts are cut, the data decide."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from advisor.base.errors import AdviseError
from advisor.base.yamlfile import Document
from advisor.families import registry
from advisor.inspection.probe import Model
from advisor.recipe.recipe import Recipe
from advisor.records.training_settings import Training

if TYPE_CHECKING:
    from advisor.compute.data.dataset import TaskData
    from advisor.compute.data.labels import Rows

STATED = ("training", "max_tokens")
SHARE = 0.95  # of the texts that are not cut
LOOKED_AT = 1000  # training rows, which are in random order
STEP = 8  # tokens; matrices of such sizes are multiplied fastest
WITHOUT_POSITIONS = 2048  # most tokens for a model and a tokenizer that name no limit


class Followed(NamedTuple):
    """A recipe that says at how many tokens texts are cut, and the data with a note that says so."""

    recipe: Recipe
    data: TaskData


def follow(recipe: Recipe, document: Document, model: Model, data: TaskData, trust_remote_code: bool) -> Followed:
    """Let `max_tokens` follow the data unless the recipe states it: 95 % of a sample of texts are not cut.

    It is never below the default: batches are as long as their longest text, so that cutting fewer costs nothing. A
    tokenizer that cannot be read is refused where the model is loaded, after all that is checked before.
    """
    from advisor.compute.tasks.registry import task_class

    if STATED in document.marks or model.folder is None or task_class(data.task).modality != "text":
        return Followed(recipe, data)
    from advisor.compute.structure.checkpoint import tokenizer

    family = registry.of_config(model.config or {})
    positions = family.longest(model.config) if family and model.config else None
    try:
        lengths = _lengths(data.train, tokenizer(model.folder, trust_remote_code), positions)
    except AdviseError:
        return Followed(recipe, data)
    cut = max(_share_of(lengths), Training().max_tokens)
    cut = min(cut, positions or cut)
    uncut = sum(length <= cut for length in lengths) / len(lengths)
    note = f"texts are cut at {cut:,} tokens, which {uncut:.1%} of {len(lengths):,} training texts do not exceed"
    told = f"{note} (training.max_tokens sets another length)"
    training = replace(recipe.training, max_tokens=cut)
    return Followed(replace(recipe, training=training), replace(data, notes=(*data.notes, told)))


def _lengths(rows: Rows, tokenizer: object, positions: int | None) -> list[int]:
    """Tokens of the first rows, special ones included, as far as the model could read them, and one more."""
    from advisor.compute.data.tokenizing import token_ids

    named = int(getattr(tokenizer, "model_max_length", 0) or 0)
    most = positions or (named if 0 < named <= 100_000 else WITHOUT_POSITIONS)
    some = rows.take(range(min(LOOKED_AT, len(rows))))
    texts = [text if isinstance(text, str) else " ".join(text) for text in some.texts]
    return list(map(len, token_ids(tokenizer, texts, some.pairs, most + 1)))


def _share_of(lengths: list[int]) -> int:
    """The length that enough texts do not exceed, rounded up."""
    place = math.ceil(SHARE * len(lengths)) - 1
    return math.ceil(sorted(lengths)[place] / STEP) * STEP
