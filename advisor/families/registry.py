"""All families: the described model types, and those of which a file of `models/` has something to say."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from advisor.base.errors import AdviseError, Fault
from advisor.facts.facts import Kind, ModelFacts
from advisor.facts.tasks import TASKS, refusal
from advisor.families.described import description, kept
from advisor.families.described.description import Description
from advisor.families.family import Config, Family
from advisor.families.heads import ENCODERS, as_used, lacking, with_head
from advisor.families.notes import Notes

OTHERS: dict[Kind, str] = {
    "encoder": "other-encoder",
    "decoder": "other-decoder",
    "encoder-decoder": "other-encoder-decoder",
}

# The sizes that a family's config has to have a key for.
NEEDED = {"hidden": "its hidden size", "heads": "the number of its heads", "ffn": "the width of its feed-forward part"}
HYPHENS = {"deberta_v2": "deberta-v2", "xlm_roberta": "xlm-roberta"}  # no name of a file may have one


@cache
def names() -> tuple[str, ...]:
    """The families that rules know by name, in alphabetical order: those with notes."""
    files = os.listdir(f"{os.path.dirname(__file__)}/models")  # noqa: PTH120, PTH208 - pathlib costs start-up time
    modules = (file[:-3] for file in files if file.endswith(".py") and file[0] != "_")
    return tuple(sorted(HYPHENS.get(module, module) for module in modules))


def every() -> list[Family]:
    """All families that are described, by any file, in alphabetical order."""
    found = map(find, sorted({*names(), *description.names()}))
    return [family for family in found if family]


@cache
def find(model_type: str) -> Family | None:
    """The family of a `model_type`; None where no file describes it, or not as blocks with heads and channels.

    Raises:
        AdviseError: a file of the user's own descriptions cannot be read.
    """
    described = description.find(model_type)
    if described is None or not NEEDED.keys() <= described.sizes.keys():
        return None
    return Family(described, notes(model_type) or _without_notes(described))


def named_in_rules(name: str) -> list[Family]:
    """The families that rules know by a name: one of `names`, or all without notes of a kind, as in `OTHERS`."""
    if name in names():
        return [family for family in [find(name)] if family]
    return [family for family in every() if _name_in_rules(family) == name]


def keep(data: Mapping[str, Any]) -> None:
    """Keep a description in the user's cache, where `find` looks last, and know it from now on."""
    kept.keep(data)
    description.find.cache_clear()
    find.cache_clear()


def notes(model_type: str) -> Notes | None:
    """What somebody has to say of a family; None where nobody has."""
    if model_type not in names():
        return None
    found: Notes = importlib.import_module(f"advisor.families.models.{model_type.replace('-', '_')}").NOTES
    return found


def _without_notes(described: Description) -> Notes:
    usual = {one.key: one.usual for one in (*described.stacks.values(), *described.sizes.values()) if one.usual}
    config: dict[str, Any] = {"model_type": described.model_type}
    for key, value in usual.items():
        part, dot, rest = key.rpartition(".")
        (config.setdefault(part, {}) if dot else config)[rest] = value
    return Notes(described.model_type, described.model_type, "", config)


def of_config(config: Config) -> Family | None:
    """The family of a config; None where no file describes its model type, or not under the flags that it sets.

    Raises:
        AdviseError: a file of the user's own descriptions cannot be read.
    """
    family = find(str(config.get("model_type", "")))
    return None if family is None or family.described.uncovered(config) else family


def of(name: str | None, config: Config | None) -> Family | None:
    """The family of a model: that of its config where this is known, else the one of this name."""
    return of_config(config) if config else find(name or "")


def uncovered(config: Config) -> list[str]:
    """What keeps the sizes of a config from being known: values of its flags that nobody tried, as `key = value`."""
    family = find(str(config.get("model_type", "")))
    return family.described.uncovered(config) if family else []


@cache
def executable(task: str | None = None) -> tuple[str, ...]:
    """The names of the families that `advise run` can run on a task; on texts with labels where none is named."""
    return tuple(name for name in names() if (family := find(name)) and with_head(family, task).executable)


def tasks_of(family: Family) -> tuple[str, ...]:
    """The tasks that `advise run` can run a family on."""
    return tuple(tag for tag in TASKS if with_head(family, tag).executable)


def refused_task(model_type: str, kind: Kind | None, task: str | None) -> tuple[str, str] | None:
    """Why models of a type cannot do a task, and what to try; None where they can, or where nobody knows."""
    if wrong := refusal(task, kind):
        return wrong, "name another task or another model"
    if kind and (wrong := lacking(model_type, kind, task)):
        return wrong, ENCODERS
    family = find(model_type)
    able = tasks_of(family) if family else ()
    if task is None or not able or task in able:
        return None
    others = executable(task)
    hint = f"{model_type} can be run as {either(able)}; {task} is run with {either(others[:5])}"
    return f"{task} cannot be run with {model_type}", f"{hint}{', among others' if len(others) > 5 else ''}"


def either(words: Sequence[str]) -> str:
    """Words for a sentence, as in a, b or c."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def by_checkpoint(source: str) -> Family | None:
    """The family whose base checkpoint has this Hub id, with or without its organisation."""
    for name in names():
        known = notes(name)
        if known and source in (known.checkpoint, known.checkpoint.split("/")[1]):
            return find(name)
    return None


def describe(config: Config, file: str = "config.json", labels: int = 2, task: str | None = None) -> ModelFacts:
    """The facts of any config: exact for a known family, its kind alone for another.

    Args:
        task: the Hub's pipeline tag, for the parameters of its head.

    Raises:
        AdviseError: its sizes make no sense.
    """
    family = with_head(find(str(config.get("model_type", ""))), task)
    if family is None:
        kind = _kind(config)
        return ModelFacts(family=OTHERS[kind], kind=kind, generative=kind != "encoder")
    try:
        family.refuse_nonsense(config, file)
        if family.described.uncovered(config):  # the sizes of its tensors are not known
            return ModelFacts(family=_name_in_rules(family), kind=family.kind, generative=family.generative)
        return as_used(family.facts(config, labels, file)._replace(family=_name_in_rules(family)), task)
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        # Sizes are checked by name first; this is for lists and parts of another form than the family's.
        wrong = f"no config of {family.title} that makes sense ({error})"
        hint = f"compare it with the one of {family.checkpoint or family.title}"
        raise AdviseError(Fault(wrong, file, hint=hint)) from None


def _name_in_rules(family: Family) -> str:
    """The name by which rules know a family: its own where somebody has something to say of it."""
    return family.model_type if family.model_type in names() else OTHERS[family.kind]


def _kind(config: Config) -> Kind:
    if config.get("is_encoder_decoder"):
        return "encoder-decoder"
    named = config.get("architectures")
    classes = " ".join(map(str, named)) if isinstance(named, list) else ""
    decoder = config.get("is_decoder") or "CausalLM" in classes or "LMHead" in classes
    return "decoder" if decoder else "encoder"
