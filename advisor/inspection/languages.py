"""Languages: what a recipe has to say of them, as the tokenizers of some models mark each text with its own."""

from __future__ import annotations

import json
from pathlib import Path

from advisor.facts.tasks import TO_TEXT
from advisor.inspection.probe import MAX_CONFIG, Model
from advisor.recipe.recipe import DataSource

SETTINGS = ("source_lang", "target_lang")
MARKING = ("mbart", "m2m_100", "plbart", "seamless_m4t")  # model types
CLASSES = ("MBart", "M2M100", "Nllb", "PLBart", "SeamlessM4T")  # beginnings of the names of their tokenizers
STATE_THEM = "state them by the tokenizer's codes, as in data: {source_lang: en_XX, target_lang: de_DE}"


def unstated(model: Model, data: DataSource) -> str:
    """What is missing of the languages of a recipe's data; empty where nothing is."""
    missing = [f"data.{name}" for name in SETTINGS if not getattr(data, name)]
    if data.task not in TO_TEXT or not missing or not _marks(model):
        return ""
    verb = "are" if len(missing) > 1 else "is"
    return f"{model.model_type} marks each text with its language, and {' and '.join(missing)} {verb} not stated"


def _marks(model: Model) -> bool:
    """Whether a model's tokenizer marks languages: as its folder says, else as models of its type do."""
    named = _tokenizer(model.folder / "tokenizer_config.json") if model.folder else ""
    return named.startswith(CLASSES) if named else model.model_type in MARKING


def _tokenizer(file: Path) -> str:
    """The name of a tokenizer's class; empty where the file does not say it."""
    try:
        with file.open("rb") as stream:
            found = json.loads(stream.read(MAX_CONFIG))
        return str(found.get("tokenizer_class") or "")
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""
