"""Removal of blocks, rows and columns: equal to models cut or masked by hand, for every family."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import students
import tiny
import torch
from torch import nn
from transformers import GPT2LMHeadModel, OPTForCausalLM

from advisor.base.errors import AdviseError
from advisor.compute.structure.proven import structure_of
from advisor.compute.structure.surgery import keep_layers, narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.families.described.structure import Kept

# Where a stock model keeps its blocks, in the order of its stacks.
BLOCKS = {
    "bert": ("bert.encoder.layer",),
    "gpt2": ("transformer.h",),
    "opt": ("model.decoder.layers",),
    "t5": ("encoder.block", "decoder.block"),
}
# The matrices that carry neurons (heads) onwards, and the axis of their neurons (heads).
NEURONS_OUT = {
    "bert": (r"layer\.(\d+)\.output\.dense\.weight", 1),
    "gpt2": (r"h\.(\d+)\.mlp\.c_proj\.weight", 0),
    "opt": (r"layers\.(\d+)\.fc2\.weight", 1),
    "t5": (r"block\.(\d+)\.layer\.\d\.DenseReluDense\.wo\.weight", 1),
}
HEAD_SIZE = 12


def stacks(name: str) -> list[str]:
    return [stack.name for stack in students.family(name).stacks]


def cut(name: str, kept: tuple[int, ...]) -> tuple[Scorer, Scorer]:
    """A student, and the same with some blocks of each stack."""
    whole = students.student(name)
    return whole, keep_layers(whole, dict.fromkeys(stacks(name), kept))


# Blocks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [(0, 2), (1,), (1, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_kept_blocks_are_run_as_if_the_others_had_been_taken_out(name: str, kept: tuple[int, ...]) -> None:
    whole, smaller = cut(name, kept)
    reference = copy.deepcopy(whole)
    for path in BLOCKS[name]:
        parent, blocks = reference.model.get_submodule(path.rpartition(".")[0]), reference.model.get_submodule(path)
        chosen = nn.ModuleList(blocks[block] for block in kept)
        if name == "t5" and kept[0]:  # the first block lends its position bias to all
            attention, bearer = chosen[0].layer[0].SelfAttention, blocks[0].layer[0].SelfAttention
            attention.relative_attention_bias, attention.has_relative_attention_bias = (
                bearer.relative_attention_bias,
                True,
            )
        setattr(parent, path.rpartition(".")[2], chosen)
    students.assert_equal_scores(smaller, reference, name)
    assert (students.scores(smaller, name) - students.scores(whole, name)).abs().max() > 0.05


def test_kept_blocks_of_bert_step_by_step() -> None:
    whole, smaller = cut("bert", (0, 3))
    bert, rows = whole.model.bert, students.batch("bert")
    with torch.no_grad():
        hidden = bert.embeddings(input_ids=rows.inputs["input_ids"])
        mask = torch.where(rows.inputs["attention_mask"][:, None, None] == 0, -1e9, 0.0)
        for block in (0, 3):
            hidden = bert.encoder.layer[block](hidden, mask)
        expected = whole.model.classifier(bert.pooler(hidden))
    torch.testing.assert_close(students.scores(smaller, "bert"), expected, atol=2e-5, rtol=2e-5)


def test_a_smaller_model_has_weights_of_its_own() -> None:
    whole, smaller = cut("bert", (0, 1, 2, 3))
    students.assert_equal_scores(smaller, whole, "bert")
    with torch.no_grad():
        next(smaller.model.parameters()).zero_()
    assert next(whole.model.parameters()).abs().max() > 0


def test_stacks_of_t5_are_cut_apart() -> None:
    whole = students.student("t5")
    smaller = keep_layers(whole, {"encoder": (3,), "decoder": (0, 2)})
    assert (len(smaller.model.encoder.block), len(smaller.model.decoder.block)) == (1, 2)
    old, new = (dict(one.model.named_parameters()) for one in (whole, smaller))
    for after, before in {"encoder.block.0": "encoder.block.3", "decoder.block.1": "decoder.block.2"}.items():
        assert torch.equal(
            new[f"{after}.layer.0.SelfAttention.q.weight"], old[f"{before}.layer.0.SelfAttention.q.weight"]
        )


@pytest.mark.parametrize("name", ["gpt2", "opt", "t5"])
def test_text_is_generated_with_a_cache_after_removal(name: str) -> None:
    """A block that kept its old number would look for its keys and values in a place that is not there."""
    smaller = cut(name, (0, 2))[1].model
    if name == "gpt2":
        writer = GPT2LMHeadModel(smaller.config)
        writer.transformer = smaller.transformer
    elif name == "opt":
        writer = OPTForCausalLM(smaller.config)
        writer.model = smaller.model
    else:
        writer = smaller
    ids = students.batch(name).inputs["input_ids"][:1, :4]
    common = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False, "pad_token_id": 0}
    slow, fast = (writer.eval().generate(ids, use_cache=cache, **common) for cache in (False, True))
    assert torch.equal(slow, fast)
    assert fast.shape[1] == (6 if name == "t5" else 9)


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_a_smaller_model_stays_on_the_device_of_the_larger(name: str) -> None:
    whole = students.student(name).to("meta")
    whole.model.tie_weights()
    smaller = keep_layers(whole, dict.fromkeys(stacks(name), (0, 2)))
    assert {one.device.type for one in (*smaller.parameters(), *smaller.buffers())} == {"meta"}


# Rows and columns ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_cutting_neurons_equals_masking_them(name: str) -> None:
    whole = students.student(name)
    kept = students.drawn(whole, "ffn", 40)
    smaller = narrow(whole, kept)
    pattern, axis = NEURONS_OUT[name]
    masked = copy.deepcopy(whole)
    mask(masked, pattern, axis, kept)
    students.assert_equal_scores(smaller, masked, name)
    assert (students.scores(smaller, name) - students.scores(whole, name)).abs().max() > 0.05


def mask(whole: Scorer, pattern: str, axis: int, kept: Kept) -> None:
    """Zero the weights that carry on what is not kept. kept: by the place that a weight's name begins with."""
    found = 0
    for key, tensor in whole.model.named_parameters():
        if re.search(pattern, key):
            site = next(place for place in kept if re.match(place[1].replace("*", "[0-9]+") + "[.]", key))
            stay = torch.ones(tensor.shape[axis], dtype=torch.bool)
            stay[list(kept[site])] = False
            with torch.no_grad():
                tensor[(slice(None),) * axis + (stay,)] = 0.0
            found += 1
    assert found >= len(kept)


@pytest.mark.parametrize("sizes", [{}, {"feed_forward_proj": "gated-gelu"}], ids=["t5", "t5 v1.1"])
def test_cutting_heads_of_t5_equals_masking_them(sizes: dict[str, Any]) -> None:
    whole = students.student("t5", **sizes)
    kept = students.drawn(whole, "heads", 3)
    assert [site for _, site in kept][:3] == [
        *("encoder.block.*.layer.0", "decoder.block.*.layer.0"),  # one table of positions for all blocks of a stack
        "decoder.block.0.layer.1",
    ]
    smaller = narrow(whole, kept)
    masked = copy.deepcopy(whole)
    places = {
        site: [head * HEAD_SIZE + place for head in heads for place in range(HEAD_SIZE)] for site, heads in kept.items()
    }
    mask(masked, r"Attention\.o\.weight", 1, places)
    students.assert_equal_scores(smaller, masked, "t5")
    assert smaller.model.config.num_heads == 3 and smaller.model.config.d_kv == HEAD_SIZE


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_another_order_of_channels_heads_and_neurons_changes_nothing(name: str) -> None:
    """All axes of all weights are gathered alike, in GPT-2 within each third of its fused matrix."""
    whole = students.student(name)
    structure = structure_of(whole.model)
    kept = {
        (unit, site): students.order(structure.sizes[unit])
        for unit in ("hidden", "heads", "ffn")
        for site in structure.sites(unit)
    }
    students.assert_equal_scores(narrow(whole, kept), whole, name)


def test_narrow_by_hand() -> None:
    """Channels 5, 7, ..., heads 1 and 3 of GPT-2's third block; its fused matrix is (hidden, 3 x attention)."""
    whole = students.student("gpt2")
    everywhere = {("heads", f"transformer.h.{block}.attn"): [1, 3] for block in range(4)}
    smaller = narrow(whole, {("hidden", ""): range(5, 29), **everywhere})
    old, new = (one.model.transformer.h[2].attn for one in (whole, smaller))
    places = [*range(12, 24), *range(36, 48)]
    assert new.c_attn.weight.shape == (24, 72)
    for third in range(3):
        expected = old.c_attn.weight[5:29, third * 48 : third * 48 + 48][:, places]
        assert torch.equal(new.c_attn.weight[:, third * 24 : third * 24 + 24], expected)
        assert torch.equal(new.c_attn.bias[third * 24 : third * 24 + 24], old.c_attn.bias[third * 48 :][places])
    assert torch.equal(new.c_proj.weight, old.c_proj.weight[places][:, 5:29])
    assert torch.equal(smaller.model.score.weight, whole.model.score.weight[:, 5:29])


# Weights that are not the class's -------------------------------------------------------------------


def test_extra_weights_are_named() -> None:
    whole = students.student("bert").model
    whole.bert.encoder.layer[1].adapter = nn.Linear(48, 8)
    with pytest.raises(AdviseError) as caught:
        structure_of(whole)
    assert str(caught.value) == (
        "this BertForSequenceClassification has other weights than its config describes: "
        "bert.encoder.layer.1.adapter.bias, bert.encoder.layer.1.adapter.weight\n"
        "  try: merge adapters, and save it with the save_pretrained of transformers"
    )


def test_missing_weights_and_other_shapes_are_named() -> None:
    whole = students.student("gpt2")
    whole.model.score = nn.Linear(48, 5, bias=False)
    whole.model.transformer.wpe = nn.Identity()
    message = "has other weights than its config describes: score.weight, transformer.wpe.weight"
    with pytest.raises(AdviseError, match=message):
        keep_layers(whole, {"decoder": (0, 1, 2, 3)})
    with pytest.raises(AdviseError, match=message):
        narrow(whole, {})
