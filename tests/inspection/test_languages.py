"""Languages: a recipe for a model that marks them states them, or people are told what is missing before a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from advisor.cli import main
from advisor.families import registry
from advisor.inspection import languages, probe
from advisor.recipe.reader import loads
from advisor.recipe.recipe import DataSource

FACTS = ["--model", "mbart", "--samples", "20000", "--device", "cpu", "--task", "translation"]
MISSING = "mbart marks each text with its language, and data.source_lang and data.target_lang are not stated"


def test_advice_says_what_is_missing_and_check_refuses_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "recipe.yaml"
    assert main([*FACTS, "-o", str(file)]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert f"{MISSING}: state them by the tokenizer's codes" in told and "(--source-lang, --target-lang)" in told
    assert main(["check", str(file)]) == 1
    assert MISSING in " ".join(capsys.readouterr().out.split())


def test_languages_that_are_given_stand_in_the_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FACTS, "--source-lang", "en_XX", "--target-lang", "de_DE"]) == 0
    shown = capsys.readouterr()
    data = loads(shown.out)[0].data
    assert (data.source_lang, data.target_lang) == ("en_XX", "de_DE") and "marks each text" not in shown.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--task", "text-classification", "--source-lang", "en"], "source_lang: it is for summarization and"),
        (["--task", "automatic-speech-recognition", "--target-lang", "en"], "target_lang: it is for summarization and"),
        (["--task", "translation", "--source-lang", ""], "source_lang: expected the code of a language, got ''"),
    ],
)
def test_languages_that_make_no_sense_are_refused(
    more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*FACTS, *more]) == 2
    assert said in capsys.readouterr().err


def test_run_takes_languages_for_the_tasks_that_have_them(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "recipe.yaml"
    assert main(["--model", "bert", "--samples", "20000", "--device", "cpu", "-o", str(file)]) == 0
    recipe = file.read_text().replace("data: {", "data: {task: text-classification, ")
    file.write_text(recipe)
    asked = ["run", str(file), "--data", str(text), "--out", str(tmp_path / "out"), "--source-lang", "en"]
    assert main(asked) == 2
    assert "data.source_lang: text-classification does not use it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tokenizer", "data", "missing"),
    [
        (
            {"tokenizer_class": "MBart50Tokenizer"},
            DataSource(task="summarization", source_lang="en_XX"),
            "target_lang is",
        ),
        ({"tokenizer_class": "T5Tokenizer"}, DataSource(task="translation"), ""),
        ({}, DataSource(task="translation"), "data.source_lang and data.target_lang are not"),
        ([], DataSource(task="translation"), "data.source_lang and data.target_lang are not"),
        ({}, DataSource(task="text-classification"), ""),
        ({}, DataSource(task="translation", source_lang="en_XX", target_lang="de_DE"), ""),
    ],
)
def test_the_tokenizer_of_a_folder_says_whether_it_marks_languages(
    tokenizer: object, data: DataSource, missing: str, tmp_path: Path
) -> None:
    family = registry.find("mbart")
    assert family
    (tmp_path / "config.json").write_text(json.dumps(dict(family.config)))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    said = languages.unstated(probe.model(str(tmp_path)), data)
    assert missing in said and bool(said) == bool(missing)


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        ("t5", "translation, source_lang: en, target_lang: de", ["source_lang: this t5 marks no", "target_lang: this"]),
        ("bart", "summarization, target_lang: de", ["target_lang: this bart marks no languages"]),
        ("mbart", "translation, source_lang: en_XX, target_lang: de_DE", []),
        ("t5", "translation", []),
    ],
)
def test_languages_that_a_model_has_no_use_for_are_refused(
    model: str, data: str, said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: a\nmodel: {{source: {model}}}\ndata: {{source: a.csv, samples: 20000, task: {data}}}\n"
        "device: cpu\nsteps:\n  - finetune: {epochs: 1}\n"
    )
    assert main(["check", str(file)]) == (1 if said else 0)
    shown = " ".join(capsys.readouterr().out.split())
    assert all(one in shown for one in said) and ("leave it out" in shown) == bool(said)
    assert ("tells the model what to write" in shown) == (model == "t5" and bool(said))


def test_advice_writes_no_recipe_that_check_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    facts = ["--model", "t5", *FACTS[2:], "--source-lang", "en", "--target-lang", "de"]
    assert main(facts) == 2
    assert "data.source_lang: this t5 marks no languages" in capsys.readouterr().err


def test_a_whisper_for_english_takes_no_language(tmp_path: Path) -> None:
    family = registry.find("whisper")
    assert family
    (tmp_path / "config.json").write_text(json.dumps(dict(family.config)))
    data = DataSource(task="automatic-speech-recognition", source_lang="en")
    for several, said in ((True, []), (False, [("source_lang", "source_lang: this whisper is for one language")])):
        (tmp_path / "generation_config.json").write_text(json.dumps({"is_multilingual": several}))
        assert list(languages.unwanted(probe.model(str(tmp_path)), data)) == said
