"""The training loop and its batches: repeatable, it learns real text, keeps the best epoch, and asks the teacher."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import students
import tiny
import torch
from torch import Tensor
from torch.nn import functional

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Batch, Encoded, encode
from advisor.compute.data.dataset import Rows
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.training.context import quality
from advisor.compute.training.loop import Schedule, train
from advisor.compute.training.losses import Loss
from advisor.records.training_settings import Training

ROWS = Encoded(tuple((row + 3,) * (1 + row * 7 % 23) for row in range(400)), tuple(row % 2 for row in range(400)))


def trained(one: Scorer, name: str, loss: Loss = students.label_loss, **schedule: Any) -> Scorer:
    return students.finish(train(one, students.context(name), loss, Schedule("learn", **schedule)))[0]


def task_loss(one: Scorer, name: str) -> float:
    """The mean task loss of the training rows."""
    context = students.context(name)
    with torch.no_grad():
        losses = [
            float(students.label_loss(one.eval(), batch)) * len(batch.rows) for batch in context.batches(context.train)
        ]
    return sum(losses) / len(context.train)


# Batches ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("size", [16, 7, 400])
def test_an_epoch_has_every_row_once_padded_at_the_right(seed: int | None, size: int) -> None:
    batches = list(students.context("bert").batches(ROWS, seed, size))
    assert sorted(torch.cat([batch.rows for batch in batches]).tolist()) == list(range(400))
    assert len(batches) == -(-400 // size)
    for batch in batches:
        lengths = [len(ROWS.tokens[row]) for row in batch.rows]
        assert batch.labels.tolist() == [ROWS.labels[row] for row in batch.rows]
        assert {one.shape for one in batch.inputs.values()} == {(len(batch.rows), max(lengths))}
        for row, ids, mask in zip(batch.rows, *batch.inputs.values(), strict=True):
            tokens = list(ROWS.tokens[row])
            rest = max(lengths) - len(tokens)
            assert ids.tolist() == tokens + [0] * rest
            assert mask.tolist() == [1] * len(tokens) + [0] * rest


@pytest.mark.parametrize("seed", [None, 0])
def test_rows_of_like_length_go_together(seed: int | None) -> None:
    """400 rows of 1 to 23 tokens in batches of 7 fill two windows, or one without a seed."""
    batches = list(students.context("bert").batches(ROWS, seed, 7))
    padding = sum(int((batch.inputs["attention_mask"] == 0).sum()) for batch in batches)
    assert padding <= 0.05 * sum(map(len, ROWS.tokens))


def test_each_seed_has_an_order_of_its_own() -> None:
    context = students.context("bert")
    orders = [[batch.rows.tolist() for batch in context.batches(ROWS, seed, 16)] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(map(sorted, orders[0])) != sorted(map(sorted, orders[2]))  # other groups, not only their order
    lengths = [len(ROWS.tokens[rows[0]]) for rows in orders[0]]
    assert lengths != sorted(lengths)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [7, 150])
def test_the_largest_batch_comes_first_so_that_memory_fails_at_once_or_not_at_all(seed: int, size: int) -> None:
    batches = list(students.context("bert").batches(ROWS, seed, size))
    cells = [batch.inputs["input_ids"].numel() for batch in batches]
    assert cells[0] == max(cells) > min(cells)


def test_encoding_cuts_long_rows_and_keeps_empty_ones() -> None:
    rows = Rows(("", "a read of one thing and of many others"), None, (1, 0))
    short, long = encode(rows, students.tokenizer(), 5).tokens
    assert (len(short), len(long)) == (1, 5)
    pair = encode(Rows(("one",), ("other",), (0,)), students.tokenizer(), 50).tokens[0]
    assert pair.count(students.tokenizer().eos_token_id) == 2


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_logits_are_in_the_order_of_the_rows(name: str) -> None:
    one, context = students.student(name), students.context(name)
    found = students.logits(one, context, context.selection)
    for row in (0, 17, 47):
        alone = context.collate(context.selection, [row])
        with torch.no_grad():
            expected = one(**alone.inputs)[0]
        torch.testing.assert_close(found[row], expected, atol=1e-4, rtol=1e-4)
    assert quality(found, context.selection, context) == pytest.approx(
        sum(int(scores.argmax()) == label for scores, label in zip(found, context.selection.labels, strict=True)) / 48
    )


# Training -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_the_seed_decides_every_weight(name: str, precision: Any) -> None:
    """Dropout and the order of the rows as well, whatever was drawn before."""
    states = []
    for seed, drawn_before in ((0, 1), (0, 2), (1, 1)):
        one = students.fresh(name)
        torch.manual_seed(drawn_before)
        context = replace(students.context(name), training=Training(batch_size=16, seed=seed, precision=precision))
        students.finish(train(one, context, students.label_loss, Schedule("learn", 1e-3, steps=4)))
        states.append(list(one.state_dict().values()))
    assert all(map(torch.equal, states[0], states[1]))
    assert not all(map(torch.equal, states[0], states[2]))


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_real_text_is_learnt(name: str) -> None:
    one = students.fresh(name)
    before = task_loss(one, name)
    one = trained(one, name, learning_rate=5e-3, epochs=5)
    assert task_loss(one, name) < 0.95 * before
    context = students.context(name)
    assert quality(students.logits(one, context, context.train), context.train, context) > 0.65


def test_training_that_diverges_ends_with_what_to_change() -> None:
    def loss(student: Scorer, batch: Batch) -> Tensor:
        return students.label_loss(student, batch) * float("nan")

    learning = train(students.fresh("bert"), students.context("bert"), loss, Schedule("fine-tune", 0.5, epochs=3))
    with pytest.raises(AdviseError, match=r"fine-tune: after 6 batches the loss is not finite\n.*below 0\.5"):
        students.finish(learning)


def test_the_best_epoch_is_what_is_returned() -> None:
    """From the fourth of six epochs on the labels are wrong, so that the last epoch is not the best."""
    context, per_epoch = students.context("bert"), 6
    states: list[dict[str, Tensor]] = []
    calls = 0

    def loss(student: Scorer, batch: Batch) -> Tensor:
        nonlocal calls
        if calls % per_epoch == 0:
            states.append(copy.deepcopy(student.state_dict()))
        calls += 1
        labels = batch.labels if calls <= 3 * per_epoch else 1 - batch.labels
        return students.label_loss(student, replace(batch, labels=labels))

    schedule = Schedule("learn", learning_rate=5e-3, epochs=6)
    one, told = students.finish(train(students.fresh("bert"), context, loss, schedule))
    qualities = [reached(one, state) for state in states[1:]]
    best = states[1 + qualities.index(max(qualities))]
    assert all(torch.equal(value, best[key]) for key, value in one.state_dict().items())
    assert len(set(qualities)) > 2 and qualities[-1] < max(qualities)
    assert told[-1].note == f"selection accuracy {max(qualities)[0]:.3f}"


def reached(one: Scorer, state: dict[str, Tensor]) -> tuple[float, float]:
    """Selection accuracy, then the loss of the selection rows, of another state."""
    other, context = copy.deepcopy(one), students.context("bert")
    other.load_state_dict(state)
    found = students.logits(other, context, context.selection)
    return quality(found, context.selection, context), -float(
        functional.cross_entropy(found, torch.tensor(context.selection.labels))
    )


@pytest.mark.parametrize("name", tiny.FAMILIES)
def test_bf16_computes_coarsely_on_weights_that_stay_fp32(name: str) -> None:
    """The same steps in both precisions end close together, not alike; scores and weights are fp32 in both."""
    ends = []
    for precision in ("fp32", "bf16"):
        one = students.fresh(name)
        context = replace(students.context(name), training=Training(batch_size=16, precision=precision))  # type: ignore[arg-type]
        students.finish(train(one, context, students.label_loss, Schedule("learn", 1e-3, steps=4)))
        assert {tensor.dtype for tensor in one.parameters()} == {torch.float32}
        ends.append(torch.cat([tensor.detach().flatten() for tensor in one.parameters()]))
    assert not torch.equal(*ends)
    assert float((ends[0] - ends[1]).abs().mean()) < 1e-3
    with torch.autocast("cpu", torch.bfloat16):
        rows = students.batch(name)
        assert {found.dtype for found in students.TASK.loss(one, rows)} == {torch.float32}


def test_progress_is_told_after_every_batch() -> None:
    context = students.context("bert")
    _, told = students.finish(
        train(students.fresh("bert"), context, students.label_loss, Schedule("learn", 1e-3, epochs=2))
    )
    assert [(one.label, one.done, one.total) for one in told] == [("learn", done, 12) for done in range(1, 13)]
    assert [bool(one.note) for one in told] == [False] * 5 + [True] * 7


def test_parts_of_the_work_go_on_where_the_rows_ended() -> None:
    """Eight batches, and then four that start where they ended, are two epochs of six."""
    seen: list[int] = []

    def loss(student: Scorer, batch: Batch) -> Tensor:
        seen.extend(batch.rows.tolist())
        return students.label_loss(student, batch)

    for start, steps in ((0, 8), (8, 4)):
        trained(students.fresh("bert"), "bert", loss, learning_rate=1e-3, steps=steps, start=start)
    assert sorted(seen[:96]) == sorted(seen[96:]) == list(range(96))
    assert seen[:96] != seen[96:]
