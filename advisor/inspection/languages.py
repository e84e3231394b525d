"""Languages: what a recipe has to say of them, as the tokenizers of some models mark each text with its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.facts.tasks import SPEECH, TO_TEXT
from advisor.inspection.probe import MAX_CONFIG, Model
from advisor.recipe.recipe import DataSource

SETTINGS = ("source_lang", "target_lang")
MARKING = ("mbart", "m2m_100", "plbart", "seamless_m4t")  # model types
CLASSES = ("MBart", "M2M100", "Nllb", "PLBart", "SeamlessM4T")  # beginnings of the names of their tokenizers
UNMARKED = ("t5", "mt5", "umt5", "longt5", "bart", "pegasus", "pegasus_x", "led", "marian")  # model types
PREFIXED = ("t5", "mt5", "umt5", "longt5")
STATE_THEM = "state them by the tokenizer's codes, as in data: {source_lang: en_XX, target_lang: de_DE}"


def unstated(model: Model, data: DataSource) -> str:
    """What is missing of the languages of a recipe's data; empty where nothing is."""
    missing = [f"data.{name}" for name in SETTINGS if not getattr(data, name)]
    if data.task not in TO_TEXT or not missing or not _marks(model):
        return ""
    verb = "are" if len(missing) > 1 else "is"
    return f"{model.model_type} marks each text with its language, and {' and '.join(missing)} {verb} not stated"


def unwanted(model: Model, data: DataSource) -> Iterator[tuple[str, str]]:
    """Languages that a recipe states and its model has no use for: each setting, and what to say of it."""
    stated = [name for name in SETTINGS if getattr(data, name)]
    none = data.task in TO_TEXT and model.model_type in UNMARKED and not _marks(model)
    if none or (data.task == SPEECH and _of_one_language(model)):
        what = "marks no languages" if none else "is for one language"
        yield from ((name, f"{name}: this {model.model_type} {what}") for name in stated)


def instead(model: Model) -> str:
    """What to do with languages that a model has no use for."""
    prefix = "; data: {prefix: 'translate English to German: '} tells the model what to write"
    return f"leave it out{prefix if model.model_type in PREFIXED else ''}"


def _of_one_language(model: Model) -> bool:
    """Whether a model of speech says that it knows one language alone, as Whisper's English ones do."""
    return model.folder is not None and _read(model.folder / "generation_config.json").get("is_multilingual") is False


def _marks(model: Model) -> bool:
    """Whether a model's tokenizer marks languages: as its folder says, else as models of its type do."""
    named = _tokenizer(model.folder / "tokenizer_config.json") if model.folder else ""
    return named.startswith(CLASSES) if named else model.model_type in MARKING


def _tokenizer(file: Path) -> str:
    """The name of a tokenizer's class; empty where the file does not say it."""
    return str(_read(file).get("tokenizer_class") or "")


def _read(file: Path) -> dict[str, Any]:
    """What a JSON file of a model holds; nothing where it cannot be read."""
    try:
        with file.open("rb") as stream:
            found = json.loads(stream.read(MAX_CONFIG))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError, RecursionError):
        return {}
