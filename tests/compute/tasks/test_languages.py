"""Texts of models for many languages carry the codes of their languages, as mBART's own tokenizer has them."""

from __future__ import annotations

from typing import Any

import pytest
import tiny
from transformers import GenerationConfig

from advisor.base.errors import AdviseError
from advisor.compute.data.labels import Rows
from advisor.compute.tasks.languages import begin_in
from advisor.compute.tasks.registry import task_of


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tiny.multilingual_tokenizer()


def test_texts_and_targets_are_marked_and_writing_begins_with_the_target_s(tokenizer: Any) -> None:
    task = task_of("translation", (), source_lang="en_XX", target_lang="de_DE")
    task.prepare(tokenizer)
    rows = task.encode(Rows(("a message", "the event loop"), None, ("return", "")), tokenizer, 16)
    english, german = tokenizer.convert_tokens_to_ids(["en_XX", "de_DE"])
    assert [ids[-2:] for ids in rows.tokens] == [(tokenizer.eos_token_id, english)] * 2
    assert [ids[-2:] for ids in rows.labels] == [(tokenizer.eos_token_id, german)] * 2
    settings = GenerationConfig()
    begin_in(tokenizer, settings)
    assert settings.decoder_start_token_id == german and settings.forced_bos_token_id is None


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({}, "data.source_lang and data.target_lang is not stated"),
        ({"source_lang": "en_XX"}, "data.target_lang is not stated"),
        ({"source_lang": "en_XX", "target_lang": "de_De"}, "did you mean 'de_DE'"),
    ],
)
def test_languages_that_are_missing_or_unknown_are_told(stated: dict[str, str], said: str, tokenizer: Any) -> None:
    with pytest.raises(AdviseError) as error:
        task_of("translation", (), **stated).prepare(tokenizer)
    assert said in str(error.value)


def test_a_tokenizer_that_marks_targets_in_another_way_is_refused_before_anything_is_learned() -> None:
    odd = tiny.tokenizer("t5")
    odd.add_special_tokens({"additional_special_tokens": ["en", "de"]})
    odd.src_lang = odd.tgt_lang = None
    with pytest.raises(AdviseError, match=r"marks what is written in a way that is not known"):
        task_of("translation", (), source_lang="en", target_lang="de").prepare(odd)


def test_a_tokenizer_that_marks_no_languages_takes_none() -> None:
    plain = tiny.tokenizer("t5")
    task_of("translation", ()).prepare(plain)
    with pytest.raises(AdviseError, match=r"data\.target_lang: this model's tokenizer marks no languages"):
        task_of("translation", (), target_lang="de_DE").prepare(plain)
