"""Wrong labels, planted: the proof refuses every one of them, and says which axis."""

from __future__ import annotations

from dataclasses import replace

import inferred_models as models
import pytest

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference.infer import infer
from advisor.compute.structure.inference.proof import Proof, prove, relabelled
from advisor.families.described.structure import Structure

THIRDS, EACH = "heads:head | heads:head | heads:head", "heads:3*head"


def planted(name: str, change: dict[str, tuple[int, str]]) -> Proof:
    """The proof of a family's structure with other labels: by the end of a tensor's name, its axis and the label."""
    structure = models.proof(name).structure
    rows = dict(structure.rows)
    for ending, (axis, label) in change.items():
        mine = [pattern for pattern in rows if pattern.endswith(ending)]
        assert mine, ending
        rows |= {pattern: relabelled(rows[pattern], axis, label) for pattern in mine}
    return prove(models.inferred(name), replace(structure, rows=rows))


@pytest.mark.parametrize(
    ("name", "ending", "axis", "right"),
    [
        ("deberta", "in_proj.weight", 0, EACH),
        ("gpt_neox", "query_key_value.weight", 0, EACH),
        ("gpt2", "c_attn.weight", 1, THIRDS),
        ("modernbert", "Wqkv.weight", 0, THIRDS),
        ("phi3", "qkv_proj.weight", 0, "heads:head | kv:head | kv:head"),
        ("phi3", "gate_up_proj.weight", 0, "ffn | ffn"),
        ("modernbert", "Wi.weight", 0, "ffn | ffn"),
    ],
)
def test_fused_axes_are_found_in_their_grouping(name: str, ending: str, axis: int, right: str) -> None:
    rows = models.proof(name).structure.rows
    assert [row.axes[axis] for pattern, row in rows.items() if pattern.endswith(ending)] == [right]


@pytest.mark.parametrize(
    ("name", "change", "unit"),
    [
        ("deberta", {"in_proj.weight": (0, THIRDS)}, "heads"),
        ("gpt_neox", {"query_key_value.weight": (0, THIRDS), "query_key_value.bias": (0, THIRDS)}, "heads"),
        ("gpt2", {"c_attn.weight": (1, EACH), "c_attn.bias": (0, EACH)}, "heads"),
        ("modernbert", {"Wqkv.weight": (0, EACH)}, "heads"),
        ("phi3", {"qkv_proj.weight": (0, "kv:head | kv:head | heads:head")}, "heads"),
        ("phi3", {"qkv_proj.weight": (0, "kv:(heads//kv + 2)*head")}, "kv"),
        ("phi3", {"gate_up_proj.weight": (0, "ffn:2")}, "ffn"),
        ("modernbert", {"mlp.Wi.weight": (0, "ffn:2")}, "ffn"),
        ("modernbert", {"mlp.Wi.weight": (0, "ffn | 1*ffn")}, "ffn"),  # only the first half moves
        ("bert", {"intermediate.dense.bias": (0, "1*ffn")}, "ffn"),
        ("bert", {"attention.self.query.bias": (0, "heads*head")}, "heads"),
        ("bert", {"attention.output.dense.weight": (1, "hidden")}, "hidden"),
        ("mpnet", {"relative_attention_bias.weight": (1, "1*heads")}, "heads"),
        ("t5", {"relative_attention_bias.weight": (1, "1*heads")}, "heads"),
        ("deberta-v2", {"rel_embeddings.weight": (1, "1*hidden")}, "hidden"),
        ("llama", {"k_proj.weight": (0, "kv*head")}, "kv"),
    ],
)
def test_a_wrong_label_is_refused(name: str, change: dict[str, tuple[int, str]], unit: str) -> None:
    assert unit in models.proof(name).proven
    proof = planted(name, change)
    assert unit not in proof.proven
    assert proof.refused[unit].startswith(f"permuting {unit} changes the answers by ")


def test_the_message_names_the_axis() -> None:
    proof = planted("deberta", {"in_proj.weight": (0, THIRDS)})
    assert (
        "deberta.encoder.layer.{encoder}.attention.self.in_proj.weight axis 0 (heads:head | " in proof.refused["heads"]
    )


def test_heads_of_one_block_alone_are_refused_where_all_share_a_table() -> None:
    """T5's blocks add the same position bias, so its blocks have to keep the same heads."""
    structure = models.proof("t5").structure
    rows = {pattern: replace(row, site=row.site.replace("*", "{encoder}", 1)) for pattern, row in _encoder(structure)}
    alone = replace(structure, rows={**structure.rows, **rows})
    assert "heads" in prove(models.inferred("t5"), alone).refused


def _encoder(structure: Structure) -> list[tuple[str, object]]:
    return [
        (pattern, row)
        for pattern, row in structure.rows.items()
        if pattern.startswith("encoder.block.{encoder}") and "*" in row.site
    ]


def test_alibi_ties_heads_to_their_slopes() -> None:
    assert "heads" in prove(infer(models.config("bloom"))).refused


@pytest.mark.parametrize(
    ("name", "changes", "unit", "why"),
    [
        ("mixtral", {}, "ffn", "mlp.experts is a mixture of experts"),
        ("deberta-v2", {"conv_kernel_size": 3, "conv_groups": 2}, "hidden", "conv.conv is a grouped convolution"),
    ],
)
def test_special_modules_are_refused_by_name(name: str, changes: dict[str, int], unit: str, why: str) -> None:
    assert why in prove(infer(models.config(name, **changes))).refused[unit]


def test_mamba_like_blocks_are_refused_by_name() -> None:
    with pytest.raises(AdviseError, match=r"backbone\.layers\.0 is no attention \(MambaBlock\)"):
        infer(models.config("mamba"))
