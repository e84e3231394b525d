"""Spelling: an invalid recipe that nearly says something is mended, and nothing else is guessed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.base.yamlfile import parse
from advisor.recipe.reader import loads
from advisor.recipe.steps import STEPS
from advisor.review.fixes.edits import edited
from advisor.review.fixes.spelling import fixes, quotes
from advisor.review.fixes.words import certain, clear
from advisor.review.fixes.yaml_layout import lines_of

GOOD = """version: 1
name: x
model: {source: bert, family: bert}  # m
data: {samples: 3000, task: text-classification}
device: cpu
goal: {relative_accuracy: ">= 0.9"}
steps:
  - finetune: {epochs: 3, learning_rate: 1.0e-4}
  - layer_removal: {keep: 8, choose: alternate}
  - quantization: {bits: 8}
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("steps:", "stpes:"),
        ("steps:", "Steps:"),
        ("family:", "famly:"),
        ("samples: 3000", "sampels: 3000"),
        ("text-classification", "text-clasification"),
        ("layer_removal", "layer-removal"),
        ("layer_removal", "LayerRemoval"),
        ("layer_removal", "layer_remval"),
        ("quantization", "quantisation"),
        ("finetune", "fine_tune"),
        ("epochs: 3", 'epochs: "3"'),
        ("bits: 8", "bits: '8'"),
        ("samples: 3000", 'samples: "3000"'),
        ("alternate", "alternat"),
        ('">= 0.9"', "0.9"),
        ('">= 0.9"', '"0.9"'),
        ('">= 0.9"', '"90%"'),
        ('">= 0.9"', '">= 90 %"'),
        ('">= 0.9"', '"=> 0.9"'),
        ('">= 0.9"', "≥ 0.9"),
        ('">= 0.9"', "“>= 0.9”"),
        ('">= 0.9"', "at least 0.9"),
        ('{relative_accuracy: ">= 0.9"}', '">= 0.9"'),
        ("relative_accuracy", "relative_acuracy"),
        ("epochs: 3", "epochs: 3 epochs"),
        ("{source: bert, family: bert}", "bert"),
        ("family: bert", "family: BERT"),
        ("samples: 3000", 'samples: "3_000 rows"'),
        ("keep: 8", "keep: 8 layers"),
        ("data: {samples: 3000, task: text-classification}", "samples: 3000\ndata: {task: text-classification}"),
        ("version: 1", "version: '1'"),
        ("device: cpu", "devise: cpu"),
        ("learning_rate: 1.0e-4", "lr: 1.0e-4"),  # as other tools call it
    ],
)
def test_one_slip_is_mended(right: str, wrong: str) -> None:
    text = GOOD.replace(right, wrong)
    made = list(fixes(parse(text, "")).values())
    assert [fix.safe for fix in made] == [True]
    mended = loads(edited(text, made[0].edits))[0]
    family = "bert" if "family" in right else mended.model.family
    assert replace(mended, model=replace(mended.model, family=family)) == loads(GOOD)[0]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("keep: 8", "kept_layers: 8"),
        ("keep: 8", "layers: 8"),  # that stay, or that go?
        ("device: cpu", "device: gpu"),
        ("quantization", "pruning"),
        ('">= 0.9"', "1.5"),  # a share, or per cent?
        ('">= 0.9"', '"0.9..0.95"'),
        ("samples: 3000", "samples: 20000..30000"),
        ("epochs: 3", "epochs: 2,5"),
        ("bits: 8", "bits: '4'"),
        ("family: bert", "family: brt"),  # BERT or BART?
        ('">= 0.9"', '"<= 0.9"'),
        ("epochs: 3", "epochs: three"),
        ("epochs: 3", "epochs: '1_000'"),
        ("epochs: 3", "epochs: true"),
        ("name: x", "name: '3'"),
        ("source: bert", "source: '3'"),
        ("source: bert", "source: bert, soruce: x"),  # the right one stands there too
        ("samples: 3000", "samples: 25 million"),
        ("samples: 3000", "samples: 3 thousand"),
        ("samples: 3000", "samples: 25 dozen"),
        ("samples: 3000", "samples: 25 lakh"),
        ("samples: 3000", "samples: 25 percent"),
        ("samples: 3000", "labelled_samples: 3000"),
        ('{relative_accuracy: ">= 0.9"}', "{latency_us: 50}"),
        ('{relative_accuracy: ">= 0.9"}', "{size_gb: 2}"),
        ('{relative_accuracy: ">= 0.9"}', '{relative_loss: "<= 0.05"}'),
        ("keep: 8", "hard_weight: 0.1"),
        ('">= 0.9"', "5"),  # a loss of 5 %?
        ('">= 0.9"', "5%"),
        ('">= 0.9"', "0.05"),
        ("task: text-classification", "task: token-classification"),
    ],
)
def test_what_is_not_clear_is_left_to_people(right: str, wrong: str) -> None:
    assert fixes(parse(GOOD.replace(right, wrong), "")) == {}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("keep: 8", "kep: 8"),
        ('">= 0.9"', "90"),
        ('{relative_accuracy: ">= 0.9"}', '{relative_emissions: "10%"}'),  # of the emissions, or less by that?
        ("family: bert", "family: distilbart"),
        ("data: {samples: 3000, task: text-classification}", "data: 3000"),
        ("{epochs: 3, learning_rate: 1.0e-4}", "{epochs: 3, batch_size: 16}"),  # of all steps then
        ("device: cpu", "device: cpu\nsize_mb: 50"),  # a goal, or a gate?
    ],
)
def test_what_is_only_likely_needs_unsafe_fixes(right: str, wrong: str) -> None:
    made = fixes(parse(GOOD.replace(right, wrong), "")).values()
    assert made
    assert not any(fix.safe for fix in made)


NAMES = ["samples", "eval_samples", "unlabelled_samples", "max_samples", "labels", "latency_ms", "size_mb", "keep",
         "encoder_keep", "decoder_keep", "soft_weight", "hidden_weight", "relative_accuracy", "relative_emissions",
         "hidden_size", "intermediate_size", "epochs", "max_tokens", "batch_size", "increments"]  # fmt: skip


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_no_name_is_certainly_another_one(one: str, other: str) -> None:
    rest = [name for name in NAMES if name != one]
    assert certain(one, rest) is None
    if one != other:
        assert certain(f"{one}s", [other]) is None


@given(st.sampled_from([name for name in NAMES if len(name) > 6]), st.data())
def test_a_certain_word_differs_in_one_letter_or_in_its_writing(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    word = name[:at] + data.draw(st.sampled_from(["", name[at] * 2, "x", "-", "U"])) + name[at + 1 :]
    meant = certain(word, NAMES)
    assert meant is None or abs(len(meant.replace("_", "")) - len(word.replace("_", "").replace("-", ""))) <= 1
    assert meant in (None, name) or certain(word, [name]) is not None


def test_several_slips_are_mended_one_by_one() -> None:
    text = GOOD.replace("finetune", "finetun").replace("choose", "chosoe").replace("device", "devise")
    for fix in fixes(parse(text, "")).values():
        text = edited(text, fix.edits)
    assert text == GOOD


def test_settings_are_looked_at_once_their_step_is_known() -> None:
    text = GOOD.replace("layer_removal: {keep: 8, choose", "layer_remval: {keep: 8, chooose")
    for words in ("write layer_removal instead of layer_remval", "write choose instead of chooose"):
        (fix,) = fixes(parse(text, "")).values()
        assert fix.words == words
        text = edited(text, fix.edits)
    assert text == GOOD


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: >= 0.9\n", 1, 'write ">= 0.9" in quotes'),
        ("a: {b: >= 0.9}\nc: 1\n", 2, 'write ">= 0.9" in quotes'),
        ("a: >\n  words\n", 1, None),
        ("a: 1\n", 1, None),
        ("a: 1\n", 9, None),
    ],
)
def test_bare_comparisons(text: str, line: int, words: str | None) -> None:
    made = quotes(lines_of(text), line)
    assert (made.words if made else None) == words


def test_of_two_near_names_neither_is_clear() -> None:
    assert clear("relative_", ["relative_accuracy", "relative_emissions"]) is None
    assert clear("coder_keep", ["encoder_keep", "decoder_keep"]) is None
    assert clear("encoder_kep", ["encoder_keep", "decoder_keep"]) == "encoder_keep"
    assert clear("kep", ["keep", "choose"]) == "keep"
    assert certain("ecoder_keep", ["encoder_keep", "decoder_keep"]) is None
    assert certain("hidden_height", ["hidden_weight", "soft_weight"]) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*STEPS, "steps", "model", "goal", "waivers", "keep"]), inner)
        ),
    )
)
def test_any_value_is_looked_at_without_a_fault(value: object) -> None:
    from advisor.recipe.flow_style import flow

    for fix in fixes(parse(flow(value), "")).values():
        assert fix.edits
