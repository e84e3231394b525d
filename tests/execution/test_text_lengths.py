"""At how many tokens texts are cut where the recipe does not say."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
from tables import write

from advisor.api.orders import Order, assumptions, prepare
from advisor.api.review import waiving
from advisor.compute.data.dataset import Columns, Rows, TaskData
from advisor.compute.data.tokenizing import token_ids
from advisor.compute.structure.processors import tokenizer as tokenizer_of
from advisor.execution.job import Job
from advisor.execution.text_lengths import _lengths, cut_besides
from advisor.policy.pack import find
from advisor.recipe.reader import loads
from advisor.recipe.recipe import as_yaml
from advisor.records.training_settings import Training

RECIPE = """version: 1
name: long
model: {{source: {model}}}
data: {{source: {data}{task}}}
device: cpu
goal: {{relative_accuracy: ">= 0.01"}}
steps: [finetune]
"""


def job(folder: Path, words: int, more: str = "", model: str = "model", task: str = "") -> Job:
    """A job on texts of 1 to so many words."""
    texts = [f"{i} " + "the returned object " * (i * words // 600) for i in range(200)]
    data = write(folder / "data.jsonl", {"text": texts, "label": [i % 2 for i in range(200)]})
    file = folder / "recipe.yaml"
    file.write_text(RECIPE.format(model=folder / model, data=data, task=task) + more)
    how = waiving(None, True, 180)
    order = Order(file, None, None, None, {}, "cpu", find("core"), how, assumptions(None, 1.0, None, None))
    return prepare(order)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("lengths")
    tiny.checkpoint("bert", found / "model", max_position_embeddings=512)
    return found


def test_long_texts_are_not_cut_and_the_recipe_of_the_run_says_so(folder: Path) -> None:
    made = job(folder, words=150)
    cut = made.recipe.training.max_tokens
    assert 128 < cut < 512 and cut % 8 == 0
    assert loads(as_yaml(made.recipe))[0].training.max_tokens == cut
    assert made.reviewed.recipe.training.max_tokens == cut
    (note,) = made.data.notes
    assert f"texts are cut at {cut} tokens, which 9" in note and "training.max_tokens sets another length" in note


def test_a_language_model_reads_long_texts_in_windows_and_cuts_none(folder: Path) -> None:
    tiny.checkpoint("gpt2", folder / "writer")
    task = "text-generation"
    made = job(folder, words=150, model="writer", task=f", task: {task}")
    told = " ".join(made.data.notes)
    assert made.recipe.training.max_tokens > 128 and "are cut" not in told
    assert f"texts of more than {made.recipe.training.max_tokens} tokens are read in windows; 9" in told  # per cent


def test_positions_limit_it_and_short_texts_keep_the_default(folder: Path) -> None:
    assert job(folder, words=3000).recipe.training.max_tokens == 512
    assert job(folder, words=3).recipe.training.max_tokens == 128


def test_what_the_recipe_states_holds(folder: Path) -> None:
    made = job(folder, words=150, more="training: {max_tokens: 64}\n")
    assert made.recipe.training.max_tokens == 64
    (note,) = made.data.notes
    assert note.endswith(" training texts are longer than training.max_tokens, 64: each is cut")
    assert not job(folder, words=10, more="training: {max_tokens: 64}\n").data.notes


def test_targets_and_questions_that_are_cut_are_told(folder: Path) -> None:
    tiny.checkpoint("t5", folder / "summarizer")
    tokenizer = tokenizer_of(folder / "summarizer")
    rows = Rows(("text",) * 8, None, ("object " * 90,) * 2 + ("object",) * 6)
    told = cut_besides(Training(max_new_tokens=64), data_of("summarization", rows), tokenizer)
    assert told.startswith("25.0% of 8 training targets are longer than 64 tokens: what is to be written is cut there")
    asked = Rows(("object " * 90,) * 4 + ("object",) * 4, ("context",) * 8, ((),) * 8)
    told = cut_besides(Training(max_tokens=384), data_of("question-answering", asked), tokenizer)
    assert told.startswith("50.0% of 8 training questions are longer than 64 tokens and cut there")
    assert not cut_besides(Training(), data_of("text-classification", asked), tokenizer)
    spoken = data_of("automatic-speech-recognition", Rows((b"",) * 8, None, ("object " * 12,) * 8))
    plain = len(token_ids(tokenizer, ["object " * 12])[0])  # and the end behind them
    assert not cut_besides(Training(max_new_tokens=plain + 1), spoken, tokenizer)
    assert cut_besides(Training(max_new_tokens=plain), spoken, tokenizer)
    assert _lengths(Rows(("object " * 3000,), None, (0,)), tokenizer, None, 2500) == [2501]


def data_of(task: str, rows: Rows) -> TaskData:
    columns = Columns("text", None, "label")
    return TaskData("here", columns, (), rows, rows, rows, rows, 0, "", "", task)
