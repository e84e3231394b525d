"""Tokenizing: long texts cost what their beginning costs, and a tokenizer that fails is an error with its file."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import students
import tiny
from transformers import AutoTokenizer

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import encode
from advisor.compute.data.labels import Rows
from advisor.compute.data.tokenizing import beginning, token_ids
from advisor.compute.structure import checkpoint
from advisor.compute.tasks.text_classification import TextClassification

WORDS = " ".join(row["text"] for row in tiny.docstrings(most=40)).split()


def long_texts() -> dict[str, str]:
    random_ = random.Random(0)
    return {
        "words": " ".join(random_.choices(WORDS, k=3_000)),
        "one word": "abcdefghij" * 1_300,
        "no word": " \t\n" * 3_500,
        "spaces first": " " * 9_000 + "the end of it",
        "unknown words": "\u4e2d\u6587" * 6_500,
        "short": "a few words",
        "empty": "",
    }


def bert_words(folder: Path) -> Any:
    """A WordPiece tokenizer as BERT has it: a long word is one token, however long it is."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import PreTrainedTokenizerFast

    made = BertWordPieceTokenizer()
    made.train_from_iterator(WORDS, vocab_size=500, show_progress=False)
    return PreTrainedTokenizerFast(tokenizer_object=made._tokenizer, pad_token="[PAD]", unk_token="[UNK]")


@pytest.mark.parametrize("name", [*tiny.FAMILIES, "wordpiece"])
@pytest.mark.parametrize("most", [4, 128])
def test_the_tokens_of_the_beginning_are_those_of_the_whole_text(name: str, most: int, tmp_path: Path) -> None:
    tokenizer = bert_words(tmp_path) if name == "wordpiece" else tiny.tokenizer(name)
    texts = list(long_texts().values())
    whole = tokenizer(texts, truncation=True, max_length=most)["input_ids"]
    assert token_ids(tokenizer, texts, None, most) == whole


@pytest.mark.parametrize("name", [*tiny.FAMILIES, "wordpiece"])
def test_pairs_are_cut_as_the_library_cuts_them(name: str, tmp_path: Path) -> None:
    """What it needs for long ones grows with the product of their lengths, so that those here are short."""
    tokenizer = bert_words(tmp_path) if name == "wordpiece" else tiny.tokenizer(name)
    texts = [text[:700] for text in long_texts().values()]
    pairs = [*texts[1:], texts[0]]
    whole = tokenizer(texts, pairs, truncation=True, max_length=16)["input_ids"]
    assert token_ids(tokenizer, texts, pairs, 16) == whole


def test_long_pairs_take_no_longer_than_short_ones() -> None:
    texts = list(long_texts().values())
    begun = monotonic()
    token_ids(tiny.tokenizer("gpt2"), texts, [*texts[1:], texts[0]], 16)
    assert monotonic() - begun < 20


def test_long_texts_are_not_tokenized_whole() -> None:
    tokenizer = tiny.tokenizer("gpt2")
    text = " ".join(WORDS) * 200
    rows = encode(Rows((text,) * 20, None, (0,) * 20), tokenizer, 128)
    assert all(len(tokens) == 128 for tokens in rows.tokens)
    assert len(beginning(text, tokenizer, 128)) < 4_000 < len(text) / 100


def test_a_tokenizer_that_cuts_at_the_left_sees_the_end() -> None:
    tokenizer = tiny.tokenizer("gpt2")
    tokenizer.truncation_side = "left"
    text = "word " * 100_000 + "end"
    assert token_ids(tokenizer, [text], None, 8) == tokenizer([text], truncation=True, max_length=8)["input_ids"]


@pytest.fixture
def folder(checkpoints: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoints["bert"], tmp_path / "model"))


def changed(folder: Path, **parts: Any) -> None:
    file = folder / "tokenizer.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **parts}))


WRONG = {
    "no model": {"model": {"type": "BPE", "vocab": 3}},
    "another model": {"model": {"type": "Nobody"}},
    "no vocabulary": {"model": {}},
    "tokens": {"added_tokens": [{"id": "x"}]},
    "regular expression": {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(("}, "behavior": "Isolated",
                           "invert": False}},
    "normalizer": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
    "version": {"version": "9.9"},
}  # fmt: skip


@pytest.mark.parametrize("parts", WRONG.values(), ids=WRONG)
def test_a_tokenizer_of_a_wrong_schema(parts: dict[str, Any], folder: Path) -> None:
    changed(folder, **parts)
    with pytest.raises(AdviseError) as caught:
        checkpoint.load(folder, students.family("bert"), TextClassification(("a", "b")))
    (fault,) = caught.value.faults
    assert str(folder) in fault.file and "cannot be loaded" in fault.message and fault.hint


def test_a_costly_regular_expression(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The library panics, which is no `Exception`, and prints its panic by itself."""
    costly = {"type": "Split", "pattern": {"Regex": "(a|aa)+$"}, "behavior": "Isolated", "invert": False}
    changed(folder, pre_tokenizer=costly)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with pytest.raises(AdviseError, match="cannot tokenize") as caught:
        token_ids(tokenizer, ["a" * 60 + "b"], None, 16)
    assert caught.value.faults[0].file == str(folder / "tokenizer.json")
    assert "panicked" not in capfd.readouterr().err
