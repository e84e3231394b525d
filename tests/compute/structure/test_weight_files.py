"""Weight files: safetensors in the folder are read, and nothing else; what is beside them is neither read nor kept."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import students
import tiny
import torch
from safetensors.torch import load_file, save_file

from advisor.base.errors import AdviseError
from advisor.compute.structure import checkpoint
from advisor.compute.tasks.text_classification import TextClassification

LABELS = ("a", "b")
INDEX = "model.safetensors.index.json"


@pytest.fixture
def folder(checkpoints: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoints["bert"], tmp_path / "model"))


class Evil:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def shard(folder: Path, name: str) -> dict[str, torch.Tensor]:
    """Make the checkpoint a sharded one, whose tensors are all in the file of this name, which is not written."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    index = {"metadata": {"total_size": 1}, "weight_map": dict.fromkeys(tensors, name)}
    (folder / INDEX).write_text(json.dumps(index))
    return tensors


def refused(folder: Path) -> str:
    with pytest.raises(AdviseError) as caught:
        checkpoint.load(folder, students.family("bert"), TextClassification(LABELS))
    return str(caught.value)


@pytest.mark.parametrize("name", ["x.bin", "../secret.pt", "sub/x.bin", "../secret.safetensors", "/etc/passwd", ".."])
def test_an_index_that_leads_to_other_files_is_refused_unread(name: str, folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    shard(folder, name)
    (folder / "sub").mkdir()
    if "passwd" not in name and name != "..":
        (folder / name).write_bytes(pickle.dumps(Evil(trace)))
    told = refused(folder)
    assert f"{folder / INDEX}: cannot be loaded: expected .safetensors files in the same folder, got {name}" in told
    assert not trace.exists()


def test_even_plain_weights_that_are_a_pickle_are_refused(folder: Path) -> None:
    tensors = shard(folder, "x.bin")
    torch.save(tensors, folder / "x.bin")
    assert "got x.bin" in refused(folder)
    (folder / INDEX).unlink()
    (folder / "x.bin").rename(folder / "pytorch_model.bin")
    assert "its weights are a pickle, pytorch_model.bin" in refused(folder)


def test_a_pickle_named_as_safetensors(folder: Path, tmp_path: Path) -> None:
    for protocol in (0, 2):
        (folder / "model.safetensors").write_bytes(pickle.dumps(Evil(tmp_path / "trace"), protocol))
        assert "its weights are a pickle" in refused(folder)
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"weight_map": 3}', '{"weight_map": {"a": [1]}}', "[" * 100_000])
def test_an_index_that_is_none(content: str, folder: Path) -> None:
    shard(folder, "x.safetensors")
    (folder / INDEX).write_text(content)
    assert str(folder / INDEX) in refused(folder)


def test_a_sharded_checkpoint_is_read(folder: Path) -> None:
    whole = students.scores(checkpoint.load(folder, students.family("bert"), TextClassification(LABELS))[0], "bert")
    tensors = shard(folder, "model-00001-of-00001.safetensors")
    assert "model-00001-of-00001.safetensors is missing" in refused(folder)
    save_file(tensors, folder / "model-00001-of-00001.safetensors", {"format": "pt"})
    found, _ = checkpoint.load(folder, students.family("bert"), TextClassification(LABELS))
    assert torch.equal(students.scores(found, "bert"), whole)


def test_code_and_pickles_beside_safetensors_are_neither_opened_nor_kept(folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(trace)))
    (folder / "training_args.bin").write_bytes(pickle.dumps(Evil(trace), 0))
    for name in ("own.py", "modeling_own.py"):
        (folder / name).write_text(f"import os\nos.mkdir({str(trace)!r})\n")
    names = {"AutoTokenizer": [None, "own.Own"], "AutoConfig": "own.C", "AutoModel": "modeling_own.M"}
    tiny.configure(folder, auto_map=names)
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "auto_map": names}))
    for path in folder.iterdir():
        if path.suffix in (".py", ".bin"):
            path.chmod(0)  # says so where it is opened, unless the tests are run by root
    scorer, tokenizer = checkpoint.load(folder, students.family("bert"), TextClassification(LABELS))
    checkpoint.save(scorer, tokenizer, tmp_path / "saved")
    assert not trace.exists()
    assert not [path.name for path in (tmp_path / "saved").iterdir() if path.suffix in (".py", ".bin")]
    assert not [path.name for path in (tmp_path / "saved").glob("*.json") if "auto_map" in path.read_text()]


def test_an_adapter_is_refused(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/elsewhere"}))
    assert "merge the adapter" in refused(folder)
