"""Matrices fall into groups of one kind in all blocks, and of neighbouring blocks."""

from __future__ import annotations

import pytest

from advisor.compute.int8.sensitivity import groups, plain


def test_groups_by_kind_and_by_block() -> None:
    names = [f"/model/bert/encoder/layer.{n}/{part}/MatMul" for n in range(2) for part in ("a", "output/dense")]
    found = groups([*names, "/model/classifier/Gemm_MatMul"])
    assert found == {
        "bert.encoder.layer.*.a": {names[0], names[2]},
        "bert.encoder.layer.*.output.dense": {names[1], names[3]},
        "classifier": {"/model/classifier/Gemm_MatMul"},
        "bert.encoder.layer.0": set(names[:2]),
        "bert.encoder.layer.1": set(names[2:]),
    }


def test_many_blocks_are_measured_by_runs() -> None:
    found = groups(f"decoder.layers.{n}.fc1" for n in range(24))
    assert len(found) == 12
    assert found["decoder.layers.22 to 23"] == {"decoder.layers.22.fc1", "decoder.layers.23.fc1"}


def test_two_stacks_share_the_number_of_runs() -> None:
    names = [f"{stack}.block.{n}.layer.0.q" for stack in ("encoder", "decoder") for n in range(12)]
    runs = [name for name in groups(names) if "*" not in name]
    assert len(runs) == 12
    assert "encoder.block.0 to 1" in runs


def test_a_group_of_all_is_no_group() -> None:
    assert groups(["a.0.b", "a.1.b"]).keys() == {"a.0", "a.1"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/model/bert/pooler/dense/Gemm_MatMul", "bert.pooler.dense"),
        ("/model/bert/encoder/layer.3/output/dense/MatMul/MatMulAddFusion_MatMul", "bert.encoder.layer.3.output.dense"),
        ("/model/model/decoder/layers.3/fc1/Gemm/WithoutBiases", "model.decoder.layers.3.fc1"),
        ("transformer.h.0.mlp.c_fc", "transformer.h.0.mlp.c_fc"),
    ],
)
def test_a_name_is_shown_as_the_model_has_it(name: str, shown: str) -> None:
    assert plain(name) == shown
