"""Processors: what prepares a model's inputs, as saved with it: a tokenizer, or what reads images or sounds.

Images are prepared by transformers' code for Pillow, so that torchvision is not needed and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import AutoFeatureExtractor, AutoImageProcessor, AutoTokenizer

from advisor.base.errors import AdviseError, Fault
from advisor.base.held_output import without_panics
from advisor.compute.structure.loading_checks import brings_code, refuse_irregular, refuse_unreadable, unloadable
from advisor.compute.tasks.task import Task
from advisor.facts.tasks import WRITERS

FILES = ("preprocessor_config.json", "processor_config.json")
HINT = "copy it from the model's source: it says how images or sounds are prepared"


def processor(task: Task, folder: Path | str, trust_remote_code: bool = False) -> Any:
    """What was saved with a model to prepare its inputs; code that comes with a tokenizer runs if it is trusted.

    Raises:
        AdviseError: it is missing or cannot be read, or something in the folder is no file.
    """
    refuse_irregular(folder)
    if task.modality == "text":
        return tokenizer(folder, trust_remote_code)
    if not any((Path(folder) / name).is_file() for name in FILES):
        raise AdviseError(Fault(f"there is no {FILES[0]}", str(folder), hint=HINT))
    if task.modality == "image":
        return _read(lambda: AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True), folder)
    extractor = _read(lambda: AutoFeatureExtractor.from_pretrained(folder, local_files_only=True), folder)
    return Listener(extractor, tokenizer(folder, trust_remote_code)) if task.tag in WRITERS else extractor


class Listener:
    """What prepares sounds for a model that writes, and the tokenizer of what it writes. prompt: before each text."""

    def __init__(self, feature_extractor: Any, tokenizer: Any) -> None:
        self.feature_extractor, self.tokenizer = feature_extractor, tokenizer
        self.prompt: tuple[int, ...] = ()

    @property
    def pad_token_id(self) -> int:
        """The token that fills texts up."""
        return int(self.tokenizer.pad_token_id)

    def save_pretrained(self, folder: Path) -> None:
        """Write both into a folder."""
        self.feature_extractor.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def save_processor(processor: Any, folder: Path) -> None:
    """Write a processor into a folder, in a form that older libraries read.

    transformers 4 and what builds on it (optimum) know no `TokenizersBackend`, as transformers 5 calls its general
    tokenizer; both know the name that it had before. Under it, version 4 puts no space before a text unless told to.
    """
    processor.save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    config = _json(file) if file.exists() else {}
    if config.get("tokenizer_class") == "TokenizersBackend":
        space = (_json(folder / "tokenizer.json")["pre_tokenizer"] or {}).get("add_prefix_space")
        known = {"tokenizer_class": "PreTrainedTokenizerFast"} | ({"add_prefix_space": True} if space else {})
        file.write_text(json.dumps({**config, **known}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _json(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def tokenizer(folder: Path | str, trust_remote_code: bool = False) -> Any:
    """The tokenizer that was saved with a model; code that comes with it runs if it is trusted.

    Raises:
        AdviseError: it is missing or cannot be read.
    """
    return _read(lambda: _tokenizer(folder, trust_remote_code), folder, not trust_remote_code and brings_code(folder))


def pad_of(processor: Any) -> int:
    """The token that fills rows up; 0 where rows have no tokens."""
    return int(getattr(processor, "pad_token_id", None) or 0)


def _read(read: Callable[[], Any], folder: Path | str, code: bool = False) -> Any:
    try:
        with without_panics():
            return read()
    except (AdviseError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the tokenizers library panics with a BaseException of its own
        raise unloadable(folder, error, code) from None


def _tokenizer(folder: Path | str, trust_remote_code: bool) -> Any:
    refuse_unreadable(folder)
    options = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    # Without its files transformers makes an empty one, to which every text is unknown words.
    if len(set(tokenizer.get_vocab()) - set(tokenizer.get_added_vocab())) < 2:
        raise OSError("there are no tokenizer files")
    return tokenizer
