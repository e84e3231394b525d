"""Digests of bytes, for what is kept between two commands: equal digests mean equal bytes."""

from __future__ import annotations

from collections.abc import Iterable

try:
    from _blake2 import blake2b  # what hashlib.blake2b is; hashlib loads OpenSSL too, which costs start-up time
except ImportError:  # another Python than CPython
    from hashlib import blake2b


def digest(parts: Iterable[bytes]) -> str:
    """One digest of some byte strings; where each ends counts."""
    found = blake2b(digest_size=20)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.hexdigest()
