"""Plain checkpoints: load a model and its tokenizer, save one, and prove that it comes back the same.

Only safetensors, no remote code. A checkpoint counts as saved when the stock class's `from_pretrained` finds
every weight and no other, gives equal outputs, and has exactly the predicted number of parameters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from transformers import AutoTokenizer
from transformers.utils import logging

from advisor.base.errors import AdviseError, Fault
from advisor.base.held_stderr import without_panics
from advisor.compute.data.batches import Batch
from advisor.compute.data.hub import cache_only_if_out_of_reach
from advisor.compute.machine.device import seed as random_from
from advisor.compute.structure.loading_checks import (
    brings_code,
    refuse_unknown_activation,
    refuse_unreadable,
    unloadable,
)
from advisor.compute.structure.weight_files import refuse_unsafe_weights
from advisor.compute.structure.weights import (
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
DOWNLOADED = ["*.json", "*.txt", "*.model", "*.safetensors"]  # of a Hub id: neither code nor pickles
EQUAL = 1e-5  # outputs of a reloaded model: the same weights, so only rounding may differ


def load(
    folder: Path,
    family: Family,
    task: Task,
    seed: int = 0,
    trust_remote_code: bool = False,
    trained: bool = False,
) -> tuple[Scorer, Any]:
    """The task model and its tokenizer; a missing head starts at random, by the seed, unless it has to be trained.

    The model is always one of transformers' own classes; code that comes with a tokenizer runs if it is trusted.

    Raises:
        AdviseError: weights or tokenizer are missing, cannot be read, are not those of the config, or not finite.
        OutOfMemory: there is not enough memory.
    """
    random_from(seed)
    try:
        refuse_unsafe_weights(folder)
        refuse_unknown_activation(folder)
        own = tokenizer(folder, trust_remote_code)
        model, info = _task_model(folder, family, task)
    except AdviseError:
        raise
    except Exception as error:  # whatever transformers and what it stands on raise: see `unloadable`
        raise unloadable(folder, error) from None
    refuse_unfitting(model, info, family, folder)
    if trained:
        refuse_untrained(model, info, folder)
    refuse_not_finite(model, folder)
    refuse_unknown_tokens(own, model, folder)
    if own.pad_token_id is None:
        own.pad_token = own.eos_token or own.unk_token
    model.config.pad_token_id = own.pad_token_id
    _forget_code(model, own, trust_remote_code)
    return task.scorer(model, own), own


def tokenizer(folder: Path | str, trust_remote_code: bool = False) -> Any:
    """The tokenizer that was saved with a model; code that comes with it runs if it is trusted.

    Raises:
        AdviseError: it is missing or cannot be read.
    """
    try:
        with without_panics():
            return _tokenizer(folder, trust_remote_code)
    except (AdviseError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the tokenizers library panics with a BaseException of its own
        raise unloadable(folder, error, not trust_remote_code and brings_code(folder)) from None


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


def _forget_code(model: Any, tokenizer: Any, trust_remote_code: bool) -> None:
    """Drop what names classes in code beside the checkpoint: the model never is of one, the tokenizer if trusted."""
    if hasattr(model.config, "auto_map"):
        del model.config.auto_map
    if not trust_remote_code:
        tokenizer.init_kwargs.pop("auto_map", None)
        tokenizer._auto_map = None


def _tokenizer(folder: Path | str, trust_remote_code: bool) -> Any:
    refuse_unreadable(folder)
    options = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    # Without its files transformers makes an empty one, to which every text is unknown words.
    if len(set(tokenizer.get_vocab()) - set(tokenizer.get_added_vocab())) < 2:
        raise OSError("there are no tokenizer files")
    return tokenizer


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
    found: tuple[Any, dict[str, Any]] = task.stock_class(family.text_to_text).from_pretrained(folder, **common)
    return found


def save(scorer: Scorer, tokenizer: Any, folder: Path) -> None:
    """Write model and tokenizer into a new folder, whole or not at all."""
    draft = draft_of(folder)
    scorer.model.save_pretrained(draft, safe_serialization=True)
    tokenizer.save_pretrained(draft)
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
