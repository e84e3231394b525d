"""The head of another task is counted as transformers builds it."""

from __future__ import annotations

import pytest
import tiny
import torch
from transformers import AutoConfig, AutoModelForQuestionAnswering, AutoModelForTokenClassification

from advisor.families import registry
from advisor.families.heads import lacking, with_head

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
        assert (name, task) == ("opt", "token-classification")
        return
    class_, labels = CLASSES[task]
    config = AutoConfig.for_model(
        name, **{"vocab_size": 99, "pad_token_id": 0, **(tiny.SIZES | tiny.KIN)[name], "num_labels": labels}
    )
    with torch.device("meta"):
        model = class_.from_config(config)
    own = with_head(family, task)
    assert sum(one.numel() for one in model.parameters()) == own.parameters(config.to_dict(), labels)
    assert set(dict(model.named_parameters())) == set(own.tensor_names(config.to_dict()))


def test_the_usual_head_stays() -> None:
    bert, t5 = registry.find("bert"), registry.find("t5")
    assert bert is not None
    assert t5 is not None
    assert with_head(bert, "classification") is with_head(bert, None) is bert
    assert with_head(t5, "question-answering") is t5  # transformers' class for it is another model
