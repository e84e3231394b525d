"""Text lengths: where a recipe does not say at how many tokens texts are cut, the data decide."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from advisor.base.errors import AdviseError
from advisor.base.yamlfile import Document
from advisor.families import registry
from advisor.families.family import Config, Family
from advisor.families.input_sizes import A_SECOND, SOUND, fitted, positions
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

    family = registry.of_config(model.config or {})
    task = task_class(data.task)
    if task.modality != "text":
        return _positions(recipe, model, data, family)
    if STATED in document.marks or model.folder is None:
        return Followed(recipe, data)
    from advisor.compute.structure.processors import tokenizer

    longest = family.longest(model.config) if family and model.config else None
    try:
        lengths = _lengths(data.train, tokenizer(model.folder, trust_remote_code), longest)
    except AdviseError:
        return Followed(recipe, data)
    cut = max(_share_of(lengths), Training().max_tokens)
    cut = min(cut, longest or cut)
    uncut = sum(length <= cut for length in lengths) / len(lengths)
    texts = f"{uncut:.1%} of {len(lengths):,} training texts"
    note = f"texts are cut at {cut:,} tokens, which {texts} do not exceed"
    if task.in_windows:
        note = f"texts of more than {cut:,} tokens are read in windows; {texts} fit into one"
    told = f"{note} (training.max_tokens sets another length)"
    training = replace(recipe.training, max_tokens=cut)
    return Followed(replace(recipe, training=training), replace(data, notes=(*data.notes, told)))


def _positions(recipe: Recipe, model: Model, data: TaskData, family: Family | None) -> Followed:
    """Images and sounds take as many positions as the model has for their size."""
    training = recipe.training
    if data.task == "audio-classification" and training.max_seconds is None and model.config:
        training, data = _seconds(training, model.config, data)
    config = fitted(model.config or {}, training.image_size, training.max_seconds)
    most = positions(family, config) if family and model.config else None
    return Followed(replace(recipe, training=replace(training, max_tokens=most or training.max_tokens)), data)


def _seconds(training: Training, config: Config, data: TaskData) -> tuple[Training, TaskData]:
    """Let `max_seconds` follow the data, as long as the model reads so long sounds."""
    from advisor.compute.data.sounds import seconds

    lengths = sorted(map(seconds, data.train.texts[:LOOKED_AT]))
    cut = max(1, math.ceil(lengths[_place(len(lengths))]))
    cut = min(cut, int(config.get(SOUND, 0)) // A_SECOND or cut)
    uncut = sum(length <= cut for length in lengths) / len(lengths)
    note = f"sounds are cut at {cut} s, which {uncut:.1%} of {len(lengths):,} training sounds do not exceed"
    told = f"{note} (training.max_seconds sets another length)"
    return replace(training, max_seconds=cut), replace(data, notes=(*data.notes, told))


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
    return math.ceil(sorted(lengths)[_place(len(lengths))] / STEP) * STEP


def _place(count: int) -> int:
    """Of so many lengths in their order the first that enough texts do not exceed."""
    return math.ceil(SHARE * count) - 1
