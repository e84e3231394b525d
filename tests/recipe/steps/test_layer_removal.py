"""Layer removal: which blocks stay, what is refused, and that the model comes out as predicted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
import students
import tiny
import torch
from settings import refusal

from advisor.compute.training.importance import least_missed_go
from advisor.families import registry
from advisor.recipe.steps.layer_removal import SCORED_ROWS, Evenly, LayerRemoval

STEPS = {
    "bert": LayerRemoval(keep=2),
    "gpt2": LayerRemoval(keep=3),
    "opt": LayerRemoval(keep=1),
    "t5": LayerRemoval(encoder_keep=3, decoder_keep=1),
}


def applied(step: LayerRemoval, name: str, **sizes: Any) -> tuple[Any, Any, str]:
    """The model before and after the step, and what it told."""
    whole = students.student(name, **sizes)
    config = step.resized(students.family(name), students.config_of(whole))
    smaller, (*_, told) = students.finish(step.apply(whole, config, students.context(name)))
    assert (told.done, told.total) == (1, 1)
    return whole.model, smaller.model, told.note


# Which blocks stay --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "keep", "blocks"),
    [
        (12, 4, (0, 4, 7, 11)),
        (12, 6, (0, 2, 4, 7, 9, 11)),
        (12, 8, (0, 2, 3, 5, 6, 8, 9, 11)),
        (6, 2, (0, 5)),
        (3, 3, (0, 1, 2)),
        (5, 1, (0,)),
    ],
)
def test_evenly(layers: int, keep: int, blocks: tuple[int, ...]) -> None:
    assert tuple(Evenly(layers, keep)) == blocks


def test_evenly_keeps_different_blocks_with_the_first_and_the_last() -> None:
    for layers in range(1, 49):
        for keep in range(1, layers + 1):
            blocks = tuple(Evenly(layers, keep))
            assert len(set(blocks)) == keep and list(blocks) == sorted(blocks)
            assert blocks[0] == 0 and (keep == 1 or blocks[-1] == layers - 1)
            gaps = {after - before for before, after in pairwise(blocks)}
            assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(("choose", "blocks"), [("alternate", (0, 2, 3)), ("top", (0, 1, 2))])
def test_chosen_blocks_keep_their_weights(choose: Any, blocks: tuple[int, ...]) -> None:
    whole, smaller, told = applied(LayerRemoval(keep=3, choose=choose), "bert")
    assert told == f"kept {{'encoder': {blocks}}}"
    for after, before in enumerate(blocks):
        old, new = (
            dict(one.bert.encoder.layer[at].named_parameters()) for one, at in ((whole, before), (smaller, after))
        )
        assert old.keys() == new.keys() and all(torch.equal(old[key], new[key]) for key in old)
    assert torch.equal(whole.classifier.weight, smaller.classifier.weight)


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_by_importance_the_blocks_stay_that_measuring_found(name: str) -> None:
    step = replace(STEPS[name], choose="importance")
    whole = students.student(name)
    after = students.family(name).shape(step.resized(students.family(name), students.config_of(whole))).layers
    kept, _ = students.finish(least_missed_go(whole, students.context(name), after, SCORED_ROWS))
    assert {stack: len(numbers) for stack, numbers in kept.items()} == dict(after)
    assert applied(step, name)[2] == f"kept {kept}"


def test_importance_has_nothing_to_choose_where_layers_share_a_block() -> None:
    albert = students.family("albert")
    with pytest.raises(ValueError, match="all layers of ALBERT run the same block"):
        LayerRemoval(keep=8, choose="importance").resized(albert, albert.config)


# Prediction ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_the_model_comes_out_as_predicted(name: str) -> None:
    step, family = STEPS[name], students.family(name)
    before = students.config_of(students.student(name))
    predicted = step.resized(family, before)
    _, smaller, _ = applied(step, name)
    after = smaller.config.to_dict()
    assert family.shape(after) == family.shape(predicted) != family.shape(before)
    assert sum(tensor.numel() for tensor in smaller.parameters()) == family.parameters(predicted)
    assert step.measures(family, before, predicted) == step.measures(family, before, after)
    assert {key for key in after if after[key] != before[key]} <= {stack.key for stack in family.stacks}


def test_a_stack_of_t5_that_is_not_named_stays_whole() -> None:
    _, smaller, told = applied(LayerRemoval(decoder_keep=2), "t5")
    assert told == "kept {'encoder': (0, 1, 2, 3), 'decoder': (0, 2)}"
    assert (smaller.config.num_layers, smaller.config.num_decoder_layers) == (4, 2)


def test_t5_that_names_one_depth_has_it_in_both_stacks() -> None:
    family = students.family("t5")
    before = {key: value for key, value in family.config.items() if key != "num_decoder_layers"}
    after = LayerRemoval(encoder_keep=8).resized(family, before)
    assert (after["num_layers"], after["num_decoder_layers"]) == (8, 12)


def test_measures_are_exact_and_those_of_the_deepest_cut() -> None:
    bert, t5 = students.family("bert"), students.family("t5")
    measures = LayerRemoval(keep=8).measures(bert, bert.config, LayerRemoval(keep=8).resized(bert, bert.config))
    third = Fraction(1, 3)
    assert measures == {"removed_share": third, "keep_share": 2 * third, "encoder_removed_share": third}
    step = LayerRemoval(encoder_keep=9, decoder_keep=4)
    found = step.measures(t5, t5.config, step.resized(t5, t5.config))
    assert found == {"removed_share": 2 * third, "keep_share": third, "encoder_removed_share": Fraction(1, 4)}
    assert set(found) == set(LayerRemoval.measured)


@pytest.mark.parametrize(
    ("name", "step"),
    [("t5", LayerRemoval(decoder_keep=4)), ("gpt2", LayerRemoval(keep=4)), ("opt", LayerRemoval(keep=4))],
)
def test_no_layer_of_an_encoder_goes_with_those_of_a_decoder(name: str, step: LayerRemoval) -> None:
    family = students.family(name)
    found = step.measures(family, family.config, step.resized(family, family.config))
    assert (found["removed_share"], found["encoder_removed_share"]) == (Fraction(2, 3), 0)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (LayerRemoval(keep=8), "8 layers"),
        (LayerRemoval(encoder_keep=8, decoder_keep=4), "8+4 layers"),
        (LayerRemoval(encoder_keep=8), "8 encoder layers"),
        (LayerRemoval(decoder_keep=4), "4 decoder layers"),
        (LayerRemoval(keep=1), "1 layer"),
        (LayerRemoval(decoder_keep=1), "1 decoder layer"),
    ],
)
def test_words(step: LayerRemoval, words: str) -> None:
    assert step.words() == words


# Nonsense -----------------------------------------------------------------------------------------

ONE, TWO = "give only keep", "give only encoder_keep and decoder_keep"
REFUSED = {
    "encoder of bert": ("bert", LayerRemoval(encoder_keep=2), f"BERT has encoder blocks: {ONE}"),
    "both for bert": ("bert", LayerRemoval(keep=2, encoder_keep=2), f"BERT has encoder blocks: {ONE}"),
    "decoder of gpt2": ("gpt2", LayerRemoval(decoder_keep=2), f"GPT-2 has decoder blocks: {ONE}"),
    "nothing": ("opt", LayerRemoval(), f"OPT has decoder blocks: {ONE}"),
    "keep for t5": ("t5", LayerRemoval(keep=2), f"T5 has encoder and decoder blocks: {TWO}"),
    "both for t5": ("t5", LayerRemoval(keep=2, decoder_keep=2), f"T5 has encoder and decoder blocks: {TWO}"),
    "nothing for t5": ("t5", LayerRemoval(), f"T5 has encoder and decoder blocks: {TWO}"),
    "too many": ("bert", LayerRemoval(keep=13), "cannot keep 13 of 12 encoder blocks"),
    "too many of t5": ("t5", LayerRemoval(encoder_keep=4, decoder_keep=99), "cannot keep 99 of 12 decoder blocks"),
    "all": ("gpt2", LayerRemoval(keep=12), "nothing is removed: all 12 decoder blocks stay, keep fewer"),
    "all of t5": (
        "t5",
        LayerRemoval(encoder_keep=12, decoder_keep=12),
        "nothing is removed: all 12 encoder and 12 decoder blocks stay, keep fewer",
    ),
}


@pytest.mark.parametrize(("name", "step", "message"), REFUSED.values(), ids=REFUSED)
def test_steps_that_do_not_fit_the_model(name: str, step: LayerRemoval, message: str) -> None:
    family = students.family(name)
    with pytest.raises(ValueError) as caught:
        step.resized(family, family.config)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("keep: 0", "steps.0.layer_removal.keep: input should be greater than 0, got 0"),
        ("decoder_keep: -1", "steps.0.layer_removal.decoder_keep: input should be greater than 0, got -1"),
        ("keep: 2.5", "steps.0.layer_removal.keep: input should be a valid integer, got 2.5"),
        ("keep: true", "steps.0.layer_removal.keep: input should be a valid integer, got True"),
        (
            "choose: bottom",
            "steps.0.layer_removal.choose: input should be 'alternate', 'top' or 'importance', got 'bottom'",
        ),
        ("kept: 2", "unknown key steps.0.layer_removal.kept"),
    ],
)
def test_settings_that_make_no_sense(settings: str, message: str) -> None:
    assert refusal(f"layer_removal: {{{settings}}}") == message


def test_attention_scaled_by_the_block_number_is_refused() -> None:
    gpt2 = registry.find("gpt2")
    assert gpt2 is not None
    with pytest.raises(ValueError, match="scale_attn_by_inverse_layer_idx"):
        LayerRemoval(keep=8).resized(gpt2, {**gpt2.config, "scale_attn_by_inverse_layer_idx": True})
