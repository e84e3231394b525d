"""Distillation: it brings a cut student back towards its teacher, changes no shape, and refuses nonsense."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import students
import torch
from few_families import FEW
from settings import refusal
from torch import nn
from torch.nn import functional
from torch.nn.modules.module import register_module_forward_pre_hook
from transformers import PreTrainedModel

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Encoded
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.context import Context
from advisor.compute.training.teacher import with_answers
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.step import Step

# Half as wide, in each family's own words.
NARROW: dict[str, dict[str, int]] = {
    "bert": {"hidden_size": 24},
    "gpt2": {"n_embd": 24},
    "opt": {"hidden_size": 24, "word_embed_proj_dim": 24},
    "t5": {"d_model": 24},
}
STEP = Distillation(epochs=3, learning_rate=3e-3, soft_weight=1.0)


def divergence(one: Scorer, context: Context) -> float:
    """KL divergence from the teacher over the training rows."""
    assert context.teacher is not None and context.teacher.scores is not None
    found = functional.log_softmax(students.logits(one, context, context.train), dim=1)
    return float(
        functional.kl_div(found, functional.softmax(context.teacher.scores.scores, dim=1), reduction="batchmean")
    )


def cut(teacher: Scorer, name: str) -> Scorer:
    step = LayerRemoval(encoder_keep=2, decoder_keep=2) if name == "t5" else LayerRemoval(keep=2)
    config = step.resized(students.family(name), students.config_of(teacher))
    return students.finish(step.apply(teacher, config, students.context(name)))[0]


@pytest.mark.parametrize("name", FEW)
def test_a_cut_student_comes_nearer_to_its_teacher(name: str) -> None:
    teacher = students.student(name)
    context = replace(students.taught(name, teacher), states_bytes=0)  # the teacher is asked with every batch
    student = cut(teacher, name)
    before, config = divergence(student, context), students.config_of(student)
    assert context.teacher is not None
    asked = context.teacher.scorer
    taught, told = students.finish(STEP.apply(student, config, context))
    assert divergence(taught, context) < 0.8 * before
    assert students.config_of(taught) == config == STEP.resized(context.family, config)
    assert told[-1].label == "distil" and (told[-1].done, told[-1].total) == (18, 18)
    assert context.teacher.scorer is asked
    still, was = (students.logits(one, context, context.train) for one in (asked, students.student(name)))
    assert torch.equal(still, was)  # the teacher learns nothing


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize(
    ("step", "drops"),
    [
        (Finetune(epochs=1), True),
        (Distillation(epochs=1), False),
        (MatrixPruning(intermediate_size=48, increments=2, epochs=2), False),
    ],
)
def test_nothing_drops_out_where_a_teacher_answers(name: str, step: Step, drops: bool) -> None:
    context, learning = students.taught(name), list[bool]()

    def note(model: nn.Module, _: Any) -> None:
        if isinstance(model, PreTrainedModel) and torch.is_grad_enabled():
            learning.append(model.training)

    student = students.student(name)
    config = step.resized(context.family, students.config_of(student))
    handle = register_module_forward_pre_hook(note)
    try:
        students.finish(step.apply(student, config, context))
    finally:
        handle.remove()
    assert learning and any(learning) == drops


@pytest.mark.parametrize("name", ["bert", "t5"])
def test_texts_without_labels_are_distilled_on_with_the_teacher_s_answers(name: str) -> None:
    """A student that sees all texts comes nearer to the teacher on those without labels than one that does not."""
    teacher, few = students.student(name), replace(students.context(name), train=students.context(name).train.take(16))
    texts = students.context(name).train
    unlabelled = Encoded(texts.tokens[16:], (0,) * 80)
    distances = []
    for one in (few, replace(few, unlabelled=unlabelled)):
        context = one.with_teacher(students.copies(teacher))
        student = cut(teacher, name)
        taught, told = students.finish(STEP.apply(student, students.config_of(student), context))
        assert told[-1].total == 3 * (1 if one is few else 6)
        distances.append(divergence(taught, students.taught(name, teacher)))
    assert distances[1] < 0.8 * distances[0]


def test_the_teacher_s_answers_are_the_labels_of_what_has_none() -> None:
    teacher, context = students.student("bert"), students.context("bert")
    teacher.model.classifier.bias.data -= students.logits(teacher, context, context.selection).mean(
        0
    )  # so that it says both
    few = replace(context, train=context.train.take(40), unlabelled=context.selection).with_teacher(
        students.copies(teacher)
    )
    (together, _), told = students.finish(with_answers(few, ()))
    assert few.teacher is not None and few.teacher.scores is not None
    answers = students.logits(teacher, context, context.selection)
    torch.testing.assert_close(
        few.teacher.scores.scores[40:], answers, rtol=0.02, atol=0.05
    )  # in bfloat16 where there is it
    assert together.train.labels[40:] == tuple(few.teacher.scores.scores[40:].argmax(1).tolist())
    assert together.train.labels[:40] == context.train.labels[:40] and len(set(together.train.labels[40:])) == 2
    assert (len(together.train), len(together.unlabelled)) == (88, 0)
    assert together.train.tokens[40:] == context.selection.tokens
    assert [one.done == one.total for one in told] == [False, True]


@pytest.mark.parametrize("name", FEW)
def test_a_narrower_student_learns_the_scores_alone(name: str) -> None:
    context, student = students.taught(name), students.student(name, **NARROW[name])
    config, first = students.config_of(student), students.config_of(students.student(name))
    outcomes = []
    for step in (STEP, replace(STEP, hidden_weight=0.0)):
        learned, _ = students.finish(step.apply(copy.deepcopy(student), config, context))
        outcomes.append(students.logits(learned, context, context.selection))
    assert torch.equal(*outcomes)
    wide, narrow = map(context.family.shape, (first, config))
    assert STEP.notes(wide, narrow) == (
        "its hidden states are 24 wide and the teacher's 48, so hidden states were not compared",
    )
    assert STEP.notes(wide, wide) == replace(STEP, hidden_weight=0.0).notes(wide, narrow) == ()
    other = "its tokenizer makes other tokens of the texts than the teacher's, so hidden states were not compared"
    assert STEP.notes(wide, wide, same_tokens=False) == (other,)


def test_without_a_teacher_nothing_is_distilled() -> None:
    student = students.student("gpt2")
    with pytest.raises(AdviseError, match="the recipe has no finetune step before it"):
        students.finish(STEP.apply(student, students.config_of(student), students.context("gpt2")))


def test_labels_count_by_the_rest_of_the_soft_weight() -> None:
    """With soft weight 0 the teacher has no say; with 1 the labels have none."""
    student, context = students.student("bert"), students.taught("bert")
    one, other = (students.taught_to_say(context, torch.tensor([[sign, -sign]]).repeat(96, 1)) for sign in (-9.0, 9.0))
    states = []
    for bench_, weight in ((one, 0.0), (other, 0.0), (one, 1.0), (other, 1.0)):
        step = Distillation(epochs=1, soft_weight=weight, hidden_weight=0.0)
        taught, _ = students.finish(step.apply(students.student("bert"), students.config_of(student), bench_))
        states.append(students.logits(taught, bench_, bench_.selection))
    assert torch.equal(states[0], states[1])
    assert (states[2][:, 0] - states[2][:, 1]).mean() < (states[3][:, 0] - states[3][:, 1]).mean()


def test_it_changes_no_shape_and_measures_nothing() -> None:
    bert = students.family("bert")
    assert STEP.resized(bert, bert.config) == dict(bert.config)
    assert STEP.measures(bert, bert.config, bert.config) == {}
    assert not Distillation.structural and not Distillation.measured
    assert STEP.words() == "distilled"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("temperature", 0, "input should be greater than 0"),
        ("temperature", 101, "input should be less than or equal to 100"),
        ("temperature", "hot", "input should be a valid number"),
        ("soft_weight", -0.1, "input should be greater than or equal to 0"),
        ("soft_weight", 2, "input should be less than or equal to 1"),
        ("hidden_weight", -1, "input should be greater than or equal to 0"),
        ("hidden_weight", 1001, "input should be less than or equal to 1000"),
        ("epochs", 0, "input should be greater than 0"),
        ("epochs", 2.5, "input should be a valid integer"),
        ("learning_rate", 0, "input should be greater than 0"),
        ("learning_rate", 1.5, "input should be less than or equal to 1"),
    ],
)
def test_settings_that_make_no_sense(key: str, value: Any, message: str) -> None:
    assert refusal(f"distillation: {{{key}: {value}}}") == f"steps.0.distillation.{key}: {message}, got {value!r}"


def test_unknown_settings_are_refused() -> None:
    assert refusal("distillation: {temprature: 2}") == "unknown key steps.0.distillation.temprature"


def test_a_regression_is_distilled_on_its_output() -> None:
    outputs, scores = torch.tensor([[1.0], [2.0]]), torch.tensor([[2.0], [5.0]])
    assert float(students.TASK.divergence(scores, outputs, 2.0)) == pytest.approx((1 + 9) / 2)
    two = torch.tensor([[1.0, 0.0]])
    assert float(students.TASK.divergence(two, two, 2.0)) == pytest.approx(0, abs=1e-6)
