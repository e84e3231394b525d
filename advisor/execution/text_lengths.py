"""Text lengths: where a recipe does not say at how many tokens texts are cut, the data decide."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.base.errors import AdviseError
from advisor.base.yamlfile import Document
from advisor.facts.tasks import SPEECH, TO_TEXT
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
    from advisor.compute.structure.processors import tokenizer
    from advisor.compute.tasks.registry import task_class

    family = registry.of_config(model.config or {})
    task = task_class(data.task)
    if task.modality != "text":
        recipe, data = _positions(recipe, model, data, family)
    if model.folder is None or (task.modality != "text" and data.task != SPEECH):
        return Followed(recipe, data)
    try:
        words = tokenizer(model.folder, trust_remote_code)
        if task.modality == "text":
            longest = family.longest(model.config) if family and model.config else None
            stated = recipe.training.max_tokens if STATED in document.marks else 0
            lengths = _lengths(data.train, words, longest, stated)
            cut = stated or _cut(lengths, longest)
            recipe = replace(recipe, training=replace(recipe.training, max_tokens=cut))
            data = _noting(data, _note(lengths, cut, bool(stated), task.in_windows))
        return Followed(recipe, _noting(data, cut_besides(recipe.training, data, words)))
    except AdviseError:
        return Followed(recipe, data)


def _cut(lengths: list[int], longest: int | None) -> int:
    """At how many tokens texts are cut by what the data have. longest: what the model reads."""
    cut = max(_share_of(lengths), Training().max_tokens)
    return min(cut, longest or cut)


def _noting(data: TaskData, note: str) -> TaskData:
    return replace(data, notes=(*data.notes, note)) if note else data


def _note(lengths: list[int], cut: int, stated: bool, in_windows: bool) -> str:
    """How many texts are cut, or read in windows; nothing where the recipe states it, and it suits the texts."""
    count = len(lengths)
    uncut = sum(length <= cut for length in lengths) / count
    if stated:
        are = "is read in windows" if in_windows else "is cut"
        more = f"{1 - uncut:.1%} of {count:,} training texts are longer than training.max_tokens, {cut:,}: each {are}"
        return more if uncut < SHARE else ""
    texts = f"{uncut:.1%} of {count:,} training texts"
    note = f"texts are cut at {cut:,} tokens, which {texts} do not exceed"
    if in_windows:
        note = f"texts of more than {cut:,} tokens are read in windows; {texts} fit into one"
    return f"{note} (training.max_tokens sets another length)"


def cut_besides(training: Training, data: TaskData, words: Any) -> str:
    """How many of what is to be written, or of the questions, are cut; nothing where few are."""
    from advisor.compute.data.tokenizing import target_ids, token_ids

    some = data.train.take(range(min(LOOKED_AT, len(data.train))))
    if data.task in (*TO_TEXT, SPEECH):
        most, what = training.max_new_tokens, "targets are longer than {:,} tokens: what is to be written is cut there"
        if data.task == SPEECH:  # its targets are plain tokens and the end
            lengths = [len(one) + 1 for one in token_ids(words, some.labels)]
        else:
            lengths = [*map(len, target_ids(words, some.labels, most + 1))]
        more = "training.max_new_tokens sets another length"
    elif data.task == "question-answering":
        from advisor.compute.tasks.question_answering import longest_question

        most, what = longest_question(training.max_tokens), "questions are longer than {:,} tokens and cut there"
        lengths, more = [*map(len, token_ids(words, some.texts))], "the context gets the other tokens"
    else:
        return ""
    longer = sum(length > most for length in lengths) / len(lengths)
    return f"{longer:.1%} of {len(lengths):,} training {what.format(most)} ({more})" if longer > 1 - SHARE else ""


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


def _lengths(rows: Rows, tokenizer: object, positions: int | None, stated: int) -> list[int]:
    """Tokens of the first rows, special ones included, as far as the model could read them, and one more.

    stated: the length that a recipe states; 0 for none. They are counted beyond that, too.
    """
    from advisor.compute.data.tokenizing import token_ids

    named = int(getattr(tokenizer, "model_max_length", 0) or 0)
    most = max(stated, positions or (named if 0 < named <= 100_000 else WITHOUT_POSITIONS))
    some = rows.take(range(min(LOOKED_AT, len(rows))))
    texts = [text if isinstance(text, str) else " ".join(text) for text in some.texts]
    return list(map(len, token_ids(tokenizer, texts, some.pairs, most + 1)))


def _share_of(lengths: list[int]) -> int:
    """The length that enough texts do not exceed, rounded up."""
    return math.ceil(sorted(lengths)[_place(len(lengths))] / STEP) * STEP


def _place(count: int) -> int:
    """Of so many lengths in their order the first that enough texts do not exceed."""
    return math.ceil(SHARE * count) - 1
