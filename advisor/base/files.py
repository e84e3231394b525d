"""Write a file whole or not at all, and tell whether it was changed since."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault

SEAL = "sha256"


def write(path: Path, text: str) -> None:
    """Write text to a draft beside the file and rename it.

    Raises:
        AdviseError: the folder is missing or cannot be written to.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True) if draft.parent.is_dir() else None
        reason = "the folder does not exist" if not path.parent.is_dir() else error.strerror or str(error)
        raise AdviseError(
            Fault(f"cannot be written: {reason}", str(path), hint="give a folder you can write to")
        ) from None


def write_json(path: Path, value: Any, indent: int | None = 2) -> None:
    """Write a value as JSON.

    Raises:
        AdviseError: the folder is missing or cannot be written to.
        ValueError: a number in it is not finite: that is no JSON, and no measurement.
    """
    write(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def fingerprint(value: Any) -> str:
    """One hash of values that JSON can carry."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """An object with its own hash beside its values."""
    plain: dict[str, Any] = json.loads(json.dumps(value, default=str))
    return {**plain, SEAL: fingerprint(plain)}


def unsealed(text: bytes) -> dict[str, Any]:
    """The object in a JSON file that was written sealed. Raises ValueError where it is no JSON or was changed."""
    value = json.loads(text)
    if not isinstance(value, dict) or value.pop(SEAL, None) != fingerprint(value):
        raise ValueError("it was changed after it was written")
    return value


def disk_is_full(error: Exception) -> bool:
    """Whoever wrote: Python, or a library whose own errors carry the words of the system."""
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    told = any(os.strerror(code) in str(error) for code in codes)
    return (isinstance(error, OSError) and error.errno in codes) or told


def new_folder(path: Path, hint: str) -> None:
    """Make an empty folder, or take one that is there and empty.

    Raises:
        AdviseError: it holds something already, or cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        taken = any(path.iterdir())
        probe = path / f".{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise AdviseError(Fault(f"cannot be written to: {error.strerror}", str(path), hint=hint)) from None
    if taken:
        raise AdviseError(Fault("is not empty", str(path), hint=hint))
