"""What the artefact of a model that writes says of it: all that its scorer needs beside the weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig, GenerationConfig
from transformers.utils import GENERATION_CONFIG_NAME

from advisor.base.errors import AdviseError, Fault
from advisor.compute.tasks.registry import task_of
from advisor.compute.tasks.task import Task
from advisor.compute.tasks.writing import Writer
from advisor.facts.tasks import WRITERS, settings_of_config, task_of_config


@dataclass(frozen=True, slots=True)
class Written:
    """config: the model's, of transformers. generation: how it writes where the task says nothing."""

    task: Task
    config: Any
    generation: GenerationConfig

    def scorer(self, model: Any, processor: Any) -> Writer:
        """The model as its task sees it. processor: its tokenizer."""
        found = self.task.scorer(model, processor)
        assert isinstance(found, Writer)
        return found


def written(folder: Path) -> Written | None:
    """None of a model that does not write.

    Raises:
        AdviseError: the config cannot be used.
    """
    file = folder / "config.json"
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        tag = task_of_config(said)
        if tag not in WRITERS:
            return None
        config = AutoConfig.from_pretrained(folder)
        named = (folder / GENERATION_CONFIG_NAME).exists()
        generation = GenerationConfig.from_pretrained(folder) if named else GenerationConfig.from_model_config(config)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise AdviseError(Fault(f"cannot be loaded: {str(error).splitlines()[0]}", str(file))) from None
    return Written(task_of(tag, (), **settings_of_config(said, tag)), config, generation)
