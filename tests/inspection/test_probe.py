"""What a model's name stands for: a family's name is a family wherever one works, a path says that it is one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.families import registry
from advisor.inspection import probe
from advisor.recipe.recipe import ModelSource

CONFIG = {
    "model_type": "bert",
    "num_hidden_layers": 3,
    "hidden_size": 192,
    "num_attention_heads": 3,
    "intermediate_size": 768,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder in which every family's name is a folder, `bert` a checkpoint's, and `t5` a file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    for name in registry.names():
        (tmp_path / name).mkdir()
    (tmp_path / "bert/config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "t5").rmdir()
    (tmp_path / "t5").write_text("no config")
    return tmp_path


def test_every_family_is_found_by_its_name_whatever_lies_in_the_working_folder(here: Path) -> None:
    for name in registry.names():
        found = probe.model(name)
        assert (found.facts.family, found.folder) == (name, None)
    assert probe.model("BERT").facts.layers == 12
    assert probe.named(ModelSource("bert", "bert")).facts.layers == 12
    assert probe.named(ModelSource("bert")).facts.layers == 12


@pytest.mark.parametrize("path", ["./bert", "bert/", "bert/config.json", "../{folder}/bert", "{whole}/bert"])
def test_a_path_is_a_path(path: str, here: Path) -> None:
    path = path.format(folder=here.name, whole=here)
    assert probe.model(path).facts.layers == 3
    assert probe.named(ModelSource(path, "bert")).facts.layers == 3


def test_a_folder_of_another_name_needs_no_dot(here: Path) -> None:
    (here / "bert").rename(here / "mine")
    assert probe.model("mine").facts.layers == 3


def test_a_path_that_leads_nowhere_is_no_family(here: Path) -> None:
    with pytest.raises(AdviseError, match=r"\./gpt: no such checkpoint folder or config\.json"):
        probe.model("./gpt")


def test_commands_work_in_such_a_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for family in ("opt", "bert", "t5", "gpt2"):
        assert main(["--model", family, "--samples", "3000", "--device", "cpu", "-o", "recipe.yaml"]) == 0
        assert main(["check", "recipe.yaml"]) == 0
    assert main(["rules", "test"]) == 0
    capsys.readouterr()
