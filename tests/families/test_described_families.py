"""Families beside the first four: descriptions against stock models, before and after every planned cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import students
import tiny
from transformers import AutoConfig

from advisor.advice.ranges import Cut, cut_effect, int8_effect
from advisor.base.errors import AdviseError
from advisor.compute.structure.inference import stock
from advisor.families import registry
from advisor.inspection import probe
from advisor.recipe.levels import structure
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning

ENCODER = {"num_hidden_layers": 6, "hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 96}
DECODER = {**ENCODER, "num_key_value_heads": 2}
TWO_STACKS = {
    "encoder_layers": 3,
    "decoder_layers": 4,
    "d_model": 48,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 96,
    "decoder_ffn_dim": 64,
}
SIZES: dict[str, dict[str, Any]] = {
    "albert": {**ENCODER, "embedding_size": 16},
    "bart": TWO_STACKS,
    "deberta": ENCODER,
    "deberta-v2": ENCODER,
    "deit": {**ENCODER, "image_size": 32, "patch_size": 8},
    "distilbert": {"n_layers": 6, "dim": 48, "n_heads": 4, "hidden_dim": 96},
    "electra": {**ENCODER, "embedding_size": 48},
    "gpt_neo": {"num_layers": 6, "hidden_size": 48, "num_heads": 4, "attention_types": [[["global", "local"], 3]]},
    "llama": DECODER,
    "mistral": DECODER,
    "modernbert": ENCODER,
    "mt5": {"num_layers": 4, "num_decoder_layers": 3, "d_model": 48, "num_heads": 4, "d_kv": 12, "d_ff": 96},
    "mpnet": ENCODER,
    "qwen2": DECODER,
    "qwen3": {**DECODER, "head_dim": 16},
    "roberta": {**ENCODER, "max_position_embeddings": 34, "type_vocab_size": 1},
    "xlm-roberta": {**ENCODER, "max_position_embeddings": 34, "type_vocab_size": 1},
    "vit": {**ENCODER, "image_size": 32, "patch_size": 8},
    "whisper": {**TWO_STACKS, "max_source_positions": 20, "max_target_positions": 12, "num_mel_bins": 8},
    "clip": {
        "text_config": {**ENCODER, "max_position_embeddings": 12},
        "vision_config": {**ENCODER, "num_hidden_layers": 2, "hidden_size": 64, "image_size": 32, "patch_size": 8},
        "projection_dim": 24,
    },
}
RELATIVE = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in SIZES} | {
    "albert of two groups": ("albert", {"num_hidden_groups": 2, "inner_group_num": 3}),
    "bart of uneven heads": ("bart", {"decoder_attention_heads": 2}),
    "deberta of relative positions": ("deberta", {**RELATIVE, "type_vocab_size": 2, "talking_head": True}),
    "deberta that looks nearby": ("deberta", {**RELATIVE, "pos_att_type": "c2p", "max_relative_positions": 7}),
    "deberta with narrow embeddings": ("deberta", {"embedding_size": 16}),
    "deberta-v3": ("deberta-v2", {**RELATIVE, "share_att_key": True, "position_buckets": 8}),
    "deberta-v2 with all it may have": (
        "deberta-v2",
        {**RELATIVE, "norm_rel_ebd": "layer_norm", "conv_kernel_size": 3, "embedding_size": 16},
    ),
    "distilbert with three labels": ("distilbert", {"num_labels": 3}),
    "electra with narrow embeddings": ("electra", {"embedding_size": 16, "num_labels": 3}),
    "gpt_neo of stated width": ("gpt_neo", {"intermediate_size": 64}),
    "llama with all it may have": ("llama", {"head_dim": 8, "attention_bias": True, "mlp_bias": True}),
    "llama of whole heads": ("llama", {"num_key_value_heads": None, "tie_word_embeddings": True}),
    "mistral of free head size": ("mistral", {"head_dim": 16}),
    "modernbert with biases": (
        "modernbert",
        {"norm_bias": True, "mlp_bias": True, "attention_bias": True, "classifier_bias": True},
    ),
    "mt5 of even stacks without gates": ("mt5", {"num_decoder_layers": None, "feed_forward_proj": "relu"}),
    "qwen2 of tied embeddings": ("qwen2", {"tie_word_embeddings": True, "head_dim": 8}),
    "qwen2 with windows": ("qwen2", {"use_sliding_window": True, "max_window_layers": 2}),
    "qwen3 of tied embeddings": ("qwen3", {"tie_word_embeddings": True, "attention_bias": True}),
    "vit of free head size": ("vit", {"head_dim": 8, "qkv_bias": False, "num_labels": 5}),
    "clip by its older keys": ("clip", {"text_config_dict": ENCODER, "text_config": {"hidden_size": 24}}),
}


def model_of(config: Any) -> Any:
    """The stock model of a config for its family's task, without memory and numbers."""
    return stock.on_meta(stock.class_of(config, students.family(config.model_type).task), config)


def config_of(name: str, sizes: dict[str, Any]) -> Any:
    words = {} if name in ("vit", "deit", "clip") else {"vocab_size": tiny.VOCABULARY, "pad_token_id": 0}
    # These may stand outside so small a vocabulary.
    special = (
        {"bos_token_id": 1, "eos_token_id": 1, "cls_token_id": 1, "sep_token_id": 1, "decoder_start_token_id": 1}
        if words
        else {}
    )
    return AutoConfig.for_model(name, **{**words, **special, **SIZES[name], **sizes})


def assert_described(config: dict[str, Any], model: Any) -> None:
    """The description and the model agree in every name and shape."""
    family, labels = students.family(config["model_type"]), model.config.num_labels
    assert family.structure(config, labels).shapes() == stock.tensors_of(model).shapes
    assert family.parameters(config, labels) == sum(value.numel() for value in model.parameters())


def test_every_described_family_is_here() -> None:
    assert set(SIZES) == set(registry.names()) - set(tiny.FAMILIES)


@pytest.mark.parametrize(("name", "sizes"), VARIANTS.values(), ids=VARIANTS)
def test_tensors_are_those_of_the_real_model(name: str, sizes: dict[str, Any]) -> None:
    model = model_of(config_of(name, sizes))
    assert_described(model.config.to_dict(), model)
    assert_described({**SIZES[name], **sizes, "model_type": name, "vocab_size": tiny.VOCABULARY}, model)


@pytest.mark.parametrize("name", SIZES)
def test_base_checkpoint_has_the_described_number_of_parameters(name: str) -> None:
    family = students.family(name)
    model = model_of(AutoConfig.for_model(**family.config))
    assert_described(dict(family.config) | {"num_labels": 2}, model)
    assert family.parameters(model.config.to_dict()) == family.parameters(family.config)


@pytest.mark.parametrize("choose", ["alternate", "top"])
@pytest.mark.parametrize(("name", "sizes"), [one for one in VARIANTS.values() if one[0] != "clip"])
def test_a_config_without_some_layers_is_that_of_a_stock_model(name: str, sizes: dict[str, Any], choose: Any) -> None:
    before, family = config_of(name, sizes).to_dict(), students.family(name)
    two = len(family.stacks) > 1
    step = LayerRemoval(None, 2, 1, choose) if two else LayerRemoval(2, choose=choose)
    after = step.resized(family, before)
    assert_described(after, model_of(AutoConfig.for_model(**after)))
    assert (family.parameters(after) == family.parameters(before)) is family.shared_layers


NARROW = [one for one in VARIANTS.values() if one[0] != "clip"]


@pytest.mark.parametrize(("name", "sizes"), NARROW)
def test_a_narrowed_config_is_that_of_a_stock_model(name: str, sizes: dict[str, Any]) -> None:
    sizes = sizes | ({"decoder_ffn_dim": 96, "decoder_attention_heads": 4} if "encoder_layers" in SIZES[name] else {})
    before, family = config_of(name, sizes).to_dict(), students.family(name)
    free = not family.hidden_follows_heads
    after = MatrixPruning(24, 2 if free else None, 40, increments=2).resized(family, before)
    was = family.shape(before)
    assert family.shape(after) == was._replace(hidden_size=24, heads=2, intermediate_size=40)
    assert after.get("decoder_ffn_dim", 40) == 40
    assert_described(after, model_of(AutoConfig.for_model(**after)))


def test_the_sizes_of_a_grouped_convolution_are_not_known() -> None:
    config = config_of(*VARIANTS["deberta-v2 with all it may have"]).to_dict()
    assert registry.of_config(config) and registry.of_config({**config, "conv_groups": 2}) is None
    assert registry.uncovered({**config, "conv_groups": 2}) == ["conv_groups = 2"]


def test_kinds_of_attention_stay_with_their_blocks() -> None:
    def kept(name: str, **sizes: Any) -> dict[str, Any]:
        return LayerRemoval(3).resized(students.family(name), config_of(name, sizes).to_dict())  # 0, 2 and 5

    slides, full = "sliding_attention", "full_attention"
    assert kept("modernbert")["layer_types"] == [full, slides, slides]
    assert kept("modernbert", layer_types=[full, slides] * 3)["layer_types"] == [full, full, slides]
    assert kept("qwen3", use_sliding_window=True, max_window_layers=2)["layer_types"] == [full, slides, slides]
    assert kept("gpt_neo")["attention_layers"] == ["global", "global", "local"]


@pytest.mark.parametrize(
    ("name", "change"),
    [("modernbert", {"layer_types": ["full_attention"]}), ("gpt_neo", {"attention_types": 3}), ("clip", {})],
)
def test_layers_that_cannot_be_removed(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"entries for 6 layers|expected kinds|no step can remove"):
        LayerRemoval(2).resized(students.family(name), {**SIZES[name], "vocab_size": 9, **change})


def test_the_decoder_of_bart_and_whisper_follows_and_no_other_name_contradicts() -> None:
    family = students.family("bart")
    before = {**family.config, "num_hidden_layers": 6}
    after = LayerRemoval(encoder_keep=4).resized(family, before)
    assert (after["encoder_layers"], after["decoder_layers"], after["num_hidden_layers"]) == (4, 6, 4)
    with pytest.raises(ValueError, match="encoder_ffn_dim 3072 and decoder_ffn_dim 64 differ"):
        MatrixPruning(intermediate_size=1024).resized(family, {**before, "decoder_ffn_dim": 64})


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("deberta", {"fused_projections": True, "heads": 12, "head_size": 64, "tied_embeddings": True}),
        ("modernbert", {"fused_projections": True, "layers": 22, "generative": False}),
        ("albert", {"shared_layers": True, "hidden_size": 768}),
        ("llama", {"tied_embeddings": False, "generative": True, "shared_layers": False}),
        (
            "qwen2",
            {"tied_embeddings": True, "heads": 14, "head_size": 64, "key_value_heads": 2, "sliding_window": False},
        ),
        ("mistral", {"heads": 32, "key_value_heads": 8, "sliding_window": True}),
        ("gemma2", {"heads": 8, "key_value_heads": 4, "sliding_window": None}),  # its class says, no config at hand
        ("bert", {"key_value_heads": 12, "sliding_window": False}),
        ("qwen3", {"hidden_size": 1024, "heads": 16, "head_size": 128, "fused_projections": False}),
        ("vit", {"vocabulary": 0, "embedding_share": 0.0, "tied_embeddings": False, "encoder_layers": 12}),
        ("whisper", {"kind": "encoder-decoder", "encoder_layers": 4, "decoder_layers": 4, "generative": True}),
        ("clip", {"kind": "encoder", "layers": 12, "heads": 8, "vocabulary": 49408, "generative": False}),
    ],
)
def test_facts(name: str, known: dict[str, Any]) -> None:
    facts = probe.model(name).facts._asdict()
    assert {fact: facts[fact] for fact in known} == known


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "deberta-v2",
            {"position_buckets": "many"},
            "position_buckets: expected a whole number from -1 to 9,999,999, got 'many'",
        ),
        ("vit", {"image_size": [224, 224]}, "image_size: expected a whole number from 1 to 9,999,999, got [224, 224]"),
        ("llama", {"num_key_value_heads": 5}, "num_attention_heads 32 cannot be divided by num_key_value_heads 5"),
        ("llama", {"num_attention_heads": 31, "num_key_value_heads": None}, "hidden_size 4096 cannot be divided by"),
        ("clip", {"text_config": 7}, "text_config: expected a mapping, got 7"),
    ],
)
def test_configs_that_make_no_sense(name: str, change: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**students.family(name).config, **change}))
    with pytest.raises(AdviseError) as caught:
        probe.model(str(tmp_path))
    assert message in str(caught.value)


def test_levels_without_a_step_are_not_offered() -> None:
    offered = {
        name: [level for level in ("L1", "L2", "L3") if structure(level, family, family.config)]
        for name in SIZES
        if (family := registry.find(name))
    }
    assert offered.pop("clip") == []
    assert {tuple(levels) for levels in offered.values()} == {("L1", "L2", "L3")}


def test_only_families_with_evidence_are_predicted() -> None:
    groups = {name: students.family(name).predicted_as for name in SIZES}
    third = Cut(1 / 3, 1 / 3, narrowed=False, decoder_only=False)
    known = {name for name, group in groups.items() if cut_effect(group, third, 20_000)}
    assert known == {"roberta", "xlm-roberta", "mpnet", "distilbert", "electra", "albert", "mt5", "bart"}
    int8 = int8_effect(students.family("bart").int8_as)
    assert int8 and int8.time == (0.37, 0.41)
    assert int8_effect("") is None
