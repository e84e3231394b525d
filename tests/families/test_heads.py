"""The head of another task is counted as transformers builds it: of models that write with their output embeddings."""

from __future__ import annotations

from typing import Any

import pytest
import tiny
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForTokenClassification,
)

from advisor.families import registry
from advisor.families.family import Family
from advisor.families.heads import as_used, lacking, with_head

LLAMA = {"num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2}
SIZES: dict[str, dict[str, Any]] = {**tiny.SIZES, "gpt_neo": tiny.KIN["gpt_neo"]}
SIZES |= {name: {**LLAMA, "intermediate_size": 24} for name in ("llama", "mistral", "qwen2", "qwen3")}


def tensors(family: Family, config: Any) -> set[str]:
    return {name for name, _, _ in family.structure(config.to_dict()).tensors()}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("name", [one for one in SIZES if one != "bert"])
def test_the_parameters_of_a_model_that_writes_are_exact(name: str, tied: bool) -> None:
    config = AutoConfig.for_model(name, vocab_size=50, **{**SIZES[name], "tie_word_embeddings": tied})
    family = registry.find(name)
    assert family is not None
    task, auto = (
        ("summarization", AutoModelForSeq2SeqLM)
        if family.kind == "encoder-decoder"
        else ("text-generation", AutoModelForCausalLM)
    )
    with torch.device("meta"):
        model = auto.from_config(config)
    model.tie_weights()
    if not tied and family.kind == "encoder-decoder":  # T5's class ties whatever its config says
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    counted = sum(one.numel() for one in model.parameters())
    head = with_head(family, task)
    assert head.executable and head.parameters(config.to_dict()) == counted
    assert ("lm_head.weight" in tensors(head, config)) is not tied
    assert set(tensors(head, config)) == {name for name, _ in model.named_parameters()}


def test_a_task_that_writes_needs_the_architecture_that_does() -> None:
    bert, gpt2 = registry.find("bert"), registry.find("gpt2")
    assert bert and gpt2
    assert not with_head(bert, "text-generation").executable and not with_head(gpt2, "translation").executable
    assert with_head(bert, "text-classification") is bert and with_head(bert, None) is bert


CLASSES = {
    "token-classification": (AutoModelForTokenClassification, 5),
    "question-answering": (AutoModelForQuestionAnswering, 2),
}
FAMILIES = [name for name in registry.executable() if name != "t5"]


@pytest.mark.parametrize("task", CLASSES)
@pytest.mark.parametrize("name", FAMILIES)
def test_parameters(name: str, task: str) -> None:
    family = registry.find(name)
    assert family is not None
    if lacking(name, family.kind, task):
        assert (name, task) == ("opt", "token-classification") or family.kind == "encoder-decoder"
        assert not with_head(family, task).executable
        return
    class_, labels = CLASSES[task]
    config = AutoConfig.for_model(
        name, **{"vocab_size": 99, "pad_token_id": 0, **(tiny.SIZES | tiny.KIN)[name], "num_labels": labels}
    )
    with torch.device("meta"):
        model = class_.from_config(config)
    own = with_head(family, task)
    assert sum(one.numel() for one in model.parameters()) == own.parameters(config.to_dict(), labels)
    assert set(dict(model.named_parameters())) == set(tensors(own, config))


def test_the_usual_head_stays() -> None:
    bert, t5 = registry.find("bert"), registry.find("t5")
    assert bert is not None
    assert t5 is not None
    assert with_head(bert, "text-classification") is with_head(bert, None) is bert
    assert not with_head(t5, "question-answering").executable  # transformers' class for it is another model


def test_sounds_are_classified_by_an_encoder_alone() -> None:
    family = registry.find("whisper")
    assert family is not None
    assert [stack.name for stack in with_head(family, "audio-classification").stacks] == ["encoder"]
    assert [stack.name for stack in with_head(family, "automatic-speech-recognition").stacks] == ["encoder", "decoder"]
    whole = registry.describe(family.config)
    assert whole.kind == "encoder-decoder" and as_used(whole, "automatic-speech-recognition") == whole
    for facts in (
        registry.describe(family.config, task="audio-classification"),
        as_used(whole, "audio-classification"),
    ):
        assert (facts.kind, facts.layers, facts.decoder_layers, facts.generative) == ("encoder", 4, 0, False)
