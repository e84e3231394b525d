"""Recipes: read, refused with all faults, and written so that they read back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.base.errors import AdviseError
from advisor.facts.facts import Goal
from advisor.recipe.reader import loads
from advisor.recipe.recipe import DataSource, ModelSource, Recipe, Training, as_yaml, to_aims, to_goal
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.quantization import Quantization

GOOD = """version: 1
name: small
model: {source: bert, family: bert}
device: cpu
steps:
  - finetune: {epochs: 2}
  - quantization:
"""


def faults(text: str) -> str:
    with pytest.raises(AdviseError) as caught:
        loads(text, "r.yaml")
    return str(caught.value)


def test_defaults_fill_what_a_recipe_leaves_out() -> None:
    recipe, _ = loads(GOOD)
    assert recipe.steps == (Finetune(epochs=2), Quantization())
    assert recipe.training == Training()


def test_all_faults_at_once_each_with_place_and_nearest_name() -> None:
    text = """version: 1
name: x
model: {source: bert, famly: bert}
data: {samples: -3}
device: gpu
goal: {relative_accuracy: "<= 0.9"}
steps:
  - finetune: {epochs: 3, learning_rte: 5.0e-5}
  - layer_remval: {keep: 4}
  - distillation: {temperature: "2"}
  - finetune: {epochs: true}
"""
    told = faults(text).splitlines()
    assert [line for line in told if not line.startswith("  ")] == [
        "r.yaml:3:23: unknown key model.famly",
        "r.yaml:4:17: data.samples: input should be greater than 0, got -3",
        "r.yaml:5:9: device: input should be 'cpu', 'cuda', 'mps' or 'edge', got 'gpu'",
        "r.yaml:6:27: goal.relative_accuracy: expected \">= number\" above 0 of at most 1, got '<= 0.9'",
        "r.yaml:8:27: unknown key steps.0.finetune.learning_rte",
        "r.yaml:9:5: unknown step layer_remval",
        "r.yaml:10:33: steps.2.distillation.temperature: input should be a valid number, got '2'",
        "r.yaml:11:24: steps.3.finetune.epochs: input should be a valid integer, got True",
    ]
    assert "  try: did you mean 'layer_removal'?" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("steps:\n", "steps: {}\n#").split("#")[0], "steps: expected a list"),
        (GOOD + "  - finetune: {}\n", "finetune appears twice"),
        (GOOD.replace("version: 1\n", ""), "version is missing"),
        (
            GOOD.replace("- quantization:", "- {quantization: {}, finetune: {}}"),
            "finetune is in the same item as quantization",
        ),
        ("- a\n- b\n", "a recipe is a mapping"),
        ("", "the file is empty"),
        (
            GOOD + "gates: {relative_emissions: 0.5}\n",
            "gates.relative_emissions: input should be a valid string",
        ),
    ],
)
def test_refusals(text: str, told: str) -> None:
    assert told in faults(text)


def test_a_goal_survives_the_way_into_a_recipe_and_back() -> None:
    goal = Goal(0.875, 0.1, 12_500.5, 3)
    assert to_goal(to_aims(goal)) == goal


@pytest.mark.parametrize(
    "word",
    [
        *("FALSE", "null", "No", "1e3", "~", "a: b", "# c", "a\u2028b", "\U0002ebe1", "'", '"', "{"),
        *("a ", "\u00a0a", "\u3000a", "“a”", "„a“"),
    ],
)
def test_words_that_yaml_takes_for_something_else_are_quoted(word: str) -> None:
    recipe = Recipe(1, word, ModelSource(word), "cpu", (Finetune(),), DataSource(word))
    assert loads(as_yaml(recipe))[0] == recipe


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    str.strip
)
RATES = st.floats(1e-8, 1, allow_nan=False)
COUNTS = st.integers(1, 1000)
STEPS = st.tuples(
    st.builds(Finetune, epochs=COUNTS, learning_rate=RATES),
    st.builds(LayerRemoval, keep=COUNTS, choose=st.sampled_from(["alternate", "top"])),
    st.builds(Distillation, temperature=st.floats(0.1, 100), soft_weight=st.floats(0, 1)),
    st.builds(MatrixPruning, hidden_size=COUNTS, heads=st.none() | COUNTS, increments=COUNTS),
    st.builds(Quantization),
)


@given(WORDS, WORDS, STEPS, st.none() | WORDS, st.integers(0, 2**31), WORDS)
def test_a_written_recipe_reads_back_the_same(
    name: str, source: str, steps: tuple, data: str | None, seed: int, reason: str
) -> None:
    recipe = Recipe(1, name, ModelSource(source), "cpu", steps, DataSource(data), training=Training(seed=seed))
    assert loads(as_yaml(recipe, {"distillation": reason, "model": reason}))[0] == recipe


@pytest.mark.parametrize(
    ("data", "place", "says"),
    [
        ("{task: regression, metric: f1}", "4:34", "data.metric: f1 does not measure regression: expected pearson or"),
        (
            "{task: classification, metric: pearson}",
            "4:38",
            "data.metric: pearson does not measure single_label_classification",
        ),
        ("{task: summarization, metric: f1}", "4:37", "data.metric: f1 does not measure summarization"),
        ("{task: translation, problem_type: regression}", "4:41", "data.problem_type: regression is a kind of"),
        (
            "{task: translation, prefix: 'a: ', source_lang: de}\ntraining: {max_seconds: 2}",
            "5:25",
            "training.max_seconds:",
        ),
        (
            "{task: image-classification, pair: b}\ntraining: {beams: 2, max_new_tokens: 9}",
            "4:42",
            "data.pair: image-classification does not use it; it is for text-classification and question-answering",
        ),
        (
            "{task: text-generation}\ntraining: {beams: 2, max_new_tokens: 9}",
            "5:19",
            "training.beams: text-generation does not use it; it is for summarization and translation and",
        ),
        (
            "{task: question-answering, source_lang: de}",
            "4:47",
            "data.source_lang: question-answering does not use it;",
        ),
        ("{task: generation}", "4:14", "data.task: 'generation' can mean summarization, translation or"),
        ("{samples: 3000, max_samples: 5000}", "4:36", "data.max_samples: 5,000 is above the 3,000 samples"),
        ("{samples: 010}", "4:17", "data.samples: input should be a valid integer, got '010'"),
        ("{samples: 0_10}", "4:17", "data.samples: input should be a valid integer, got '0_10'"),
    ],
)
def test_data_that_contradicts_itself_is_refused(data: str, place: str, says: str) -> None:
    told = faults(GOOD.replace("device:", f"data: {data}\ndevice:"))
    assert told.startswith(f"r.yaml:{place}: {says}")


def test_a_number_with_a_leading_zero_is_hinted_without_it() -> None:
    assert "try: write it without the leading zero: 10" in faults(GOOD.replace("epochs: 2", "epochs: 010"))


@pytest.mark.parametrize(
    ("part", "hint", "never"),
    [
        ("goal: {relative_accuracy: 5% loss}", "write the share of the baseline that stays", "0.05"),
        ("goal: {relative_accuracy: '5'}", "write the share of the baseline that stays", "0.05"),
        ("goal: {relative_accuracy: 5%}", "write the share of the baseline that stays", "0.05"),
        ("goal: {relative_emissions: 90% less}", 'is "<= 0.95"', '0.9"'),
        ("goal: {relative_accuracy: '95'}", 'write ">= 0.95"', "stays"),
        ('goal: {relative_loss: "<= 0.05"}', "relative_accuracy is the share that stays", "did you mean"),
        ("goal: {latency_us: '<= 50'}", "latency_ms counts milliseconds", "did you mean"),
        ("goal: {size_gb: '<= 2'}", "size_mb counts megabytes", "did you mean"),
        ("data: {labelled_samples: 3000}", "samples counts the labelled rows", "did you mean"),
        ("data: {samples: 25 million}", "write it in digits: 25_000_000", "alone"),
        ("data: {samples: 2 dozen}", "write it in digits: 24", "alone"),
        ("data: {samples: 3 lakh}", "write it in digits: 300_000", "alone"),
        ("data: {samples: 1.5 thousand}", "write it in digits: 1_500", "alone"),
        ("data: {samples: 5 percent}", "a whole number", "alone"),
    ],
)
def test_a_hint_never_turns_a_value_into_another_one(part: str, hint: str, never: str) -> None:
    told = faults(GOOD.replace("device:", f"{part}\ndevice:"))
    assert hint in told
    assert never not in told.partition("try: ")[2]
