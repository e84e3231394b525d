"""Plain checkpoints: load a model and its processor, save one, and prove that it comes back the same.

Only safetensors, no remote code. A checkpoint counts as saved when the stock class's `from_pretrained` finds
every weight and no other, gives equal outputs, and has exactly the predicted number of parameters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from transformers import AutoConfig
from transformers.utils import logging

from advisor.base.errors import AdviseError, Fault
from advisor.compute.data.batches import Batch
from advisor.compute.data.hub import cache_only_if_out_of_reach
from advisor.compute.machine.device import seed as random_from
from advisor.compute.structure.inference.stock import class_of, on_meta
from advisor.compute.structure.loading_checks import refuse_unknown_activation, unloadable
from advisor.compute.structure.processors import processor, save_processor
from advisor.compute.structure.weight_files import refuse_unsafe_weights
from advisor.compute.structure.weights import (
    refuse_misshapen,
    refuse_not_finite,
    refuse_unfitting,
    refuse_unknown_tokens,
    refuse_untrained,
)
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.task import Task
from advisor.families.family import Family
from advisor.records.output_folder import draft_of, put

logging.disable_progress_bar()  # the screen belongs to the run
logging.set_verbosity_error()
DOWNLOADED = ["*.json", "*.txt", "*.model", "*.spm", "*.safetensors"]  # of a Hub id: neither code nor pickles
EQUAL = 1e-5  # outputs of a reloaded model: the same weights, so only rounding may differ


def load(
    folder: Path,
    family: Family,
    task: Task,
    seed: int = 0,
    trust_remote_code: bool = False,
    trained: bool = False,
) -> tuple[Scorer, Any]:
    """The task model and its processor; a missing head starts at random, by the seed, unless it has to be trained.

    The model is always one of transformers' own classes; code that comes with a tokenizer runs if it is trusted.

    Raises:
        AdviseError: weights or processor are missing, cannot be read, are not those of the config, or not finite.
        OutOfMemory: there is not enough memory.
    """
    try:
        refuse_unsafe_weights(folder)
        refuse_unknown_activation(folder)
        own = processor(task, folder, trust_remote_code)
        task.prepare(own)
        refuse_misshapen(_without_weights(folder, family), family, folder)
        random_from(seed)
        model, info = _task_model(folder, family, task)
    except AdviseError:
        raise
    except Exception as error:  # whatever transformers and what it stands on raise: see `unloadable`
        raise unloadable(folder, error) from None
    refuse_unfitting(model, info, family, folder)
    if trained:
        refuse_untrained(model, info, folder)
    refuse_not_finite(model, folder)
    _forget_code(model)
    words = own if task.modality == "text" else getattr(own, "tokenizer", None)
    if words is not None:
        refuse_unknown_tokens(words, model, folder)
        _pad(model, words, trust_remote_code)
    return task.scorer(model, own), own


def downloaded(source: str, revision: str | None, trust_remote_code: bool) -> Path:
    """The folder of a Hub id in the Hub's cache, at a revision, with no file in it that is not read here.

    Raises:
        AdviseError: there is no such model or revision, or the Hub cannot be reached.
    """
    cache_only_if_out_of_reach()
    wanted = [*DOWNLOADED, *(["*.py"] if trust_remote_code else [])]
    try:
        return Path(snapshot_download(source, revision=revision, allow_patterns=wanted, ignore_patterns="*/*"))
    except Exception as error:  # whatever the library of the Hub raises
        raise unloadable(source, error) from None


def _forget_code(model: Any) -> None:
    """Drop what names classes in code beside the checkpoint: the model never is of one."""
    if hasattr(model.config, "auto_map"):
        del model.config.auto_map


def _pad(model: Any, tokenizer: Any, trust_remote_code: bool) -> None:
    """Give model and tokenizer the token that fills rows up, and forget code beside it unless it is trusted."""
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    model.config.pad_token_id = tokenizer.pad_token_id
    if not trust_remote_code:
        tokenizer.init_kwargs.pop("auto_map", None)
        tokenizer._auto_map = None


def _without_weights(folder: Path, family: Family) -> Any:
    """The stock class of the folder's config, on the meta device."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    return on_meta(class_of(config, family.task), config)


def _task_model(folder: Path | str, family: Family, task: Task) -> tuple[Any, dict[str, Any]]:
    """The stock class with the task's head, and the report of transformers."""
    common = {
        "dtype": torch.float32,
        "use_safetensors": True,
        "trust_remote_code": False,
        "local_files_only": True,
        **task.options(),
        # A head for other labels is replaced, as is usual when a checkpoint is fine-tuned to a new task.
        "ignore_mismatched_sizes": True,
        "output_loading_info": True,
        # transformers takes chunks only where they divide the tokens of a text; without them the answers are the same.
        "chunk_size_feed_forward": 0,
        # A config may ask for tuples, or for all attention beside the scores; here scores are read by name.
        **{"return_dict": True, "output_attentions": False, "output_hidden_states": False},
    }
    model, info = task.stock_class(family.text_to_text).from_pretrained(folder, **common)
    computed = set(model._keys_to_ignore_on_save or ())  # as it loads, as Marian's positions: they must not learn
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(parameter.requires_grad and name not in computed)
    return model, info


def save(scorer: Scorer, processor: Any, folder: Path) -> None:
    """Write model and processor into a new folder, whole or not at all."""
    draft = draft_of(folder)
    scorer.model.save_pretrained(draft, safe_serialization=True)
    save_processor(processor, draft)
    put(draft, folder)


@torch.no_grad()
def prove(scorer: Scorer, folder: Path, batch: Batch, predicted: int) -> None:
    """Reload a saved checkpoint with the stock class and compare.

    Raises:
        AdviseError: weights are missing or left over, outputs differ, or the parameter count is not as predicted.
    """
    model, info = type(scorer.model).from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True
    )
    wrong = {
        kind: sorted(map(str, names))
        for kind, names in info.items()
        if kind in ("missing_keys", "unexpected_keys", "mismatched_keys") and names
    }
    if wrong:
        raise AdviseError(Fault(f"the saved checkpoint is not complete when it is reloaded: {wrong}", str(folder)))
    counted = parameters(model)
    if counted != predicted:
        raise AdviseError(Fault(f"the model has {counted:,} parameters, {predicted:,} were predicted", str(folder)))
    pair = (one.to(batch.labels.device).eval() for one in (scorer, scorer.around(model)))
    was, now = (one(**batch.inputs) for one in pair)
    difference = float((was - now).abs().max())
    if not difference <= EQUAL * max(1.0, float(was.abs().max())):
        raise AdviseError(Fault(f"the reloaded model answers differently, by {difference:.2g}", str(folder)))


def parameters(model: Any) -> int:
    """Number of parameters, tied ones once."""
    return sum(one.numel() for one in model.parameters())


def size_bytes(folder: Path) -> int:
    """Bytes of the weight files in a folder."""
    return sum(
        file.stat().st_size for file in folder.rglob("*") if file.suffix in (".safetensors", ".onnx", ".data", ".bin")
    )
