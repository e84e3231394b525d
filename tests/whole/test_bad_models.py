"""Models that cannot be run are refused before their weights are read: a clear message, exit code 2, no folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
from packs import open_pack
from transformers import AutoConfig, AutoModel, PreTrainedModel

from advisor.cli import main

LAYERS = "  - finetune: {epochs: 1}\n  - layer_removal: {keep: 3}\n  - distillation: {epochs: 1}\n"
HEADS = "  - finetune: {epochs: 1}\n  - matrix_pruning: {heads: 3, increments: 1, epochs: 1}\n"
INT8 = "  - finetune: {epochs: 1}\n  - quantization: {backend: onnxruntime}\n"
SMALL = {"num_hidden_layers": 4, "hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 96}


def tampered(family: str, **config: Any) -> Callable[[Path], None]:
    """Makes a checkpoint whose config says something else afterwards."""

    def made(folder: Path) -> None:
        tiny.checkpoint(family, folder)
        tiny.configure(folder, **config)

    return made


def of_type(name: str, **config: Any) -> Callable[[Path], None]:
    """Makes a checkpoint of a type that `tiny` does not have."""

    def made(folder: Path) -> None:
        sizes = {**SMALL, "num_key_value_heads": 2, "vocab_size": tiny.VOCABULARY, "pad_token_id": 0, **config}
        AutoModel.from_config(AutoConfig.for_model(name, **sizes)).save_pretrained(folder)
        tiny.tokenizer("llama").save_pretrained(folder)

    return made


@pytest.fixture(autouse=True)
def no_weights_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading the model of a test fails; the small ones that proofs are made on load."""
    usual = PreTrainedModel.from_pretrained.__func__

    def read(class_: Any, folder: Any, *arguments: Any, **options: Any) -> Any:
        assert Path(folder) != tmp_path / "model", "weights are read"
        return usual(class_, folder, *arguments, **options)

    monkeypatch.setattr(PreTrainedModel, "from_pretrained", classmethod(read))


def refused(folder: Path, text: Path, make: Callable[[Path], None], steps: str, code: int) -> None:
    """Run a recipe of these steps on a model, which is refused."""
    make(folder / "model")
    pack = open_pack(folder / "pack")
    (folder / "recipe.yaml").write_text(
        f"version: 1\nname: bad\nmodel: {{source: {json.dumps(str(folder / 'model'))}}}\ndevice: cpu\n"
        f"data: {{source: {json.dumps(str(text))}}}\nsteps:\n{steps}training: {{max_tokens: 24}}\n"
    )
    arguments = ["run", str(folder / "recipe.yaml"), "--out", str(folder / "out"), "--policy", str(pack)]
    assert main([*arguments, "--no-ledger"]) == code
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("make", "steps", "told"),
    [
        (tampered("bert", model_type="new-thing"), LAYERS, "transformers knows no model type 'new-thing'"),
        (tampered("llama", layer_types=["strange"] * 4), LAYERS, "layer_types"),
        (tampered("llama", num_attention_heads=5), LAYERS, "num_attention_heads 5"),
        (tampered("bert", auto_map={"AutoModel": "code.Own"}), LAYERS, "comes with code of its own (auto_map)"),
        (
            tampered("bert", model_type="own", auto_map={"AutoModel": "code.Own"}),
            LAYERS,
            "comes with code of its own (auto_map)",
        ),
        (
            of_type("mixtral", num_local_experts=2),
            INT8,
            "cannot be written as ONNX: Exporting the operator 'aten::histc'",
        ),
        (tampered("bert", intermediate_size=80), LAYERS, "(96 x 48, not 80 x 48)"),
        (tampered("llama", num_key_value_heads=3), LAYERS, "num_attention_heads 4 cannot be divided by"),
        (of_type("granite"), LAYERS, "text-classification cannot be run with granite"),
        (of_type("mamba", state_size=4, expand=1), LAYERS, "is no attention (MambaBlock)"),
    ],
    ids=["type", "class", "heads", "code", "code of a type", "ONNX", "shapes", "groups", "head", "mamba"],
)
def test_it_is_refused_before_weights_are_read(
    make: Callable[[Path], None],
    steps: str,
    told: str,
    text: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused(tmp_path, text, make, steps, 2)
    assert told in " ".join(capsys.readouterr().err.split())


def test_heads_that_no_group_divides_are_found_by_review(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(tmp_path, text, tampered("llama"), HEADS, 1)  # as every finding of `advise check`
    said = " ".join(capsys.readouterr().err.split())
    assert "heads 3: each 2 heads share a key and value, and go together: try 4" in said


def test_a_student_with_other_labels_is_refused(text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"architectures": ["DistilBertForSequenceClassification"], "id2label": {"0": "a", "1": "b", "2": "c"}}
    student = tiny.checkpoint("distilbert", tmp_path / "student", n_layers=2)
    tiny.configure(student, **names)
    steps = f"  - finetune: {{epochs: 1}}\n  - distillation: {{student: {json.dumps(str(student))}, epochs: 1}}\n"
    refused(tmp_path, text, tampered("bert"), steps, 2)
    assert "its head has 3 labels, the task has 2" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"layer_types": ["strange"] * 4}, "`layer_types` entries must be in"),
        ({"layer_types": ["full_attention"] * 3}, "`num_hidden_layers` (4) must be equal to"),
        ({"rope_parameters": {"rope_type": "nonsense"}}, "'nonsense' (rope_parameters.rope_type in config.json)"),
        ({"dtype": "nonsense"}, "no attribute 'nonsense' (dtype in config.json)"),
        (
            {"id2label": ["asyncio", "email"]},
            "id2label: expected names by number, from 0, got ['asyncio', 'email']",
        ),
    ],
)
def test_a_config_that_transformers_refuses_is_found_by_a_dry_run(
    changes: dict[str, Any], told: str, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.checkpoint("llama", tmp_path / "model")
    tiny.configure(tmp_path / "model", **changes)
    (tmp_path / "recipe.yaml").write_text(
        f"version: 1\nname: bad\nmodel: {{source: ./model}}\ndevice: edge\ndata: {{source: {json.dumps(str(text))}}}\n"
        "steps:\n  - finetune: {epochs: 1}\n"
    )
    assert main(["run", str(tmp_path / "recipe.yaml"), "--dry-run"]) == 2
    shown = capsys.readouterr()
    assert told in " ".join(shown.err.split()) and "model/config.json" in shown.err and not shown.out
