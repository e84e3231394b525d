"""Loadable: nonsense in a config or a tokenizer is told in words, whatever transformers makes of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import students
import tiny
import torch

from advisor.base.errors import AdviseError, Fault
from advisor.compute.structure import checkpoint
from advisor.compute.tasks.text_classification import TextClassification
from advisor.inspection import probe

ACTIVATIONS = {"bert": "hidden_act", "gpt2": "activation_function", "opt": "activation_function"}


@pytest.fixture
def folder(request: pytest.FixtureRequest, checkpoints: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a checkpoint: BERT's, or that of the parameter `name`."""
    name = request.node.callspec.params.get("name", "bert") if hasattr(request.node, "callspec") else "bert"
    return Path(shutil.copytree(checkpoints[name], tmp_path / "model"))


def refused(folder: Path, name: str = "bert") -> Fault:
    with pytest.raises(AdviseError) as caught:
        checkpoint.load(folder, students.family(name), TextClassification(("a", "b")))
    (fault,) = caught.value.faults
    return fault


@pytest.mark.parametrize("file", ["added_tokens.json", "chat_template.jinja", "model.safetensors.index.json"])
def test_a_named_pipe_is_not_waited_for(file: str, folder: Path) -> None:
    os.mkfifo(folder / file)
    fault = refused(folder)
    assert fault.file == str(folder / file) and fault.message == "is no regular file"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_unknown_activation(name: str, folder: Path) -> None:
    tiny.configure(folder, **{ACTIVATIONS[name]: "gelu_fast2"})
    fault = refused(folder, name)
    assert fault.file == str(folder / "config.json")
    assert fault.message == f"{ACTIVATIONS[name]}: transformers has no activation 'gelu_fast2'"
    assert fault.hint == "did you mean 'gelu_fast'?"


@pytest.mark.parametrize(("name", "feed_forward"), [("t5", "gated-x-y"), ("t5", "reluu"), ("t5", "gated-")])
def test_an_unknown_feed_forward_of_t5(name: str, feed_forward: str, folder: Path) -> None:
    tiny.configure(folder, feed_forward_proj=feed_forward)
    assert refused(folder, name).message == f"feed_forward_proj: transformers has no activation {feed_forward!r}"


PADDING = "AssertionError: Padding_idx must be within num_embeddings"


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("bert", {"initializer_range": "x"}, "TypeError: Field 'initializer_range' expected float, got str"),
        ("gpt2", {"initializer_range": "x"}, "TypeError: Field 'initializer_range' expected float, got str"),
        ("opt", {"init_std": "x"}, "TypeError: "),
        ("t5", {"initializer_factor": "x"}, "TypeError: Field 'initializer_factor' expected float, got str"),
        ("bert", {"pad_token_id": 10**9}, PADDING),
        ("opt", {"pad_token_id": 10**9}, PADDING),
    ],
)
def test_what_transformers_stumbles_over_is_no_internal_error(
    name: str, changes: dict[str, Any], told: str, folder: Path
) -> None:
    tiny.configure(folder, **changes)
    fault = refused(folder, name)
    assert fault.message.startswith(f"cannot be loaded: {told}") and fault.file == str(folder) and fault.hint


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("tokenizer_config.json", "[]", "expected a mapping, got []"),
        ("special_tokens_map.json", "null", "expected a mapping, got null"),
        ("added_tokens.json", '"x"', 'expected a mapping, got "x"'),
        ("tokenizer.json", "[[3]]", "expected a mapping, got [[3]]"),
        ("tokenizer.json", "{", "not JSON: Expecting property name enclosed in double quotes"),
        ("tokenizer.json", "[" * 100_000, "not JSON text"),
    ],
)
def test_files_of_a_tokenizer_that_hold_something_else(file: str, content: str, told: str, folder: Path) -> None:
    (folder / file).write_text(content)
    fault = refused(folder)
    assert fault.file == str(folder / file) and fault.message == f"cannot be loaded: {told}"


def test_a_mapping_that_is_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"a": 1}')
    assert refused(folder).message == "cannot be loaded: KeyError: 'added_tokens'"


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("bert", {"layer_norm_eps": "x"}, "layer_norm_eps: expected a small number above 0, got 'x'"),
        ("gpt2", {"layer_norm_epsilon": -1}, "layer_norm_epsilon: expected a small number above 0, got -1"),
        ("bert", {"hidden_dropout_prob": "0.1"}, "hidden_dropout_prob: expected a number from 0 to 1, got '0.1'"),
        ("opt", {"dropout": 5}, "dropout: expected a number from 0 to 1, got 5"),
        ("bert", {"hidden_act": 3}, "hidden_act: expected the name of an activation, got 3"),
        ("t5", {"decoder_start_token_id": 10**9}, "decoder_start_token_id: expected a token from 0 to 399, got 10"),
        (
            "t5",
            {"relative_attention_num_buckets": 2},
            "relative_attention_num_buckets: expected a whole number from 4 to 9,999,999, got 2",
        ),
        ("t5", {"relative_attention_max_distance": 0}, "relative_attention_max_distance: expected a whole number from"),
        ("t5", {"relative_attention_max_distance": "x"}, "relative_attention_max_distance: expected a whole number"),
    ],
)
def test_numbers_that_make_no_sense_are_told_without_weights(
    name: str, changes: dict[str, Any], told: str, folder: Path
) -> None:
    probe.model(str(folder))
    tiny.configure(folder, **changes)
    with pytest.raises(AdviseError) as caught:
        probe.model(str(folder))
    (fault,) = caught.value.faults
    assert told in fault.message and fault.file == str(folder / "config.json")


def test_all_that_makes_no_sense_is_told_at_once(folder: Path) -> None:
    tiny.configure(folder, layer_norm_eps="x", hidden_dropout_prob=-1, hidden_size=0)
    with pytest.raises(AdviseError) as caught:
        probe.model(str(folder))
    assert [fault.message.split(":")[0] for fault in caught.value.faults] == [
        *("hidden_size", "hidden_dropout_prob", "layer_norm_eps")
    ]


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_feed_forward_in_chunks_is_computed_at_once(name: str, folder: Path) -> None:
    """transformers takes chunks only of texts whose tokens they divide; the answers are the same."""
    whole = students.scores(checkpoint.load(folder, students.family(name), TextClassification(("a", "b")))[0], name)
    tiny.configure(folder, chunk_size_feed_forward=10**9)
    chunked, _ = checkpoint.load(folder, students.family(name), TextClassification(("a", "b")))
    assert torch.equal(students.scores(chunked, name), whole)


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_config_that_asks_for_other_outputs(name: str, folder: Path, tmp_path: Path) -> None:
    whole = students.scores(checkpoint.load(folder, students.family(name), TextClassification(("a", "b")))[0], name)
    tiny.configure(folder, return_dict=False, output_attentions=True, output_hidden_states=True)
    found, own = checkpoint.load(folder, students.family(name), TextClassification(("a", "b")))
    assert torch.equal(students.scores(found, name), whole)
    checkpoint.save(found, own, tmp_path / "saved")
    parameters = checkpoint.parameters(found.model)
    checkpoint.prove(found, tmp_path / "saved", students.batch(name), parameters)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")],
)
def test_memory_that_does_not_suffice_to_load_is_told_as_such(
    error: Exception, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(
        "advisor.compute.tasks.text_classification.AutoModelForSequenceClassification.from_pretrained", fail
    )
    fault = refused(folder)
    assert fault.file == str(folder) and fault.message == "not enough memory to load the model"
    assert fault.hint == "use a smaller model, or a machine with more memory"
