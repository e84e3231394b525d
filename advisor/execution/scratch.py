"""Scratch: a temporary folder that goes with its process, and those that killed processes have left behind.

torch's compiler and others leave files in the folder for temporary ones. A process that is killed by SIGKILL clears
nothing, so the next run does it: a folder whose lock nobody holds belongs to no living process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from advisor.base.user_folders import temporary

PREFIX, LOCK = "advise-", ".lock"
YOUNG = 60.0  # seconds in which a folder may not have its lock yet


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder for this process and the libraries in it, removed at the end.

    Raises:
        AdviseError: there is no place for it.
    """
    before = os.environ.get("TMPDIR"), tempfile.tempdir
    clear_abandoned(Path(temporary()))
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        lock = os.open(Path(folder) / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_SH)
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        try:
            yield Path(folder)
        finally:
            os.environ.pop("TMPDIR")
            os.environ |= {"TMPDIR": before[0]} if before[0] else {}
            tempfile.tempdir = before[1]
            os.close(lock)


def clear_abandoned(place: Path) -> None:
    """Remove the scratch folders of this user whose processes are gone; what cannot be removed stays."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if _abandoned(folder):
                shutil.rmtree(folder)


def _abandoned(folder: Path) -> bool:
    """Whether this is a scratch folder of ours whose lock nobody holds.

    Raises:
        OSError: it holds no lock, another process has it, or it just went.
    """
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid() or time.time() - found.st_mtime < YOUNG:
        return False
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(lock)
    return True
