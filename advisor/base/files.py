"""Write files whole or not at all, and detect changes to them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault

SEAL = "sha256"
MOST_BYTES = 2**30  # of a file that is read whole, such as a run's report or exported runs


def write(path: Path, content: str | bytes) -> None:
    """Write to a draft beside the file and rename it; who may read the file stays as it was.

    Raises:
        AdviseError: the folder is missing or cannot be written to, or the path is no file.
    """
    _refuse_folder(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(_encoded(content))
        with suppress(FileNotFoundError):
            draft.chmod(stat.S_IMODE(path.stat().st_mode))
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        reason = "the folder does not exist" if not path.parent.is_dir() else error.strerror or str(error)
        raise _unwritable(path, reason) from None


def _encoded(content: str | bytes) -> bytes:
    """Text as UTF-8. Names of files that are not UTF-8 are kept readable: no text file could hold their bytes."""
    return content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")


def regular_bytes(path: Path, hint: str = "") -> bytes:
    """The bytes of a regular file; a pipe or a device might never end.

    Raises:
        AdviseError: it is none, cannot be read, or has more than `MOST_BYTES`.
    """
    try:
        if path.exists() and not path.is_file():
            raise AdviseError(Fault("is no regular file", str(path), hint=hint))
        if (size := path.stat().st_size) > MOST_BYTES:
            message = f"has {size:,} bytes, more than the {MOST_BYTES:,} that are read"
            raise AdviseError(Fault(message, str(path), hint=hint))
        return path.read_bytes()
    except OSError as error:
        raise AdviseError(Fault(f"cannot be read: {error.strerror}", str(path), hint=hint)) from None
    except ValueError:  # a NUL character
        raise AdviseError(Fault("cannot be read: no file can have this name", repr(str(path)), hint=hint)) from None


def regular_text(path: Path, hint: str = "") -> str:
    """The text of a regular file. Raises an AdviseError where it cannot be read or is not UTF-8."""
    try:
        return regular_bytes(path, hint).decode()
    except UnicodeDecodeError:
        raise AdviseError(Fault("is not UTF-8 text", str(path), hint=hint)) from None


def deliver(path: Path, content: str | bytes) -> None:
    """Write a product where the user wants it: into a file, whole or not at all, or to a device or a pipe as it comes.

    A link leads to what it names. Nothing is ever renamed over a device.

    Raises:
        AdviseError: the folder is missing or cannot be written to, or the path is a folder.
    """
    if not is_special(path):
        write(path.resolve() if path.is_symlink() else path, content)
        return
    try:
        with open(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as stream:  # noqa: PTH123
            stream.write(_encoded(content))
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from None


def is_special(path: Path) -> bool:
    """Whether a path is a device, a pipe or a socket, or stands for a stream of this process, as /dev/stdout does."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or str(path.absolute()).startswith(("/dev/", "/proc/"))


def _refuse_folder(path: Path) -> None:
    if not path.name or path.name == ".." or path.is_dir():
        raise AdviseError(Fault("cannot be written: it is a folder", str(path), hint="give the name of a file in it"))


def _unwritable(path: Path, reason: str) -> AdviseError:
    return AdviseError(Fault(f"cannot be written: {reason}", str(path), hint="give a folder you can write to"))


def write_json(path: Path, value: Any, indent: int | None = 2) -> None:
    """Write a value as JSON.

    Raises:
        AdviseError: the folder is missing or cannot be written to.
        ValueError: a number in it is not finite: that is no JSON, and no measurement.
    """
    write(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def fingerprint(value: Any) -> str:
    """One hash of values that JSON can hold."""
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
    """Whether a write failed because the disk is full: Python says so itself, libraries in the words of the system."""
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    says = any(os.strerror(code) in str(error) for code in codes)
    return (isinstance(error, OSError) and error.errno in codes) or says


def make_folder(path: Path) -> None:
    """Make a folder where there is none. Raises an AdviseError where it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AdviseError(Fault(f"cannot be made: {error.strerror}", str(path))) from None


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
