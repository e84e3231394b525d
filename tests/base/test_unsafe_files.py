"""Unsafe files: pickles of every protocol are recognised by content, and plain files are not taken for pickles."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from advisor.base import unsafe_files
from advisor.base.unsafe_files import danger, holds_pickle


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("never",)


CHECKOUT = Path(__file__).parents[2]
HARMLESS = [0, None, "text", [1, 2.5], {"a": (1, [b"x"])}, 2**70, {"weights": list(range(300))}]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [Evil(), *HARMLESS], ids=lambda value: str(value)[:12])
def test_pickles_of_every_protocol_whatever_they_are_called(protocol: int, value: Any, tmp_path: Path) -> None:
    file = tmp_path / "vocab.txt"
    file.write_bytes(pickle.dumps(value, protocol))
    assert holds_pickle(file) and "pickle" in danger(file)
    assert not Path("never").exists()


BY_HAND = {
    "inst": b"(S'never'\nios\nmkdir\n.",
    "no end": b"cos\nmkdir\n(S'never'\ntR",
    "rubbish behind": b"cos\nmkdir\n(S'never'\ntR\x00\x00rubbish",
    "object": b"(cos\nmkdir\nS'never'\no.",
    "a mark first": b"(0cos\nmkdir\n(S'never'\ntR.",
    "long text first": b"V" + b"x" * 100_000 + b"\n0cos\nmkdir\n(S'never'\ntR.",
}


@pytest.mark.parametrize("content", BY_HAND.values(), ids=BY_HAND)
def test_pickles_that_nobody_would_write(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "merges.txt").write_bytes(content)
    assert holds_pickle(tmp_path / "merges.txt")


def test_a_pickle_behind_more_opcodes_or_a_longer_text_than_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"N0" * unsafe_files.MOST_OPCODES + BY_HAND["inst"])
    assert holds_pickle(file)
    monkeypatch.setattr(unsafe_files, "LONGEST", 1000)
    for long in (b"V" + b"x" * 2000 + b"\n0", b"X" + (2000).to_bytes(4, "little") + b"x" * 2000 + b"0"):
        file.write_bytes(long + BY_HAND["inst"])
        assert holds_pickle(file)


def test_archives_that_may_hold_a_pickle(tmp_path: Path) -> None:
    import numpy
    import torch
    from pyarrow import compress

    torch.save({"a": torch.zeros(2)}, tmp_path / "new")
    torch.save({"a": torch.zeros(2)}, tmp_path / "old", _use_new_zipfile_serialization=False)
    (tmp_path / "gz").write_bytes(gzip.compress(pickle.dumps(1)))
    for level in range(10):  # joblib's usual level is 3
        (tmp_path / f"zlib-{level}").write_bytes(zlib.compress(pickle.dumps(list(range(9_000))), level))
    (tmp_path / "lzma").write_bytes(lzma.compress(pickle.dumps(1), lzma.FORMAT_ALONE))
    (tmp_path / "zstd").write_bytes(compress(pickle.dumps(1), "zstd", asbytes=True))
    (tmp_path / "lz4").write_bytes(compress(pickle.dumps(1), "lz4", asbytes=True))
    with tarfile.open(tmp_path / "tar", "w") as tar:
        member = tarfile.TarInfo("pickle")
        tar.addfile(member, io.BytesIO())
    with (tmp_path / "npy").open("wb") as file:
        numpy.save(file, numpy.array([{}]), allow_pickle=True)
    assert all(holds_pickle(file) for file in tmp_path.iterdir())


def test_plain_files_are_no_pickles(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    texts = [
        "",
        ".",
        "\n",
        "[PAD]\n[UNK]\n",
        "#version: 0.2\na b\n",
        "I am\n",
        "class\nof\nwords",
        "x^2 and y^2\n",
        "---\n# Model card\n",
    ]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text)
    files = [*tmp_path.iterdir(), *(CHECKOUT / "rules").rglob("*.yaml"), *(CHECKOUT / "docs").rglob("*.md")]
    files += [file for folder in checkpoints.values() for file in folder.iterdir()]
    assert [file for file in files if danger(file)] == []


def test_configs_that_name_code(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / name).write_text('{"auto\\u005fmap": {"AutoTokenizer": [null, "own.Own"]}}')
        assert "auto_map" in danger(tmp_path / name)
    for plain in ("{}", '{"auto_map": {}}', "[1]", "{", "[" * 100_000):
        (tmp_path / "config.json").write_text(plain)
        assert not danger(tmp_path / "config.json")
    (tmp_path / "vocab.json").write_text(json.dumps({"auto_map": 3}))
    assert not danger(tmp_path / "vocab.json")
    with (tmp_path / "tokenizer_config.json").open("wb") as file:
        file.truncate(unsafe_files.MOST_JSON + 1)
    assert "which may name code" in danger(tmp_path / "tokenizer_config.json")
    (tmp_path / "own.PY").touch()
    assert danger(tmp_path / "own.PY") == "code"


def test_a_length_that_reads_as_opcodes_makes_no_pickle_of_safetensors(tmp_path: Path) -> None:
    """Seen: a model of 8 layers whose header is 15,704 bytes long, 0x3D58, which is the opcode of a text."""
    padded = json.dumps({"__metadata__": {"format": "." * 61}}).ljust(0x3D58).encode()
    file = tmp_path / "model.safetensors"
    file.write_bytes(len(padded).to_bytes(8, "little") + padded + b"\x00" * 64)
    assert not holds_pickle(file)
    assert holds_pickle(file.rename(tmp_path / "model.bin"))  # no library would take this one for tensors
    file.write_bytes(pickle.dumps([1], 0))
    assert holds_pickle(file)


def test_weights_that_begin_like_a_registered_extension_are_no_pickle(tmp_path: Path) -> None:
    """Three of 256 files of plain numbers begin with such a byte, as OpenVINO's may."""
    for first in (0x82, 0x83, 0x84):
        file = tmp_path / "openvino_model.bin"
        file.write_bytes(bytes([first]) + bytes.fromhex("18553d7fd49abb66bd3bbce63db0bd"))
        assert not holds_pickle(file)
