"""The user's folders, by the XDG Base Directory Specification: for what is cached, kept, or only temporary.

A container may run as a user whom the system does not know, without HOME. Then there are none, unless XDG_CACHE_HOME
and XDG_DATA_HOME name them; `~` would become a folder of that name.
"""

from __future__ import annotations

import os

from advisor.base.errors import AdviseError


class NoFolder(FileNotFoundError):
    """The user has no home folder. strerror: what to set."""


def cache() -> str:
    """XDG_CACHE_HOME, or ~/.cache. Raises NoFolder."""
    return _folder("XDG_CACHE_HOME", ".cache")


def data() -> str:
    """XDG_DATA_HOME, or ~/.local/share. Raises NoFolder."""
    return _folder("XDG_DATA_HOME", ".local/share")


def hub() -> str:
    """The Hub's cache as its library finds it: HF_HUB_CACHE, or below HF_HOME, or below `cache`. Raises NoFolder."""
    return os.environ.get("HF_HUB_CACHE") or f"{os.environ.get('HF_HOME') or f'{cache()}/huggingface'}/hub"


def temporary() -> str:
    """The folder for temporary files. Raises an AdviseError where none can be written to, as in some containers."""
    import tempfile

    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        message = "there is no folder for temporary files that can be written to"
        raise AdviseError(message, hint="name one in TMPDIR") from None


def _folder(variable: str, below: str) -> str:
    named = os.environ.get(variable, "")
    if os.path.isabs(named):  # noqa: PTH117 - start-up time; a relative one is to be ignored, says the specification
        return named
    home = os.path.expanduser("~")  # noqa: PTH111
    if not os.path.isabs(home):  # noqa: PTH117
        raise NoFolder(2, f"this user has no home folder: set HOME or {variable}")
    return f"{home}/{below}"
