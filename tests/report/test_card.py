"""Model cards: the Hub's own library reads them, grams stay grams, nothing from data or recipes leaves its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small_runs
import yaml
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

from advisor.facts.facts import DataFacts
from advisor.recipe.reader import loads
from advisor.recipe.recipe import ModelSource, Recipe
from advisor.recipe.steps.distillation import Distillation
from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import Cost, Measured, RunResult
from advisor.report import card
from advisor.report.frontmatter import front, metadata

DATA = DataFacts(samples=67_349, task="text-classification", labels=2)


def recipe(**changes: Any) -> Recipe:
    values = {"name": '"bert"', "model": '"bert-base-uncased"', "family": "bert", "data": '"stanfordnlp/sst2"'}
    return replace(loads(small_runs.RECIPE.format(**values, samples=67_349, keep=8, seed=0))[0], **changes)


def text(run: RunResult | None = None, of: Recipe | None = None, license_: str = "apache-2.0") -> str:
    return card.text(run or measured(), of or recipe(), DATA, license_)


def measured(grams: float = 1.5, **changes: Any) -> RunResult:
    """A run whose steps each took so many grams."""
    cost = Cost(Measured(20.0), Measured(grams, source="time-derived (power not measured): this process for 4 s"))
    run = small_runs.result()
    told = {**run.provenance, "assumed": {"country": "JPN", "stated": True, "pue": 1.0}}
    return replace(run, steps=tuple(replace(step, cost=cost) for step in run.steps), provenance=told, **changes)


def test_the_hub_reads_it_and_the_metadata_survives_the_round_trip(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(text(), encoding="utf-8")
    loaded = ModelCard.load(file)
    wanted = metadata(measured(), recipe(), DATA, "apache-2.0")
    assert {name: loaded.data.to_dict()[name] for name in wanted} == wanted
    (result,) = loaded.data.eval_results or []
    assert (result.task_type, result.dataset_type, result.metric_type) == (
        "text-classification",
        "stanfordnlp/sst2",
        "accuracy",
    )
    assert result.metric_value == 0.88
    loaded.save(tmp_path / "again.md")
    assert ModelCard.load(tmp_path / "again.md").data.to_dict() == loaded.data.to_dict()


def test_emissions_are_in_grams_of_all_steps() -> None:
    block = yaml.safe_load(text().split("---\n")[1])
    assert block["co2_eq_emissions"] == {
        "emissions": 6.0,
        "source": "time-derived (power not measured): this process",
        "training_type": "fine-tuning",
        "geographical_location": "JPN",
        "hardware_used": "AMD EPYC, 2 threads",
    }
    assert "6 g CO2e (time-derived (power not measured)" in text()


def test_emissions_that_are_processor_time_are_called_so() -> None:
    assert "| % Emissions |" in text()
    derived = Measured(0.312, source=f"{TIME_DERIVED}: this process's processor time", interval=(0.305, 0.322))
    run = measured()
    steps = tuple(replace(step, served=replace(step.served, emissions=derived)) for step in run.steps)
    made = text(replace(run, steps=steps))
    assert f"| % Emissions, {TIME_DERIVED} |" in made and "| 31% (30 to 32) |" in made


def test_a_country_that_nobody_stated_is_no_location() -> None:
    run = measured()
    guessed = {**run.provenance, "assumed": {"country": "FRA", "stated": False}}
    block = yaml.safe_load(text(replace(run, provenance=guessed)).split("---\n")[1])
    assert "geographical_location" not in block["co2_eq_emissions"]


def test_a_tiny_number_stays_a_number_for_the_hubs_parser() -> None:
    block = yaml.safe_load(front(measured(grams=2.5e-7), recipe(), DATA).strip("-\n"))
    assert block["co2_eq_emissions"]["emissions"] == 1e-6


def test_what_was_not_measured_is_left_out_with_the_reason_and_never_0() -> None:
    run = measured()
    steps = (*run.steps[:-1], replace(run.steps[-1], cost=Cost(g_co2=Measured(why_not="codecarbon failed here"))))
    made = text(replace(run, steps=steps, payback=Measured(why_not="no training emissions")))
    assert "co2_eq_emissions" not in made.split("---\n")[1]
    assert "not measured (codecarbon failed here)" in made and "not known (no training emissions)" in made


def test_names_on_this_machine_are_none_on_the_hub() -> None:
    local = recipe(
        model=ModelSource("/home/me/models/bert"), data=replace(recipe().data, source="/home/me/secret/sst2/")
    )
    made = text(replace(measured(), model="/home/me/models/bert"), local, "")
    block = yaml.safe_load(made.split("---\n")[1])
    assert "base_model" not in block and "datasets" not in block and "license" not in block
    assert block["model-index"][0]["results"][0]["dataset"]["name"] == "sst2"
    assert "BERT from a local folder" in made and "license of the base model is not known" in made
    assert "/home/me" not in made and "data: {source: sst2" in made


@pytest.mark.parametrize(("student", "base"), [("/home/me/tinybert", None), ("org/tinybert", "org/tinybert")])
def test_a_given_student_is_the_base_model_and_its_folder_stays_private(student: str, base: str | None) -> None:
    steps = tuple(Distillation(student=student) if one.name == "distillation" else one for one in recipe().steps)
    made = text(of=recipe(steps=steps))
    assert "/home/me" not in made and "tinybert" in made
    assert yaml.safe_load(made.split("---\n")[1]).get("base_model") == base


def test_it_says_how_to_load_and_what_was_missed() -> None:
    made = text()
    assert 'from_pretrained("FOLDER/steps/2-distillation")' in made and 'load("FOLDER")' in made
    assert "It missed gates" in made and "int8 accuracy \\>= 0.99" in made
    assert "| int8 | 97.8% (96.8 to 98.8) | 18.7% | 31.0% (30.4 to 31.6) | 33.0% (32.0 to 34.0) |" in made


HOSTILE = [
    "---\nlicense: mit\n---",
    "a | b",
    "<script>alert(1)</script>",
    "```",
    'x"\\',
    "\u2028\x07\ud7ff😀",
    "[x](javascript:1)",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_in_their_place(name: str) -> None:
    run = measured()
    steps = tuple(replace(step, words=name, notes=(name,), metrics={name: 0.5}) for step in run.steps)
    made = text(
        replace(run, name=name, summary=name, steps=steps, provenance={"machine": name, "versions": {name: name}}),
        recipe(name=name, data=replace(recipe().data, source=name)),
    )
    block = ModelCard(made).data.to_dict()
    assert block["license"] == "apache-2.0" and block["co2_eq_emissions"]["hardware_used"] == name
    assert "<script>" not in made.split("---\n", 2)[2].split("## Recipe")[0]
    rows = [line for line in made.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_comes_back_from_the_metadata(name: str) -> None:
    block = front(replace(measured(), name=name), recipe(), DATA)
    assert yaml.safe_load(block.strip("-\n"))["model-index"][0]["name"] == name


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("---\nlicense: apache-2.0\ntags: []\n---\n# BERT", "apache-2.0"),
        ('---\nlicense: "mit"\n---', "mit"),
        ("# license: mit", ""),
        ("---\ntags: []\n---\nlicense: mit", ""),
        (None, ""),
    ],
)
def test_the_license_is_the_base_models(head: str | None, found: str, tmp_path: Path) -> None:
    if head is not None:
        (tmp_path / "README.md").write_text(head)
    assert card.base_license(tmp_path) == found
    assert card.base_license(None) == ""


def test_an_article_fits_its_noun() -> None:
    assert ", to serve on an edge device: " in text(measured(device="edge"))
    assert ", to serve on cpu: " in text()


def test_a_comment_with_a_run_calls_nobody() -> None:
    shown = card.section(replace(measured(), name="@team", summary="keeps &lt;b&gt; @all"))
    assert "@\u200bteam" in shown and "\\&lt;b\\&gt;" in shown and "@all" not in shown


def test_large_amounts_have_no_exponent() -> None:
    hours = tuple(replace(step, seconds=123 * 3600.0) for step in measured().steps)
    made = text(replace(measured(grams=12_345.0), steps=hours))
    assert "492 hours" in made
    assert "49,380 g CO2e (time-derived" in text(measured(grams=12_345.0))


@pytest.mark.parametrize("family", ["T5", "mT5"])
def test_no_stock_class_is_named_for_a_model_that_answers_in_words(family: str) -> None:
    assert "AutoModel" not in text(measured(family=family))
    assert "AutoModelForSeq2SeqLM" in text(measured(family=family, task="summarization"))
    assert "AutoModelForSequenceClassification" in text(measured(family="BART"))


def test_a_folder_of_this_machine_is_no_name_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert 'base_model: "bert-base-uncased"' in text() and '- "stanfordnlp/sst2"' in text()
    (tmp_path / "bert-base-uncased").mkdir()
    (tmp_path / "stanfordnlp" / "sst2").mkdir(parents=True)
    assert "base_model" not in text() and "stanfordnlp" not in text()
    assert "BERT from a local folder made smaller" in text() and "source: sst2" in text()


def test_how_long_one_step_took_is_no_part_of_the_sum() -> None:
    told = "energy counters, this process for 4 s and, at the same power, 90 s before it was interrupted; grid of FRA"
    run = measured()
    steps = tuple(replace(step, cost=Cost(Measured(1.0), Measured(1.0, source=told))) for step in run.steps)
    assert card.making(replace(run, steps=steps)).source == "energy counters, this process; grid of FRA"


def test_two_metrics_that_the_hub_calls_alike_are_named_once() -> None:
    steps = tuple(
        replace(step, metrics={"micro_f1": 0.5, "macro_f1": 0.4, "accuracy": 0.6}) for step in measured().steps
    )
    front = text(replace(measured(), steps=steps)).split("---")[1]
    assert front.count('- "f1"') == 1 and front.count('- "accuracy"') == 1
