"""Checkpoints: what is saved comes back whole with the stock class, and what does not is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import students
import tiny
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from advisor.base.errors import AdviseError
from advisor.compute.structure import checkpoint
from advisor.compute.structure.processors import save_processor
from advisor.compute.structure.proven import structure_of
from advisor.compute.structure.surgery import keep_layers, narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.text_classification import TextClassification

NAMES = ("asyncio", "email")


def saved(one: Scorer, folder: Path) -> Path:
    checkpoint.save(one, students.tokenizer(), folder)
    return folder


def predicted(one: Scorer, name: str) -> int:
    return students.family(name).parameters(students.config_of(one))


def refusal(one: Scorer, folder: Path, name: str, more: int = 0) -> str:
    with pytest.raises(AdviseError) as caught:
        checkpoint.prove(one, folder, students.batch(name), predicted(one, name) + more)
    (fault,) = caught.value.faults
    assert fault.file == str(folder)
    return fault.message


# Saving and proving -------------------------------------------------------------------------------


def fewer_layers(name: str) -> Scorer:
    whole = students.student(name)
    return keep_layers(whole, {stack: (1, 2) for stack, _ in students.blocks_of(whole, name)})


def narrower(name: str) -> Scorer:
    whole = students.student(name)
    structure = structure_of(whole.model)
    numbers = {"hidden": range(0, 48, 2), "heads": (0, 3), "ffn": range(60, 92)}
    return narrow(whole, {(unit, site): kept for unit, kept in numbers.items() for site in structure.sites(unit)})


@pytest.mark.parametrize("make", [students.student, fewer_layers, narrower], ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_models_of_every_shape_reload_with_the_stock_class(
    name: str, make: Callable[[str], Scorer], tmp_path: Path
) -> None:
    one = make(name)
    folder = saved(one, tmp_path / "model")
    checkpoint.prove(one, folder, students.batch(name), predicted(one, name))
    again = type(one.model).from_pretrained(folder)
    students.assert_equal_scores(one.around(again), one, name)
    assert checkpoint.parameters(again) == predicted(one, name)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert checkpoint.size_bytes(folder) == (folder / "model.safetensors").stat().st_size


def test_the_tokenizer_has_a_name_that_older_libraries_know(tmp_path: Path) -> None:
    """transformers 4, and optimum with it, refuse `TokenizersBackend`, as transformers 5 writes."""
    tokenizer = students.tokenizer()
    tokenizer.save_pretrained(tmp_path / "stock")
    save_processor(tokenizer, tmp_path / "ours")
    stock, ours = (json.loads((tmp_path / one / "tokenizer_config.json").read_text()) for one in ("stock", "ours"))
    assert stock["tokenizer_class"] == "TokenizersBackend"
    assert ours == {**stock, "tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": True}
    assert AutoTokenizer.from_pretrained(tmp_path / "ours")("import os").input_ids == tokenizer("import os").input_ids


def test_a_wrong_prediction_is_refused(tmp_path: Path) -> None:
    one = students.student("bert")
    message = refusal(one, saved(one, tmp_path / "model"), "bert", more=1)
    count = checkpoint.parameters(one.model)
    assert message == f"the model has {count:,} parameters, {count + 1:,} were predicted"


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_changed_tensor_is_refused(name: str, tmp_path: Path) -> None:
    one = students.student(name)
    folder = saved(one, tmp_path / "model")
    matrix = feed_forward(one)
    tiny.tamper(folder, lambda tensors: tensors[matrix].add_(0.01))
    assert refusal(one, folder, name).startswith("the reloaded model answers differently, by 0.")


def feed_forward(one: Scorer) -> str:
    """A matrix of the second block; GPT-2 stores its matrices the other way round."""
    rows = structure_of(one.model).tensors()
    return next(name for name, row, site in rows if set(row.axes) == {"ffn", "hidden"} and site.endswith(".1"))


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_missing_and_a_left_over_tensor_are_refused(name: str, tmp_path: Path) -> None:
    one = students.student(name)
    folder = saved(one, tmp_path / "model")
    gone = feed_forward(one)
    tiny.tamper(folder, lambda tensors: tensors.pop(gone))
    message = refusal(one, folder, name)
    assert (
        message.startswith("the saved checkpoint is not complete when it is reloaded: {'missing_keys': [")
        and gone in message
    )
    tiny.tamper(folder, lambda tensors: tensors.update({gone: torch.zeros(3, 3), "adapter.weight": torch.zeros(3)}))
    message = refusal(one, folder, name)
    assert "'unexpected_keys': ['adapter.weight']" in message and "'mismatched_keys': [" in message and gone in message


@pytest.mark.parametrize(
    ("name", "key"), [("bert", "num_attention_heads"), ("gpt2", "n_head"), ("opt", "num_attention_heads")]
)
def test_fewer_heads_in_the_config_alone_are_refused(name: str, key: str, tmp_path: Path) -> None:
    """It loads, runs, has the predicted number of parameters, and computes something else."""
    one = students.student(name)
    folder = saved(one, tmp_path / "model")
    tiny.configure(folder, **{key: 2})
    assert refusal(one, folder, name).startswith("the reloaded model answers differently, by ")


@pytest.mark.parametrize("changes", [{"num_heads": 2}, {"d_kv": 6}, {"num_layers": 3}, {"num_layers": 5}], ids=str)
def test_a_config_of_t5_that_does_not_fit_its_weights_is_refused(changes: dict[str, int], tmp_path: Path) -> None:
    one = students.student("t5")
    folder = saved(one, tmp_path / "model")
    tiny.configure(folder, **changes)
    assert refusal(one, folder, "t5").startswith("the saved checkpoint is not complete when it is reloaded: {'")


def test_position_bias_that_went_with_block_0_is_refused(tmp_path: Path) -> None:
    """T5 runs without it, and it comes back at random."""
    one = students.student("t5")
    folder = saved(one, tmp_path / "model")
    bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    tiny.tamper(folder, lambda tensors: tensors.pop(bias))
    assert bias in refusal(one, folder, "t5")


# Loading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_base_checkpoint_gets_its_labels_and_a_head_by_seed(name: str, checkpoints: dict[str, Path]) -> None:
    family = students.family(name)
    one, again, other = (
        checkpoint.load(checkpoints[name], family, TextClassification(NAMES), seed)[0] for seed in (0, 0, 1)
    )
    assert one.model.config.num_labels == 2 and one.model.config.pad_token_id is not None
    assert one.model.config.id2label == dict(enumerate(NAMES))
    assert torch.equal(students.scores(one, name), students.scores(again, name))
    head_at_random = name != "t5"
    assert torch.equal(students.scores(one, name), students.scores(other, name)) != head_at_random
    assert checkpoint.parameters(one.model) == predicted(one, name)


def test_a_fine_tuned_checkpoint_keeps_its_head(tmp_path: Path) -> None:
    one = students.student("bert")
    loaded, _ = checkpoint.load(saved(one, tmp_path / "model"), students.family("bert"), TextClassification(NAMES))
    students.assert_equal_scores(loaded, one, "bert")
    wider, _ = checkpoint.load(tmp_path / "model", students.family("bert"), TextClassification(("a", "b", "c")))
    assert wider.model.config.num_labels == 3
    assert torch.equal(wider.model.bert.pooler.dense.weight, one.model.bert.pooler.dense.weight)


def damage(folder: Path, how: str) -> None:
    weights = folder / "model.safetensors"
    if how == "cut off":
        weights.write_bytes(weights.read_bytes()[:-1000])
    elif how == "no safetensors":
        weights.write_bytes(b"not weights at all")
    elif how == "pickled":
        torch.save(load_file(weights), folder / "pytorch_model.bin")
        weights.unlink()
    elif how == "no weights":
        weights.unlink()
    elif how == "no tokenizer":
        for file in folder.glob("tokenizer*"):
            file.unlink()
    elif how == "other family":
        tiny.configure(folder, model_type="no such family")
    else:
        (folder / "config.json").write_text("{")


@pytest.mark.parametrize(
    "how", ["cut off", "no safetensors", "pickled", "no weights", "no tokenizer", "other family", "broken config"]
)
def test_checkpoints_that_cannot_be_loaded(how: str, tmp_path: Path) -> None:
    folder = saved(students.student("bert"), tmp_path / "model")
    damage(folder, how)
    with pytest.raises(AdviseError) as caught:
        checkpoint.load(folder, students.family("bert"), TextClassification(NAMES))
    (fault,) = caught.value.faults
    assert fault.file == str(folder) and fault.message.startswith("cannot be loaded: ")
    assert fault.hint.startswith("give --model a folder with config.json, model.safetensors and a tokenizer")
