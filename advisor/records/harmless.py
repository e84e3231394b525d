"""Can a file of a run's folder run code when somebody loads it? Told by its content, whatever it is called."""

from __future__ import annotations

import json
import pickletools
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from pathlib import Path

PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill", ".npy", ".npz", ".h5", ".msgpack"}
CODE = {".py", ".pyc", ".so", ".dll", ".sh"}
PICKLE_STARTS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
ZIP_START = b"PK\x03\x04"  # torch.save writes a zip file with a pickle in it
NAMES = {"GLOBAL", "INST", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4"}  # fetch something importable
CALLS = {"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"}  # run it
MOST_BYTES, MOST_OPS = 4_000_000, 10_000  # that are looked at; no text reads as a pickle for so long
MOST_CONFIG = 1_000_000  # bytes; larger JSON files are tokenizers and numbers, which name no code


def harm(path: Path) -> str:
    """What about a regular file could run code; empty where nothing does."""
    if path.suffix in CODE:
        return "code"
    openvino = path.suffix == ".bin" and path.with_suffix(".xml").is_file()
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start == ZIP_START or start.startswith(PICKLE_STARTS) or _is_old_pickle(file):
            return "a pickle, or an archive that may hold one"
    if path.suffix in PICKLES and not openvino:
        return "no safetensors, ONNX or OpenVINO file"
    return "a config that names code of its own (auto_map)" if _names_code(path) else ""


def _is_old_pickle(file: BufferedReader) -> bool:
    """Protocols 0 and 1 have no mark at their start. Do the bytes read as one that ends, or that calls something?"""
    named = False
    for place, name in enumerate(_operations(file)):
        named |= name in NAMES
        if (named and name in CALLS) or (name == "STOP" and place > 0) or place >= MOST_OPS:
            return True
    return False


def _operations(file: BufferedReader) -> Iterator[str]:
    """The operations of a pickle as far as the bytes are any."""
    try:
        yield from (operation.name for operation, _, _ in pickletools.genops(BytesIO(file.read(MOST_BYTES))))
    except Exception:  # pickletools has no one error for bytes that are no pickle
        return


def _names_code(path: Path) -> bool:
    if path.suffix != ".json" or path.stat().st_size > MOST_CONFIG:
        return False
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool(value.get("auto_map"))
