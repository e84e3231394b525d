"""Recipes against configs: every misfit at once, at the very setting, and a note where there is no config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.advice.recommendation import advise
from advisor.base.errors import AdviseError
from advisor.facts.facts import DataFacts, DeviceFacts, Facts, Goal
from advisor.families import registry
from advisor.inspection import probe
from advisor.policy.pack import core
from advisor.recipe.reader import loads
from advisor.recipe.recipe import DataSource, as_yaml
from advisor.review.findings import FITS, UNSEEN, Finding
from advisor.review.review import review_document

BERT = {**registry.find("bert").config, "num_hidden_layers": 6, "max_position_embeddings": 128}  # type: ignore[union-attr]

HEAD = "version: 1\nname: x\ndevice: cpu\ndata: {samples: 50000, task: text-classification}\n"


def found(
    tmp_path: Path, recipe: str, config: dict[str, Any] | None = BERT, task: str = "text-classification"
) -> list[tuple[str, str]]:
    """What is said of the model, with the text that it points at. The model is a folder beside the recipe."""
    if config is not None:
        (tmp_path / "model").mkdir(exist_ok=True)
        (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    text = HEAD.replace("text-classification", task) + recipe
    read, document = loads(text, str(tmp_path / "r.yaml"))
    reviewed = review_document(core(), read, document, tmp_path)
    return [(_at(one, text), one.message) for one in reviewed.findings if one.rule in (FITS, UNSEEN)]


def _at(one: Finding, text: str) -> str:
    return text.splitlines()[one.place.line - 1][one.place.column - 1 : one.place.end_column - 1]


MODEL = "model: {source: model}\n"
STEPS = "steps:\n  - finetune:\n"


def test_all_misfits_are_told_at_once_and_each_at_its_value(tmp_path: Path) -> None:
    recipe = (
        "model: {source: model, family: gpt2}\n"
        "training: {max_tokens: 512}\n"
        + STEPS
        + "  - layer_removal: {keep: 12}\n  - distillation:\n"
        + "  - matrix_pruning: {hidden_size: 500, heads: 6, intermediate_size: 4096}\n"
    )
    assert [at for at, _ in found(tmp_path, recipe)] == ["gpt2", "512", "12", "500", "4096"]


@pytest.mark.parametrize(
    ("steps", "at", "told"),
    [
        ("  - layer_removal: {keep: 6}\n  - distillation:\n", "6", "nothing is removed: all 6 encoder blocks stay"),
        ("  - layer_removal: {keep: 7}\n  - distillation:\n", "7", "cannot keep 7 of 6 encoder blocks"),
        ("  - layer_removal: {decoder_keep: 2}\n  - distillation:\n", "2", "BERT has encoder blocks: give only keep"),
        ("  - distillation:\n  - matrix_pruning: {heads: 6}\n", "6", "removes nothing in BERT"),
        ("  - distillation:\n  - matrix_pruning: {hidden_size: 450}\n", "450", "not a multiple of the head size 64"),
        ("  - distillation:\n  - matrix_pruning: {epochs: 3}\n", "matrix_pruning", "nothing becomes narrower"),
    ],
)
def test_a_setting_that_the_config_cannot_take(tmp_path: Path, steps: str, at: str, told: str) -> None:
    ((where, message),) = found(tmp_path, MODEL + STEPS + steps)
    assert where == at
    assert told in message


def test_a_later_step_is_held_against_what_the_earlier_ones_leave(tmp_path: Path) -> None:
    steps = "  - layer_removal: {keep: 9}\n  - distillation:\n  - matrix_pruning: {hidden_size: 448}\n"
    assert [at for at, _ in found(tmp_path, MODEL + STEPS + steps)] == ["9"]  # width is checked, and fits


def test_texts_longer_than_the_model_has_positions_for(tmp_path: Path) -> None:
    said = found(tmp_path, MODEL + "training: {max_tokens: 129}\n" + STEPS)
    assert said == [("129", "max_tokens 129 is more than the 128 positions of model")]
    assert found(tmp_path, MODEL + "training: {max_tokens: 128}\n" + STEPS) == []


@pytest.mark.parametrize(
    ("family", "task", "tokens", "said"),
    [
        ("bart", "summarization", 1025, "max_new_tokens 1,025 is more than the 1,024 positions of model"),
        ("bart", "summarization", 1024, ""),
        (
            "gpt2",
            "text-generation",
            1024,
            "max_new_tokens 1,024 is more than the 1,023 positions of model behind",
        ),
        ("llama", "text-generation", 99_999, ""),  # which has no table of positions
        ("t5", "summarization", 99_999, ""),
    ],
)
def test_texts_to_write_beyond_the_model_s_positions(
    family: str, task: str, tokens: int, said: str, tmp_path: Path
) -> None:
    config = dict(registry.find(family).config)  # type: ignore[union-attr]
    written = f"training: {{max_new_tokens: {tokens}}}\n"
    messages = [message for at, message in found(tmp_path, MODEL + written + STEPS, config, task) if at == str(tokens)]
    assert len(messages) == bool(said) and all(one.startswith(said) for one in messages)


SHORT = {**BERT, "max_position_embeddings": 8}


def test_a_length_that_is_not_stated_follows_data_and_model(tmp_path: Path) -> None:
    assert found(tmp_path, MODEL + STEPS, SHORT) == []
    assert found(tmp_path, MODEL + STEPS + "training: {batch_size: 16}\n", SHORT) == []
    said = found(tmp_path, MODEL + "training: {max_tokens: 9}\n" + STEPS, SHORT)
    assert said == [("9", "max_tokens 9 is more than the 8 positions of model")]


def test_a_model_that_cannot_be_run_need_not_state_it(tmp_path: Path) -> None:
    clip = dict(registry.find("clip").config)  # type: ignore[union-attr]
    assert found(tmp_path, MODEL + STEPS, clip) == []
    assert [at for at, _ in found(tmp_path, MODEL + "training: {max_tokens: 78}\n" + STEPS, clip)] == ["78"]


def test_advice_for_a_model_of_few_positions_states_how_long_texts_may_be(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SHORT))
    model = probe.model(str(tmp_path))
    facts = Facts(model.facts, DataFacts(50000), probe.device("cpu"), Goal())
    recipe = advise(core(), facts, model, DataSource(samples=50000), "short").chosen.recipe
    assert recipe.training.max_tokens == 8
    read, document = loads(as_yaml(recipe), "r.yaml")
    assert review_document(core(), read, document, tmp_path).errors == 0


@pytest.mark.parametrize(("name", "most"), [("opt", 2048), ("roberta", 512), ("bart", 1024), ("gpt2", 1024)])
def test_rows_that_no_token_takes_are_no_positions(name: str, most: int) -> None:
    family = registry.find(name)
    assert family and family.longest(family.config) == most


@pytest.mark.parametrize("name", ["t5", "llama", "deberta-v2", "vit"])
def test_models_without_learned_positions_take_texts_of_any_length(name: str) -> None:
    family = registry.find(name)
    assert family and family.longest(family.config) is None


def test_a_model_that_is_not_at_hand_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    ((at, message),) = found(tmp_path, "model: {source: our/bert, family: bert}\n" + STEPS, config=None)
    assert at == "our/bert"
    assert message.startswith("checked without the config of our/bert (")


def test_a_command_that_is_proposed_runs_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    recipe, document = loads(HEAD + "model: {source: our/bert; rm -r ~, family: bert}\n" + STEPS)
    findings = review_document(core(), recipe, document, tmp_path).findings
    (fix,) = [one.fix for one in findings if one.rule == UNSEEN]
    assert fix and "(hf download 'our/bert; rm -r ~' config.json)" in fix.words


def test_a_cached_config_is_found_by_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    cached = tmp_path / "hub" / "models--our--bert"
    for folder in ("refs", "snapshots/abc"):
        (cached / folder).mkdir(parents=True)
    (cached / "refs" / "main").write_text("abc")
    (cached / "snapshots" / "abc" / "config.json").write_text(json.dumps(BERT))
    recipe = "model: {source: our/bert, family: bert}\n" + STEPS + "  - layer_removal: {keep: 7}\n  - distillation:\n"
    assert found(tmp_path, recipe, config=None) == [("7", "layer_removal: cannot keep 7 of 6 encoder blocks")]


def test_a_kind_of_model_that_is_not_described_is_said(tmp_path: Path) -> None:
    ((at, message),) = found(tmp_path, MODEL + STEPS, {"model_type": "brand-new"})
    assert at == "model"
    assert "were not checked" in message and "transformers knows no model type 'brand-new'" in message


def hub_cache(folder: Path, **layers: int) -> None:
    """A Hub cache with a model `our/bert` whose branches have configs of so many layers each."""
    cached = folder / "models--our--bert"
    (cached / "refs").mkdir(parents=True)
    for commit, (branch, count) in zip("abc", layers.items(), strict=False):
        (cached / "refs" / branch).write_text(commit * 40)
        (cached / "snapshots" / (commit * 40)).mkdir(parents=True)
        config = json.dumps({**BERT, "num_hidden_layers": count})
        (cached / "snapshots" / (commit * 40) / "config.json").write_text(config)


def test_a_revision_is_the_one_that_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    hub_cache(tmp_path / "hub", main=6, v2=12)
    steps = STEPS + "  - layer_removal: {keep: 7}\n  - distillation:\n"
    too_few = [("7", "layer_removal: cannot keep 7 of 6 encoder blocks")]
    for revision, problems in (("", too_few), (", revision: v2", []), (f", revision: {'b' * 40}", [])):
        recipe = f"model: {{source: our/bert, family: bert{revision}}}\n{steps}"
        assert found(tmp_path, recipe, config=None) == problems
    assert probe.model("our/bert", revision="v2").folder == tmp_path / "hub/models--our--bert/snapshots" / ("b" * 40)
    with pytest.raises(AdviseError, match="revision 'v3' of our/bert is not in the local Hub cache"):
        probe.model("our/bert", revision="v3")
    for outside in ("../../../..", "/etc", "a\0"):
        assert probe.cached_config("our/bert", outside) is None
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "config.json").write_text(json.dumps(BERT))
    own = probe.model(str(tmp_path / "here"), revision="v2")  # a folder of one's own has no revisions
    assert (own.revision, own.folder) == (None, tmp_path / "here")


CANNOT = [
    ("vit", "text-classification", "image-classification"),
    ("whisper", "text-classification", "audio-classification or automatic-speech-recognition"),
    ("bert", "image-classification", "text-classification, token-classification or question-answering"),
    ("roberta", "audio-classification", "text-classification, token-classification or question-answering"),
    ("t5", "automatic-speech-recognition", "text-classification, summarization or translation"),
    ("bart", "audio-classification", "text-classification, summarization or translation"),
    ("whisper", "summarization", "audio-classification or automatic-speech-recognition"),
]


@pytest.mark.parametrize(("family", "task", "able"), CANNOT)
def test_a_task_that_a_family_is_not_run_on_is_refused_before_a_run(
    family: str, task: str, able: str, tmp_path: Path
) -> None:
    config = registry.find(family).config  # type: ignore[union-attr]
    said = f"{task} cannot be run with {family}: {family} can be run as {able}; {task} is run with "
    messages = [message for at, message in found(tmp_path, MODEL + STEPS, config, task) if at == task]
    assert any(message.startswith(said) for message in messages), messages
    model = probe.model(str(tmp_path / "model"), task=task)
    facts = Facts(model.facts, DataFacts(20_000, task=task), DeviceFacts("cpu"), Goal())
    with pytest.raises(AdviseError, match=f"{task} cannot be run with {family}"):
        advise(core(), facts, model, DataSource(task=task), "x")  # type: ignore[arg-type]
