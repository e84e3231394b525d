"""Families known by description alone: their exact sizes before and after layers go, without a word from anybody."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

from advisor.base.errors import AdviseError
from advisor.cli import describe_family, main
from advisor.compute.structure.inference.origins import fixed_neurons
from advisor.families import registry
from advisor.families.described import description
from advisor.families.described.description import Description
from advisor.families.described.structure import Row
from advisor.inspection import undescribed
from advisor.recipe.steps.layer_removal import LayerRemoval

SMALL: dict[str, dict[str, Any]] = {
    "gemma2": {"num_hidden_layers": 4, "num_key_value_heads": 2, "head_dim": 12},
    "gpt_neox": {"num_hidden_layers": 4},
    "phi3": {"num_hidden_layers": 4, "num_key_value_heads": 2},
    "smollm3": {"num_hidden_layers": 4, "num_key_value_heads": 2, "no_rope_layers": [1, 1, 1, 0]},
}
COMMON = {"hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 96, "vocab_size": 400, "pad_token_id": 0}


def config_of(name: str, **more: Any) -> Any:
    return AutoConfig.for_model(name, **COMMON, **SMALL[name], **more)


def parameters(config: Any) -> int:
    with torch.device("meta"):
        return sum(one.numel() for one in AutoModelForSequenceClassification.from_config(config).parameters())


@pytest.mark.parametrize("name", SMALL)
def test_sizes_are_those_of_the_stock_model_before_and_after_layers_go(name: str) -> None:
    before = config_of(name).to_dict()
    family = registry.of_config(before)
    assert family and family.model_type == name and family.executable
    assert family.parameters(before) == parameters(config_of(name))
    after = LayerRemoval(2).resized(family, before)
    assert family.parameters(after) == parameters(AutoConfig.for_model(**after)) < family.parameters(before)


def test_lists_by_layer_are_cut_and_unknown_ones_refused_by_name() -> None:
    before = config_of("smollm3").to_dict()
    family = registry.of_config(before)
    assert family
    after = LayerRemoval(2).resized(family, before)  # 0 and 3
    assert after["no_rope_layers"] == [1, 0] and len(after["layer_types"]) == 2
    with pytest.raises(ValueError, match="window_by_layer: a list of 4 entries, as many as there are layers"):
        LayerRemoval(2).resized(family, {**before, "window_by_layer": [1, 2, 3, 4]})


def test_stacks_are_cut_by_themselves() -> None:
    sizes = {"encoder_layers": 3, "decoder_layers": 4, "d_model": 48, "vocab_size": 400, "pad_token_id": 0}
    sizes |= {"encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 96, "decoder_ffn_dim": 64}
    config = AutoConfig.for_model("pegasus", **sizes)
    family = registry.of_config(config.to_dict())
    assert family and family.kind == "encoder-decoder"
    after = LayerRemoval(encoder_keep=2, decoder_keep=1).resized(family, config.to_dict())
    with torch.device("meta"):
        model = AutoModelForSeq2SeqLM.from_config(AutoConfig.for_model(**after))
    assert family.parameters(after) == sum(one.numel() for one in model.parameters())


def test_advice_and_review_know_a_described_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_of("gemma2")
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    recipe = tmp_path / "recipe.yaml"
    assert main(["--model", str(tmp_path), "--samples", "25000", "--device", "cpu", "-o", str(recipe)]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert f"{parameters(config) / 1e6:.1f} M parameters" in told and "4 layers" in told
    assert main(["check", str(recipe)]) == 0


def test_it_tags_words_where_transformers_has_a_class_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_of("gemma2").to_dict()))
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"version: 1\nname: tags\nmodel: {{source: {json.dumps(str(tmp_path))}}}\ndevice: cpu\n"
        "data: {samples: 25000, task: token-classification}\nsteps:\n  - finetune: {}\n"
    )
    assert main(["check", str(recipe), "--no-cache"]) == 0, capsys.readouterr().out


def test_flags_that_nobody_tried_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_of("phi3").to_dict() | {"quantization_config": {"bits": 4}}
    assert registry.of_config(config) is None and "quantization_config" in registry.uncovered(config)[0]
    (tmp_path / "config.json").write_text(json.dumps(config))
    recipe = tmp_path / "recipe.yaml"
    assert main(["--model", str(tmp_path), "--samples", "25000", "--device", "cpu", "-o", str(recipe)]) == 0
    assert main(["check", str(recipe)]) == 0
    assert "nobody tried quantization_config" in " ".join(capsys.readouterr().out.split())


@pytest.fixture
def without_granite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the user's own descriptions, where no shipped file describes Granite."""
    shipped = tmp_path / "shipped"
    shutil.copytree(description.FOLDER, shipped, ignore=shutil.ignore_patterns("granite.json", "*.py", "__pycache__"))
    monkeypatch.setattr(description, "FOLDER", shipped)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "data" / "advise" / "families"
    forget()


def forget() -> None:
    description.find.cache_clear()
    registry.find.cache_clear()
    undescribed.meet.cache_clear()


def test_a_model_that_nobody_described_is_added_and_known_from_then_on(
    without_granite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = AutoConfig.for_model("granite", num_hidden_layers=4, num_key_value_heads=2, **COMMON).to_dict()
    assert registry.of_config(config) is None
    assert main(["families", "add", "granite"]) == 0
    assert "can be cut: layers.decoder" in capsys.readouterr().out
    forget()
    family = registry.of_config(config)
    assert family and family.parameters(config) > 0


@pytest.fixture
def granite(without_granite: Path, tmp_path: Path) -> Path:
    """The folder of a small Granite, which no shipped file describes."""
    config = AutoConfig.for_model("granite", num_hidden_layers=4, num_key_value_heads=2, **COMMON)
    folder = tmp_path / "granite"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    return folder


FACTS = ["--samples", "25000", "--device", "cpu"]


@pytest.mark.slow  # some 10 s
def test_a_type_is_described_when_it_is_first_met_and_known_without_torch_from_then_on(
    granite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "recipe.yaml"
    assert main(["--model", str(granite), *FACTS, "-o", str(recipe)]) == 0
    assert "4 layers" in capsys.readouterr().err
    assert main(["--model", "granite", *FACTS]) == 0  # as its class is by default
    assert "32 layers" in capsys.readouterr().err
    forget()
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    assert main(["check", str(recipe), "--no-cache"]) == 0
    assert "not checked" not in capsys.readouterr().out


def test_without_torch_a_type_that_nobody_described_is_known_by_its_kind(
    granite: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["--model", str(granite), *FACTS]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "granite is not described, and transformers, which could tell its structure, is not installed" in told
    assert "pip install" in told and "`advise families add`" in told


def test_what_was_kept_of_a_type_is_found_again(granite: Path, tmp_path: Path) -> None:
    config = json.loads((granite / "config.json").read_text())
    assert registry.of_config(config) is None
    registry.keep(made_with(version("transformers")))
    family = registry.of_config(config)
    assert family and family.parameters(config) > 0
    assert not list(tmp_path.glob("data/**/*.json"))  # the user's own descriptions are made by `advise families add`


def made_with(version_: str) -> dict[str, Any]:
    """A description of Granite by this version of transformers."""
    shipped: dict[str, Any] = json.loads((Path(description.__file__).parent / "granite.json").read_text())
    return {**shipped, "transformers": version_}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, True),
        ({"code": "of an earlier version"}, False),
        ({"description": made_with("4.0.0")}, False),
        ({"description": {**made_with(version("transformers")), "tensors": 7}}, False),
        ({"description": []}, False),
    ],
)
def test_what_other_versions_kept_and_what_is_damaged_is_not_taken(
    change: dict[str, Any], found: bool, without_granite: Path, tmp_path: Path
) -> None:
    registry.keep(made_with(version("transformers")))
    (file,) = tmp_path.glob("cache/**/granite.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    forget()
    assert (description.find("granite") is not None) == found


@pytest.mark.parametrize("text", ["{", "[]", json.dumps(made_with(version("transformers")))])
def test_a_file_that_keeps_no_description_is_not_taken(text: str, without_granite: Path, tmp_path: Path) -> None:
    registry.keep(made_with(version("transformers")))
    next(tmp_path.glob("cache/**/granite.json")).write_text(text)
    forget()
    assert description.find("granite") is None


def test_without_transformers_what_it_made_is_taken(
    without_granite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.keep(made_with("4.0.0"))
    assert description.find("granite") is None
    forget()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])  # where no distribution is found
    assert description.find("granite") is not None


@pytest.mark.slow  # some 10 s
def test_what_an_earlier_version_kept_is_made_again(granite: Path, tmp_path: Path) -> None:
    assert main(["--model", str(granite), *FACTS]) == 0
    (file,) = tmp_path.glob("cache/**/granite.json")
    made = file.read_text()
    file.write_text(json.dumps({**json.loads(made), "code": "of an earlier version"}))
    forget()
    assert main(["--model", str(granite), *FACTS]) == 0
    assert file.read_text() == made


def test_a_type_whose_config_lacks_a_size_says_so_each_time(without_granite: Path) -> None:
    described = made_with(version("transformers"))
    sizes = {name: size for name, size in described["sizes"].items() if name != "ffn"}
    registry.keep({**described, "sizes": sizes})
    assert registry.find("granite") is None
    assert undescribed.meet("granite") == "the config of granite has no key for the width of its feed-forward part"
    *_, last = describe_family._lines({**described, "sizes": sizes})
    assert last.endswith("has no key for the width of its feed-forward part, so it is known by its kind alone")
    assert "by its kind alone" not in " ".join(describe_family._lines(described))


def test_neurons_without_a_key_are_a_fixed_multiple_of_the_hidden_size() -> None:
    rows = [("h.{decoder}.up", Row(("4*hidden", "hidden"))), ("h.{decoder}.bias", Row(("4*hidden",)))]
    assert fixed_neurons({}, rows) == {"ffn": {"otherwise": "4*hidden"}}
    assert fixed_neurons({"ffn": {"key": "n_inner"}}, rows) == {}
    assert fixed_neurons({}, [*rows, ("h.{decoder}.gate", Row(("3*hidden",)))]) == {}, "nobody knows which of them"
    assert fixed_neurons({}, [("embeddings", Row(("4*hidden",)))]) == {}


@pytest.mark.slow  # 20 s
@pytest.mark.parametrize("name", ["bloom", "openai-gpt"])
def test_a_type_without_a_key_for_its_neurons_has_exact_sizes_and_loses_layers(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    description.find.cache_clear()
    registry.find.cache_clear()
    assert undescribed.meet(name) == ""
    family = registry.find(name)
    assert family
    before = AutoConfig.for_model(name, n_layer=4, n_head=4, vocab_size=400, pad_token_id=0).to_dict()
    assert family.parameters(before) == parameters(AutoConfig.for_model(**before))
    after = LayerRemoval(2).resized(family, before)
    assert family.parameters(after) == parameters(AutoConfig.for_model(**after)) < family.parameters(before)
    assert family.shape(before).intermediate_size == 4 * family.shape(before).hidden_size


@pytest.fixture
def met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Description:
    """The description of a type when it is first met, kept in a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    description.find.cache_clear()
    assert undescribed.meet(request.param) == ""
    found = description.find(request.param)
    assert found
    return found


@pytest.mark.slow  # 20 s
@pytest.mark.parametrize("met", ["longformer"], indirect=True)
def test_a_class_that_cannot_be_inferred_leaves_the_other_tasks(met: Description) -> None:
    assert met.tasks.keys() == {"text-classification", "token-classification"}
    with pytest.raises(AdviseError, match="question-answering"):
        met.structure({}, "question-answering")


@pytest.mark.slow  # 20 s
@pytest.mark.parametrize("met", ["xlm"], indirect=True)
def test_the_size_of_a_model_of_several_languages_is_said_not_to_be_known(met: Description) -> None:
    one = AutoConfig.for_model("xlm", n_layers=2, emb_dim=64, vocab_size=400, pad_token_id=0).to_dict()
    assert met.parameters(one) == parameters(AutoConfig.for_model(**one))
    assert met.uncovered({**one, "n_langs": 15}) == ["n_langs = 15"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("new-thing", "transformers knows no model type 'new-thing'"),
        ("mamba", "backbone.layers.0 is no attention (MambaBlock)"),
    ],
)
def test_what_cannot_be_described_says_why(name: str, why: str) -> None:
    undescribed.meet.cache_clear()
    assert why in undescribed.meet(name)


def test_a_description_that_is_none_is_an_error_with_its_file(without_granite: Path) -> None:
    without_granite.mkdir(parents=True)
    (without_granite / "granite.json").write_text("[]")
    with pytest.raises(AdviseError, match=r"granite\.json.*\n.*families add"):
        description.find("granite")


@pytest.mark.parametrize("name", ["../registry", "a/b", "", "x\0y", "."])
def test_a_model_type_names_no_other_file(name: str) -> None:
    assert description.find(name) is None


def test_a_type_that_transformers_does_not_know_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["families", "add", "no-such-type"]) == 2
    told = capsys.readouterr().err
    assert "it knows no model type 'no-such-type'" in told and "model_type" in told and len(told) < 500
    assert main(["families", "add", "stablml"]) == 2
    assert "did you mean 'stablelm'?" in capsys.readouterr().err


def test_transformers_is_asked_for_every_type_that_it_knows() -> None:
    from transformers import CONFIG_MAPPING

    assert [one for one in CONFIG_MAPPING if not undescribed.knows(one)] == []
    assert not undescribed.knows("brand-new")
