"""Model types that no file describes: described when they are first met, where the extra `[run]` is installed."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError
from advisor.base.install import pip_command
from advisor.facts.facts import Kind
from advisor.families import registry
from advisor.families.described import description
from advisor.families.described.description import Description
from advisor.families.family import Config, Family


@cache
def meet(model_type: str) -> str:
    """Describe a type of transformers that no file describes, and keep that in the user's cache.

    Its class's default config is what is looked at, never that of a stranger. Takes some seconds, once.

    Returns:
        Why its sizes are not known; empty where they are.
    """
    if found := description.find(model_type):
        return _missing(found)
    if not _installed():
        return (
            f"{model_type} is not described, and transformers, which could tell its structure, is not installed: "
            f"{pip_command('run')}, or use a description that `advise families add` made"
        )
    if not knows(model_type):
        return f"transformers knows no model type {model_type!r}"
    try:
        registry.keep(described({"model_type": model_type}))
    except AdviseError as error:
        return " ".join(error.faults[0].message.split())
    found = description.find(model_type)
    return _missing(found) if found else f"what was inferred of {model_type} cannot be kept in the user's cache folder"


def _missing(found: Description) -> str:
    """The sizes that a described type has no key for, in words; empty where it has all."""
    missing = " and ".join(words for size, words in registry.NEEDED.items() if size not in found.sizes)
    return f"the config of {found.model_type} has no key for {missing}" if missing else ""


def described(config: Config) -> dict[str, Any]:
    """The data of a description, for the values of a config.

    Raises:
        AdviseError: the config asks for other weights than those of a class of transformers, transformers does not
            know the type, or its structure cannot be inferred.
    """
    from advisor.compute.structure.inference import describe, stock
    from advisor.compute.structure.inference.small import REFUSED

    if found := [key for key in description.NEVER if config.get(key)]:
        message = f"{config['model_type']}: its weights are not those of a class of transformers ({', '.join(found)})"
        raise AdviseError(message, hint="give a model of a class of transformers, without code of its own, in fp32")

    try:
        return describe.describe(stock.config_of(config))
    except AdviseError:
        raise
    except REFUSED as error:
        what = f"{config['model_type']}: its structure cannot be inferred ({type(error).__name__}: {error})"
        raise AdviseError(what) from error


def family(name: str) -> Family | None:
    """The family of a model type that only transformers knows; None where it cannot be described."""
    return registry.find(name) if knows(name) and not meet(name) else None


def knows(name: str) -> bool:
    """Whether transformers is installed and knows a model type of this name."""
    if not description.MODEL_TYPE.fullmatch(name) or not _installed() or f'"{name}"' not in _named():
        return False
    from advisor.compute.structure.inference import stock

    return stock.knows(name)


def kind(model_type: str) -> Kind:
    """The kind of a type that transformers knows, by the classes it has for it."""
    from advisor.compute.structure.inference import stock

    config = stock.config_of({"model_type": model_type})
    tasks = stock.tasks_of(config)
    if config.is_encoder_decoder:
        return "encoder-decoder"
    return "decoder" if "text-generation" in tasks and "fill-mask" not in tasks else "encoder"


def _installed() -> bool:
    return all(find_spec(name) for name in ("torch", "transformers"))


@cache
def _named() -> str:
    """The text of the tables in which transformers names its types: importing them takes seconds for a slip."""
    places = getattr(find_spec("transformers"), "submodule_search_locations", None) or ()
    files = [file for place in places for file in Path(place, "models", "auto").glob("*.py")]
    return "".join(file.read_text(encoding="utf-8") for file in files)
