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
from advisor.review.fixes.spelling import clear, fixes, quotes

GOOD = """version: 1
name: x
model: {source: bert, family: bert}  # m
data: {samples: 3000, task: classification}
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
        ("classification", "clasification"),
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
        ('">= 0.9"', "90"),
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
        ("data: {samples: 3000, task: classification}", "samples: 3000\ndata: {task: classification}"),
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
    ],
)
def test_what_is_not_clear_is_left_to_people(right: str, wrong: str) -> None:
    assert fixes(parse(GOOD.replace(right, wrong), "")) == {}


def test_several_slips_are_mended_one_by_one() -> None:
    text = GOOD.replace("finetune", "finetun").replace("keep", "kep").replace("device", "devise")
    for fix in fixes(parse(text, "")).values():
        text = edited(text, fix.edits)
    assert text == GOOD


def test_settings_are_looked_at_once_their_step_is_known() -> None:
    text = GOOD.replace("layer_removal: {keep", "layer_remval: {kep")
    for words in ("write layer_removal instead of layer_remval", "write keep instead of kep"):
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
    made = quotes(text, line)
    assert (made.words if made else None) == words


def test_of_two_near_names_neither_is_clear() -> None:
    assert clear("relative_", ["relative_accuracy", "relative_emissions"]) is None
    assert clear("coder_keep", ["encoder_keep", "decoder_keep"]) is None
    assert clear("encoder_kep", ["encoder_keep", "decoder_keep"]) == "encoder_keep"
    assert clear("kep", ["keep", "choose"]) == "keep"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*STEPS, "steps", "model", "goal", "waivers", "keep"]), inner)
        ),
    )
)
def test_any_value_is_looked_at_without_a_fault(value: object) -> None:
    from advisor.recipe.recipe import flow

    for fix in fixes(parse(flow(value), "")).values():
        assert fix.safe
