"""Heads: a family with the head of another task than text classification, as its description has it."""

from __future__ import annotations

from typing import overload

from advisor.facts.facts import Kind, ModelFacts
from advisor.facts.tasks import OF_TOKENS, USUAL
from advisor.families.described import description
from advisor.families.family import WRITTEN, Family

OF_FAMILIES = (None, USUAL)  # the head that families have where none is named
DESCRIBED = {"summarization": WRITTEN, "translation": WRITTEN}  # the descriptions' names of tasks
ENCODERS = "use an encoder, such as BERT, RoBERTa, MPNet or DeBERTa"


@overload
def with_head(family: Family, task: str | None) -> Family: ...


@overload
def with_head(family: None, task: str | None) -> None: ...


def with_head(family: Family | None, task: str | None) -> Family | None:
    """The family with the head of a task."""
    return family if family is None or task in OF_FAMILIES else family.for_task(DESCRIBED.get(str(task), str(task)))


def as_used(facts: ModelFacts, task: str | None) -> ModelFacts:
    """The facts of the model that does a task: sounds are classified by Whisper's encoder, without its decoder."""
    if task != "audio-classification" or facts.kind != "encoder-decoder":
        return facts
    layers = facts.encoder_layers or facts.layers
    return facts._replace(kind="encoder", layers=layers, decoder_layers=0, generative=False)


def lacking(family: str, kind: Kind, task: str | None) -> str:
    """Why models of a family cannot score the tokens of a text for a task; empty where they can, or do something else.

    An encoder-decoder has such classes too, of which some leave its decoder out: they are other models.
    """
    if task not in OF_TOKENS:
        return ""
    one = description.find(family)
    if kind != "encoder-decoder" and one is not None and task in one.tasks:
        return ""
    return f"{task} cannot be run with {family}: transformers has no class for it with one stack of blocks"
