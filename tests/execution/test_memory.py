"""A model that this machine cannot hold is refused before memory is taken; absurd sizes before that."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from limited import limited, long_texts
from transformers import AutoConfig, AutoModel

from advisor.base.errors import AdviseError, memory_is_out
from advisor.cli import main
from advisor.execution.memory import available, for_states, needed, of_batch, refuse_too_large
from advisor.families import registry
from advisor.recipe.plan import PlannedStep, plan
from advisor.recipe.recipe import DataSource, ModelSource, Recipe
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.layer_removal import LayerRemoval

BERT = registry.find("bert")


def planned(*steps):  # type: ignore[no-untyped-def]
    assert BERT
    found = plan(Recipe(1, "x", ModelSource("bert"), "cpu", steps), BERT.config)
    assert found
    return found


def test_what_training_takes_by_hand() -> None:
    """16 bytes for each weight that is trained; the teacher is gone while a student learns."""
    whole = planned(Finetune(), LayerRemoval(keep=8), Distillation())
    teacher = whole.baseline_parameters
    assert needed(planned(Finetune())) == needed(whole) == 16 * teacher
    short = planned(LayerRemoval(keep=8), Distillation())
    assert needed(short) == 16 * short.steps[-1].parameters < 16 * teacher
    assert needed(planned(LayerRemoval(keep=8))) == 4 * teacher


def test_too_large_says_how_much_is_needed_and_free() -> None:
    refuse_too_large(planned(Finetune()), "m", None)
    refuse_too_large(planned(Finetune()), "m", 2 * 10**9)
    with pytest.raises(AdviseError, match=r"m: 109,483,778 parameters need at least 1\.8 GB of memory .* 1\.0 GB are"):
        refuse_too_large(planned(Finetune()), "m", 10**9)


def blocks_of(task: str, model_type: str, **sizes: int) -> tuple[PlannedStep, torch.nn.Module]:
    """The plan of fine-tuning a small model that sees or hears, and the model."""
    small = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 128, **sizes}
    config = AutoConfig.for_model(model_type, **small)
    recipe = Recipe(1, "x", ModelSource(model_type), "cpu", (Finetune(),), DataSource(task=task))
    found = plan(recipe, config.to_dict())
    assert found
    return found.steps[0], AutoModel.from_config(config)


@pytest.mark.parametrize(
    ("task", "model_type", "sizes", "inputs"),
    [
        ("image-classification", "vit", {"image_size": 32, "patch_size": 4}, {"pixel_values": (8, 3, 32, 32)}),
        (
            "audio-classification", "whisper",
            {"encoder_layers": 2, "d_model": 32, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
             "encoder_ffn_dim": 128, "num_mel_bins": 16, "max_source_positions": 64, "vocab_size": 32,
             **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 0)},
            {"input_features": (8, 16, 128)},
        ),
    ],
)  # fmt: skip
def test_a_batch_of_images_or_sounds_takes_no_less_than_is_said(
    task: str, model_type: str, sizes: dict[str, int], inputs: dict[str, tuple[int, ...]]
) -> None:
    """PyTorch is asked what it keeps for the gradients."""
    step, model = blocks_of(task, model_type, **sizes)
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    seen = model if model_type == "vit" else model.get_encoder()
    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", torch.bfloat16):
        out = seen(**{name: torch.randn(shape) for name, shape in inputs.items()})
    assert out.last_hidden_state.requires_grad
    said = of_batch(step, 8)
    assert 0.3 * sum(kept.values()) < said <= sum(kept.values())


def test_texts_are_not_counted_as_their_lengths_differ() -> None:
    assert needed(planned(Finetune()), 1000) == needed(planned(Finetune()))


def test_this_machine_has_memory() -> None:
    found = available()
    assert found is None or 10**7 < found < 10**15


@pytest.mark.parametrize(
    ("whole", "limit", "expected"),
    [
        ("64000000 kB", "max", 4 * 1024**3),
        ("8000000 kB", "max", 2_048_000_000),
        ("64000000 kB", "8000000000", 2 * 10**9),
        ("64000000 kB", "2000000000", 2 * 10**9 - 16 * 109_483_778),
        ("64000000 kB", "1000000000", 0),
    ],
)
def test_states_take_a_quarter_of_a_small_machine_or_container(
    whole: str, limit: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal:       {whole}\nMemAvailable:   1000 kB\n")
    (tmp_path / "limit").write_text(f"{limit}\n")
    monkeypatch.setattr("advisor.execution.memory.MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr("advisor.execution.memory.LIMIT", tmp_path / "limit")
    assert for_states(planned(Finetune())) == expected


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"num_hidden_layers": 10**9}, "num_hidden_layers: expected a whole number from 1 to 9,999,999, got 10"),
        ({"hidden_size": 10**7}, "hidden_size: expected a whole number from 1 to 9,999,999, got 10000000"),
        ({"vocab_size": 10**12}, "vocab_size: expected a whole number from 1 to 9,999,999, got 1000000000000"),
        ({"num_labels": 10**9}, "num_labels: expected a whole number from 1 to 100,000, got 1000000000"),
        ({"num_hidden_layers": 999_999, "hidden_size": 9_999_996}, "of memory while they are trained"),
        ({"num_hidden_layers": 200, "hidden_size": 32_768}, "of memory while they are trained"),
    ],
)
def test_sizes_that_cannot_be_are_refused_before_anything_is_loaded(
    sizes: dict[str, int], told: str, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"model_type": "bert", "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4}
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps({**config, "intermediate_size": 64, "vocab_size": 100, **sizes}))
    file, out = tmp_path / "recipe.yaml", tmp_path / "out"
    file.write_text(
        f"version: 1\nname: x\nmodel: {{source: {json.dumps(str(model))}}}\ndevice: edge\nsteps:\n  - finetune: {{}}\n"
    )
    assert main(["run", str(file), "--data", str(text), "--out", str(out)]) == 2
    shown = capsys.readouterr().err
    assert told in shown and "Traceback" not in shown
    assert not out.exists()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("could not create a primitive"), True),
        (RuntimeError("could not create a primitive descriptor for the matmul primitive"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (AdviseError("out of memory"), False),
    ],
)
def test_what_says_that_memory_did_not_suffice(error: Exception, expected: bool) -> None:
    assert memory_is_out(error) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of one process")
def test_a_batch_that_memory_does_not_hold_is_told_and_loses_nothing(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, recipe, out = long_texts(text, tmp_path / "long.jsonl"), tmp_path / "recipe.yaml", tmp_path / "out"
    written = (
        f"version: 1\nname: x\nmodel: {{source: {json.dumps(str(checkpoints['opt']))}}}\n"
        f"data: {{source: {json.dumps(str(data))}}}\ndevice: edge\nsteps:\n  - finetune: {{epochs: 1}}\n"
    )
    recipe.write_text(f"{written}training: {{batch_size: 1000, max_tokens: 1024}}\n")
    with limited(500_000_000):
        assert main(["run", str(recipe), "--out", str(out)]) == 2
    shown = capsys.readouterr().err
    told = "recipe.yaml:8:11: not enough memory for batches of 1,000 rows of up to 1,024 tokens"
    assert told in " ".join(shown.split()) and "Traceback" not in shown
    recipe.write_text(f"{written}training: {{batch_size: 8, max_tokens: 16}}\n")
    assert main(["run", str(recipe), "--out", str(out), "--resume", "--measure-seconds", "0.5"]) in (0, 4)


def test_memory_that_is_out_while_a_model_is_loaded_is_not_blamed_on_batches(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("transformers.AutoModelForSequenceClassification.from_pretrained", fail)
    file = tmp_path / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: x\nmodel: {{source: {json.dumps(str(checkpoints['opt']))}}}\ndevice: edge\n"
        "steps:\n  - finetune: {}\n"
    )
    assert main(["run", str(file), "--data", str(text), "--out", str(tmp_path / "out")]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "not enough memory to load the model" in shown and "batch" not in shown
