"""Families described by data: exact sizes without torch, equal to real models."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import inferred_models as models
import pytest
from scratch import CHECKOUT
from transformers import CONFIG_MAPPING

from advisor.base.errors import AdviseError
from advisor.compute.structure.inference import stock
from advisor.families import registry
from advisor.families.described import description
from advisor.families.described.description import Description

SHIPPED = sorted(file.stem for file in description.FOLDER.glob("*.json"))


def described(name: str) -> Description:
    found = description.find(name)
    assert found is not None, name
    return found


def test_every_family_has_a_file() -> None:
    assert set(description.names()) >= {*models.FAMILIES, *registry.names()}


RELATIVE = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("albert", {"num_hidden_groups": 2, "inner_group_num": 3}),
    ("bart", {"decoder_attention_heads": 8, "decoder_ffn_dim": 1024, "decoder_layers": 3}),
    ("bert", {"type_vocab_size": 1, "num_hidden_layers": 3}),
    ("deberta", {**RELATIVE, "type_vocab_size": 2, "talking_head": True}),
    ("deberta", {**RELATIVE, "pos_att_type": "c2p", "max_relative_positions": 7}),
    ("deberta", {"embedding_size": 128}),
    ("deberta-v2", {**RELATIVE, "share_att_key": True, "position_buckets": 8}),
    ("deberta-v2", {**RELATIVE, "norm_rel_ebd": "layer_norm", "conv_kernel_size": 3, "embedding_size": 128}),
    ("electra", {"embedding_size": 64, "num_hidden_layers": 2}),
    ("gpt_neo", {"intermediate_size": 64}),
    ("gpt2", {"n_inner": 64, "n_layer": 2}),
    ("llama", {"head_dim": 64, "attention_bias": True, "mlp_bias": True, "num_hidden_layers": 2}),
    ("llama", {"num_key_value_heads": None, "tie_word_embeddings": True, "num_hidden_layers": 2}),
    ("modernbert", {"norm_bias": True, "mlp_bias": True, "attention_bias": True, "classifier_bias": True}),
    ("mt5", {"feed_forward_proj": "relu", "num_decoder_layers": 3}),
    ("opt", {"word_embed_proj_dim": 512, "do_layer_norm_before": False, "enable_bias": False}),
    ("t5", {"feed_forward_proj": "gated-gelu", "num_layers": 3, "num_decoder_layers": None}),
    ("vit", {"qkv_bias": False, "image_size": 64, "head_dim": 32}),
    ("whisper", {"encoder_layers": 2, "num_mel_bins": 128}),
    ("phi3", {"num_key_value_heads": 4, "num_hidden_layers": 2}),
    ("gemma3_text", {"num_hidden_layers": 4, "attention_bias": True}),
]


@pytest.mark.parametrize(
    ("name", "changes"), VARIANTS, ids=[f"{name}-{place}" for place, (name, _) in enumerate(VARIANTS)]
)
def test_tensors_are_those_of_the_real_model_under_any_flags(name: str, changes: dict[str, Any]) -> None:
    family = described(name)
    config = CONFIG_MAPPING[name](**changes)
    for task, class_ in stock.tasks_of(config).items():
        if task in family.tasks:
            said = family.structure({**changes}, task, config.num_labels)
            assert said.shapes() == stock.built(class_, config).shapes


@pytest.mark.parametrize(
    ("name", "changes", "flag"),
    [
        ("bert", {"hidden_act": "prelu"}, "hidden_act = 'prelu'"),
        ("t5", {"feed_forward_proj": "gated-tanh"}, "feed_forward_proj = 'gated-tanh'"),
        ("llama", {"auto_map": {"AutoModel": "code.Model"}}, "auto_map = "),
        ("llama", {"per_layer_config": {"1": {"intermediate_size": 64}}}, "per_layer_config = "),
        ("qwen2", {"quantization_config": {"bits": 4}}, "quantization_config = "),
    ],
)
def test_a_flag_that_nobody_tried_means_that_the_size_is_not_known(
    name: str, changes: dict[str, Any], flag: str
) -> None:
    with pytest.raises(AdviseError) as caught:
        described(name).parameters(changes)
    assert f"{name}: the size is not known: nobody tried {flag}" in str(caught.value)


def test_a_size_that_is_no_number_is_refused() -> None:
    with pytest.raises(AdviseError, match="hidden_size: expected a whole number, got 'wide'"):
        described("bert").parameters({"hidden_size": "wide"})


def test_what_can_be_cut_is_said() -> None:
    cuts = described("llama").cuts
    assert set(cuts["possible"]) == {"layers.decoder", "ffn", "heads", "hidden", "kv"}
    assert cuts["multiples"] == {"heads": "kv", "hidden": "heads"}
    assert "its config cannot say it" in described("bert").cuts["refused"]["heads"]


def test_no_torch_is_needed() -> None:
    program = (
        "import sys, json; from advisor.families.described import description as d;"
        "print(json.dumps([d.find(n).parameters({}) > 0 for n in d.names()]), 'torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    flags, _, torch = told.rpartition(" ")
    assert all(json.loads(flags)) and torch.strip() == "False"


def test_every_file_was_made_with_the_version_of_the_lock() -> None:
    (locked,) = re.findall(
        r"^transformers==([\d.]+)", (CHECKOUT / ".ci" / "requirements.lock").read_text(), re.MULTILINE
    )
    versions = {name: json.loads((description.FOLDER / f"{name}.json").read_text())["transformers"] for name in SHIPPED}
    assert versions == dict.fromkeys(SHIPPED, locked)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_every_file_is_what_the_installed_transformers_gives(name: str) -> None:
    import transformers

    from advisor.compute.structure.inference.describe import describe

    file = description.FOLDER / f"{name}.json"
    shipped = json.loads(file.read_text(encoding="utf-8"))
    if shipped["transformers"] != transformers.__version__:
        pytest.skip(f"made with transformers {shipped['transformers']}")
    assert json.loads(json.dumps(describe(models.config(name)))) == shipped
