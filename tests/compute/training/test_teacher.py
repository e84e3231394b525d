"""The teacher's hidden states: remembered or not they are the same, and each block of a student has its own."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import students
import tiny
import torch
from torch import Tensor

from advisor.compute.data.batches import Encoded
from advisor.compute.structure.blocks import Block, flat, watched
from advisor.compute.training.context import Context, counted
from advisor.compute.training.kept_answers import RECORD, SCORES, STATES, AnswersFolder
from advisor.compute.training.teacher import partners, with_answers
from advisor.recipe.steps.distillation import Distillation


@pytest.mark.parametrize(
    ("depth", "whole", "expected"),
    [(4, 12, [2, 5, 8, 11]), (8, 12, [1, 2, 4, 5, 7, 8, 10, 11]), (3, 3, [0, 1, 2]), (1, 6, [5]), (2, 5, [2, 4])],
)
def test_partners(depth: int, whole: int, expected: list[int]) -> None:
    found = partners({"encoder": depth}, {"encoder": whole, "decoder": 3})
    assert found == {("encoder", own): ("encoder", other) for own, other in enumerate(expected)}


def test_every_block_has_a_partner_of_its_own_and_the_last_the_last() -> None:
    for whole in range(1, 49):
        for depth in range(1, whole + 1):
            found = [number for _, number in partners({"decoder": depth}, {"decoder": whole}).values()]
            assert found == sorted(set(found)) and len(found) == depth
            assert found[0] >= 0 and found[-1] == whole - 1


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_remembered_states_are_those_of_a_pass(name: str) -> None:
    """Of rows with a label and of those without one, with the scores in the same pass."""
    one, whole = students.student(name), students.context(name)
    wanted: list[Block] = students.blocks_of(one, name)[1::2]
    unlabelled = Encoded(whole.train.tokens[40:], (-1,) * 56)
    context = replace(whole, train=whole.train.take(40), unlabelled=unlabelled).with_teacher(students.copies(one))
    (remembering, remembered), told = students.finish(with_answers(context, wanted))
    tokens = sum(map(len, whole.train.tokens))
    assert [one.done == tokens for one in told] == [False, True] and {one.total for one in told} == {tokens}
    (asking, asked), told = students.finish(with_answers(replace(context, states_bytes=0), wanted))
    assert not told and context.teacher is not None and context.teacher.scores is not None
    torch.testing.assert_close(
        context.teacher.scores.scores, students.logits(one, whole, whole.train), rtol=0.05, atol=0.1
    )
    assert remembering.train == asking.train and remembering.train.tokens == whole.train.tokens
    for batch in remembering.batches(remembering.train, seed=1):
        (scores, first), (again, second) = remembered(batch), asked(batch)
        assert torch.equal(scores, again)
        assert list(first) == list(second) == wanted
        for block in wanted:
            positions = (
                len(batch.rows) if block[0] == "decoder" and name == "t5" else int(batch.inputs["attention_mask"].sum())
            )
            assert first[block].shape == second[block].shape == (positions, 48)
            torch.testing.assert_close(first[block].float(), second[block], rtol=1e-2, atol=2e-2)


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_states_are_remembered_up_to_the_last_byte(name: str) -> None:
    wanted: list[Block] = [
        (stack, 0) for stack in {block[0] for block in students.blocks_of(students.student(name), name)}
    ]
    tokens, context = sum(map(len, students.context(name).train.tokens)), students.taught(name)
    positions = sum(96 if name == "t5" and stack == "decoder" else tokens for stack, _ in wanted)
    passes = [
        len(students.finish(with_answers(replace(context, states_bytes=positions * 48 * 2 - less), wanted))[1])
        for less in (0, 1)
    ]
    assert passes == [2, 0]


@pytest.mark.parametrize(("states_bytes", "stays"), [(2**30, False), (0, True)])
def test_the_teacher_is_in_memory_only_as_long_as_it_may_be_asked(states_bytes: int, stays: bool) -> None:
    """Where its states are in the file the student learns without it; asked again, it comes back the same."""
    context = replace(students.taught("bert"), states_bytes=states_bytes)
    assert context.teacher is not None
    asked = weakref.ref(context.teacher.scorer.model)
    (_, answers), _ = students.finish(with_answers(context, [("encoder", 3)]))
    assert (asked() is not None) == stays
    assert len(answers(context.collate(context.train, [0]))[1][("encoder", 3)]) == len(context.train.tokens[0])
    students.assert_equal_scores(context.teacher.scorer, students.student("bert"), "bert")


def test_the_decoder_of_t5_counts_where_it_scores() -> None:
    batch = students.batch("t5")
    assert counted(students.context("t5"), "decoder", batch).tolist() == [[True]] * 8
    for name, stack in (("t5", "encoder"), ("gpt2", "decoder")):
        found = counted(students.context(name), stack, batch)
        assert torch.equal(found.long(), batch.inputs["attention_mask"])


@pytest.mark.parametrize(("own", "other"), [("t5", "bert"), ("roberta", "gpt2")])
def test_a_given_student_of_another_kind_comes_nearer_to_its_teacher(own: str, other: str) -> None:
    """The teacher reads the texts its own way; here they are cut to other lengths, as another tokenizer would."""
    one, reads = students.student(own), students.context(own)
    short = students.context(other)
    short = replace(short, train=Encoded(tuple(ids[:12] for ids in short.train.tokens), short.train.labels))
    context = short.with_teacher(students.copies(one), reads)
    assert not context.same_tokens and context.taught_by is reads
    student = students.student(other)
    config, before = students.config_of(student), students.logits(student, context, context.train)
    step = Distillation(epochs=3, learning_rate=3e-3, soft_weight=1.0)
    learned, _ = students.finish(step.apply(student, config, context))
    wanted = students.logits(one, reads, reads.train).softmax(1)
    assert context.teacher is not None and context.teacher.scores is not None
    torch.testing.assert_close(context.teacher.scores.scores.softmax(1), wanted, rtol=0.05, atol=0.05)
    after = students.logits(learned, context, context.train)
    far, near = ((scores.softmax(1) - wanted).abs().mean() for scores in (before, after))
    assert near < 0.8 * far


@pytest.mark.parametrize("states_bytes", [2**30, 0])
def test_a_sibling_imitates_the_hidden_states_of_the_same_tokens(states_bytes: int) -> None:
    """A RoBERTa, whose positions depend on its padding, teaches a DistilBERT that pads with another token."""
    one = students.student("roberta", pad_token_id=1)
    reads = replace(students.context("roberta"), pad=1)
    context = replace(students.context("distilbert"), states_bytes=states_bytes)
    context = context.with_teacher(students.copies(one), replace(reads, states_bytes=states_bytes))
    assert context.same_tokens
    wanted: list[Block] = [("encoder", 1), ("encoder", 3)]
    (together, answers), _ = students.finish(with_answers(context, wanted))
    for batch in together.batches(together.train, seed=1):
        own = reads.collate(reads.train, batch.rows.tolist())
        with torch.no_grad(), watched(one.model, reads.family) as passed:
            one.eval()(**own.inputs)
        for block, found in answers(batch)[1].items():
            expected = flat(passed[block].after, own.inputs["attention_mask"].bool())
            torch.testing.assert_close(found.float(), expected, rtol=2e-2, atol=3e-2)


def answered(context: Context, wanted: Sequence[Block], folder: Path, **made_of: object) -> tuple[int, list[Tensor]]:
    """How often the teacher told of its progress, and what it answered to all rows; see `kept_answers`."""
    assert context.teacher is not None
    kept = AnswersFolder(folder, {"teacher": "one", **made_of})
    (taught, answers), told = students.finish(
        with_answers(context.with_teacher(context.teacher.load, answers=kept), wanted)
    )
    found = [answers(batch) for batch in taught.batches(taught.train, seed=1)]
    return len(told), [one for scores, states in found for one in (scores, *states.values())]


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_another_trial_is_told_what_the_teacher_answered_to_the_first(name: str, tmp_path: Path) -> None:
    """Also with states after other blocks, as a student of another depth wants them."""
    context, every = students.taught(name), students.blocks_of(students.student(name), name)
    for number, wanted in enumerate((every[:2], every[1:], ())):
        asked, first = answered(context, wanted, tmp_path / "others" / str(number))
        again, kept = answered(context, wanted, tmp_path / "kept")
        assert asked and bool(again) == (number in (0, 2))  # scores alone are an entry of their own
        assert all(torch.equal(*pair) for pair in zip(first, kept, strict=True))
    assert len(list((tmp_path / "kept").iterdir())) == 2


@pytest.mark.parametrize("file", [SCORES, STATES, RECORD])
def test_answers_of_which_a_byte_is_another_are_asked_for_anew(file: str, tmp_path: Path) -> None:
    context, wanted = students.taught("bert"), [("encoder", 1)]
    _, first = answered(context, wanted, tmp_path)
    damaged = next(tmp_path.iterdir()) / file
    content = bytearray(damaged.read_bytes())
    content[-9] ^= 1
    damaged.write_bytes(content)
    for expected in (True, False):  # what was damaged is replaced
        asked, again = answered(context, wanted, tmp_path)
        assert bool(asked) == expected and all(torch.equal(*pair) for pair in zip(first, again, strict=True))


def test_answers_of_what_differs_in_one_value_are_no_hit(tmp_path: Path) -> None:
    context, wanted = students.taught("bert"), [("encoder", 1)]
    for made_of in ({}, {"texts": "a"}, {"texts": "b"}):
        assert answered(context, wanted, tmp_path, **made_of)[0]
    assert len(list(tmp_path.iterdir())) == 3


def test_answers_that_would_fill_the_disk_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(free=1000))
    asked, _ = answered(students.taught("bert"), [("encoder", 1)], tmp_path)
    assert asked and not list(tmp_path.iterdir())


class Usage(NamedTuple):
    free: int
