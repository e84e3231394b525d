"""Unsafe files: those that can run code when a program opens them, recognised by their content and not by their name.

A pickle is a program for a small machine (see Python's `pickletools`). Protocols 2 and later begin with a byte of their
own. Protocols 0 and 1 are plain characters, so a file is one if its opcodes are valid: they are read, never executed.
The length that a safetensors file begins with may read as such opcodes: its header settles what it is.
"""

from __future__ import annotations

import json
import pickletools
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

CODE = {".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".sh"}
PROTOCOLS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
# Archives and arrays that may hold a pickle: zip (torch.save), gzip, bzip2, xz, lzma, zstd, lz4, 7z, numpy, HDF5.
ARCHIVES = (
    *(b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"]\x00\x00", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"),
    *(b"7z\xbc\xaf", b"\x93NUMPY", b"\x89HDF"),
)
ZLIB = tuple(b"x" + bytes([level]) for level in (0x01, 0x5E, 0x9C, 0xDA))  # joblib packs with level 3, which is x^
TAR, TAR_START = b"ustar", 257
START = 4096  # bytes that tell an archive: the tables that zlib begins with have up to 300
# What calls something. EXT1, EXT2 and EXT4 only name what the reader has registered, and weights may begin with them.
RUNS = {"REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"}
MOST_OPCODES, LONGEST = 100_000, 2**24  # read of one file: a longer one that is still valid is a pickle
CONFIG, MOST_JSON = "config.json", 2**24  # how the names of configs end, and bytes of one
MOST_HEADER = 100_000_000  # bytes, as the safetensors library has it


def danger(path: Path) -> str:
    """What in a file can run code: "code", "a pickle …", "names code to run …"; empty where nothing does."""
    if path.suffix.lower() in CODE:
        return "code"
    if holds_pickle(path):
        return "a pickle, or an archive that may hold one"
    if path.name.endswith(CONFIG) and path.stat().st_size > MOST_JSON:
        return f"a config of more than {MOST_JSON:,} bytes, which may name code to run"
    return "a config that names code to run (auto_map)" if names_code(path) else ""


def holds_pickle(path: Path) -> bool:
    """Whether a file is a pickle of any protocol, or an archive that may hold one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(START)
        if path.suffix == ".safetensors" and _is_safetensors(file):
            return False
        if start.startswith((*PROTOCOLS, *ARCHIVES)) or start.startswith(TAR, TAR_START) or _is_zlib(start):
            return True
        file.seek(0)
        return _runs_as_pickle(file)


def _is_zlib(start: bytes) -> bool:
    """Whether a file is packed by zlib: two letters of a text may look so."""
    if not start.startswith(ZLIB):
        return False
    try:
        return bool(zlib.decompressobj().decompress(start))
    except zlib.error:
        return False


def _is_safetensors(file: BinaryIO) -> bool:
    """Whether a file is what its name says: a length in 8 bytes, and so many bytes of JSON on tensors."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= MOST_HEADER:
        return False
    header = file.read(length)
    try:
        found = json.loads(header)
    except (ValueError, RecursionError):
        return False
    return len(header) == length and isinstance(found, dict)


def names_code(path: Path) -> bool:
    """Whether a file is a config of transformers with `auto_map`, which names classes in files beside it."""
    if not path.name.endswith(CONFIG) or path.stat().st_size > MOST_JSON:
        return False
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(config, dict) and bool(config.get("auto_map"))


def _runs_as_pickle(file: BinaryIO) -> bool:
    """Whether opcodes follow each other without a mistake up to the end of a pickle, or to one that calls something."""
    stack: list[Any] = []
    try:
        for count, (opcode, _, _) in enumerate(pickletools.genops(cast("BinaryIO", _Bounded(file)))):
            if opcode.name == "STOP":
                return bool(stack)
            _follow(opcode, stack)
            if opcode.name in RUNS or count > MOST_OPCODES:
                return True
    except _TooLong:
        return True
    except (ValueError, IndexError, OverflowError, MemoryError):  # not a pickle: an unknown opcode, an empty stack
        return False
    return False


def _follow(opcode: Any, stack: list[Any]) -> None:
    """Do to a stack of kinds what an opcode does. Raises IndexError where it takes more than there is."""
    taken = list(opcode.stack_before)
    if pickletools.markobject in taken:  # from the last mark on; what stands before the mark in `taken` goes, too
        while stack.pop() is not pickletools.markobject:
            pass
        taken = taken[: taken.index(pickletools.markobject)]
    for _ in taken:
        stack.pop()
    stack += opcode.stack_after


class _TooLong(Exception):
    """An argument of an opcode is longer than is read here."""


class _Bounded:
    """A file that gives no piece longer than LONGEST, whatever an opcode asks for."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def tell(self) -> int:
        return self.file.tell()

    def read(self, size: int) -> bytes:
        found = self.file.read(min(size, LONGEST))
        if len(found) == LONGEST and size > LONGEST:
            raise _TooLong
        return found

    def readline(self) -> bytes:
        found = self.file.readline(LONGEST)
        if len(found) == LONGEST:
            raise _TooLong
        return found
