"""Loadable: explains what is wrong with the files of a checkpoint where transformers would only crash on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import PreTrainedConfig
from transformers.activations import ACT2FN

from advisor.base.errors import AdviseError, Fault, OutOfMemory, memory_is_out, suggest
from advisor.families.config_checks import ACTIVATIONS

# These say in words what is wrong; of all others the kind is shown, too.
SPEAKING = OSError, ValueError, RuntimeError, ImportError, SafetensorError
TOKENIZER = "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
CODE = "its tokenizer comes with code of its own"
HINT = "give --model a folder with config.json, model.safetensors and a tokenizer; no pickled weights"
GATED = "gated-"  # what T5 writes before the name of an activation
TOO_LARGE = "use a smaller model, or a machine with more memory"


def refuse_irregular(folder: Path | str) -> None:
    """Raise an AdviseError for named pipes and devices in a model's folder: transformers would wait for them."""
    entries = [path for part in ("*", "onnx/*") for path in sorted(Path(folder).glob(part))]
    odd = [path for path in entries if path.exists() and not (path.is_file() or path.is_dir())]
    if odd:
        raise AdviseError(*(Fault("is no regular file", str(path), hint="take it out of the folder") for path in odd))


def refuse_unreadable(folder: Path | str) -> None:
    """Raise an AdviseError for every file of a tokenizer in a folder that holds something else."""
    faults = [fault for name in TOKENIZER for fault in _faults(Path(folder) / name)]
    if faults:
        raise AdviseError(*faults)


def _faults(file: Path) -> Iterator[Fault]:
    hint = "copy the file again from its source"
    try:
        found = json.loads(file.read_bytes()) if file.is_file() else {}
    except json.JSONDecodeError as error:
        yield Fault(f"cannot be loaded: not JSON: {error.msg}", str(file), error.lineno, error.colno, hint)
    except (ValueError, RecursionError):
        yield Fault("cannot be loaded: not JSON text", str(file), hint=hint)
    else:
        if not isinstance(found, dict):
            yield Fault(f"cannot be loaded: expected a mapping, got {json.dumps(found)[:60]}", str(file), hint=hint)


def refuse_unknown_activation(folder: Path | str) -> None:
    """Raise an AdviseError where a config names an activation that transformers does not have.

    Raises:
        OSError: there is no config.
    """
    config, _ = PreTrainedConfig.get_config_dict(folder, local_files_only=True)
    for key in ACTIVATIONS:
        given = config.get(key)
        if isinstance(given, str) and given.removeprefix(GATED) not in ACT2FN:
            message = f"{key}: transformers has no activation {given!r}"
            hint = suggest(given.removeprefix(GATED), ACT2FN)
            raise AdviseError(Fault(message, f"{folder}/config.json", hint=hint))


def brings_code(folder: Path | str) -> bool:
    """Whether the tokenizer in a folder comes with code of its own."""
    file = Path(folder) / "tokenizer_config.json"
    return file.is_file() and '"auto_map"' in file.read_text(encoding="utf-8", errors="replace")


def unloadable(folder: Path | str, error: BaseException, code: bool = False) -> AdviseError:
    """What to say where transformers could not load a checkpoint. code: what failed comes with code of its own."""
    if memory_is_out(error):
        return OutOfMemory(Fault("not enough memory to load the model", str(folder), hint=TOO_LARGE))
    lines = str(error).splitlines() or [type(error).__name__]
    reason, hint = lines[0], HINT
    if code or "trust_remote_code" in str(error):
        reason, hint = CODE, "--trust-remote-code, if you have read that code"
    elif isinstance(error, StrictDataclassError):  # its first line says only which of its own checks failed
        reason, hint = lines[-1].strip(), "compare config.json with the one of a published model"
    elif not isinstance(error, SPEAKING):
        reason, hint = (
            f"{type(error).__name__}: {reason}",
            f"its config or tokenizer makes no sense to transformers; {HINT}",
        )
    return AdviseError(Fault(f"cannot be loaded: {reason}", str(folder), hint=hint))
