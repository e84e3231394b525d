"""Every family: inferred from its config, proven, cut, saved and reloaded, on a tiny model of the stock class."""

from __future__ import annotations

import inferred_models as models
import pytest
from transformers import AutoConfig

from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.express import express
from advisor.compute.structure.inference.infer import infer
from advisor.compute.structure.inference.proof import prove


@pytest.mark.parametrize("name", models.FAMILIES)
def test_the_structure_is_that_of_the_published_sizes(name: str) -> None:
    found = models.inferred(name)
    real = stock.built(found.class_, found.config)
    assert found.structure.shapes() == real.shapes
    model = stock.on_meta(found.class_, found.config)
    assert found.structure.parameters() == sum(one.numel() for one in model.parameters())


@pytest.mark.parametrize("name", models.FAMILIES)
def test_every_unit_is_proven_and_cut_as_far_as_its_config_can_say(name: str) -> None:
    proof = models.proof(name)
    assert proof.refused == {}
    assert max(proof.proven.values()) < 1e-5
    cuts = models.cuts(name)
    layers = {f"layers.{stack}" for stack, one in proof.structure.stacks.items() if one.key in found_depths(name)}
    assert set(cuts.possible) == models.EXPECTED[name] | layers


def found_depths(name: str) -> set[str]:
    return set(models.inferred(name).small.depths)


@pytest.mark.parametrize(
    ("name", "cut", "why"),
    [
        ("bert", "heads", "its config cannot say it: bert.encoder.layer.0.attention.output.dense.weight would be"),
        ("olmo2", "heads", "it answers otherwise than with zeros for what is gone, by "),
        ("olmo2", "kv", "it answers otherwise than with zeros for what is gone, by "),
        ("marian", "hidden+heads", "reloaded, it answers otherwise"),  # its positions are computed anew
    ],
)
def test_a_cut_that_no_config_can_say_is_refused_with_the_reason(name: str, cut: str, why: str) -> None:
    assert models.cuts(name).refused[cut].startswith(why)


def test_sizes_that_have_to_be_multiples_are_found_out() -> None:
    assert models.cuts("llama").multiples == {"heads": "kv", "hidden": "heads"}
    assert models.cuts("mistral").multiples == {"heads": "kv"}


def test_t5_with_fewer_layers_in_its_encoder_generates_without_its_cache_only() -> None:
    assert models.cuts("t5").notes["layers.encoder"].startswith("it generates without its cache only")


def test_blocks_that_answer_with_a_list_are_removed_like_others() -> None:
    config = AutoConfig.for_model("openai-gpt", n_layer=3, n_head=4, n_embd=48, vocab_size=200)
    assert express(prove(infer(config))).possible == ("layers.decoder",)


@pytest.mark.parametrize(
    ("name", "depth", "sizes"),
    [
        ("flaubert", "n_layers", {"hidden": 2048, "heads": 16, "head": 128}),  # emb_dim
        ("helium", "num_hidden_layers", {"hidden": 2560, "heads": 20, "head": 128}),  # its head size has to follow
        ("led", "encoder_layers", {"hidden": 1024, "heads": 16, "decoder_heads": 16}),  # a window for each layer
        ("longformer", "num_hidden_layers", {"hidden": 768, "ffn": 3072}),
        ("xlm", "n_layers", {"hidden": 2048, "vocab": 30145}),  # two languages would bring a table
        ("xlnet", "n_layer", {"hidden": 1024, "ffn": 4096}),  # d_inner
    ],
)
def test_keys_of_older_types_are_known(name: str, depth: str, sizes: dict[str, int]) -> None:
    structure = infer(models.config(name)).structure
    assert depth in {stack.key for stack in structure.stacks.values()}
    assert structure.sizes.items() >= sizes.items()


def test_a_model_that_does_not_answer_once_reloaded_is_not_cut() -> None:
    """XLNet works out its positions in fp32, whatever precision its weights have."""
    assert "reloaded, it does not answer" in express(prove(infer(models.config("xlnet")))).refused["layers.decoder"]
