"""Tiny students of every family with weights that all matter, and the context with real text that they work at."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import cache
from typing import Any

import tiny
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

from advisor.compute.data.batches import Batch, Encoded, encode
from advisor.compute.data.dataset import Rows
from advisor.compute.structure.inference import stock
from advisor.compute.structure.inference.cutting import zeroed
from advisor.compute.structure.proven import structure_of
from advisor.compute.tasks.scorer import Scorer, TextScorer, WordScorer
from advisor.compute.tasks.text_classification import TextClassification
from advisor.compute.training.context import Context, Teacher, judge
from advisor.compute.training.kept import Kept as KeptScores
from advisor.compute.training.losses import Loss, Weights, distillation_loss
from advisor.compute.training.teacher import with_answers
from advisor.families import registry
from advisor.families.described.axes import length, places, units
from advisor.families.described.structure import Kept, Structure
from advisor.families.family import Config, Family
from advisor.records.results import Progress
from advisor.records.training_settings import Training

torch.set_num_threads(1)  # tiny matrices, and a machine that may be busy
WORDS = ((5, 6, 1), (7, 1))  # the label words of T5 as tokens
TASK = TextClassification(("a", "b"))
HEADED = ("bert", "gpt2", "opt")  # with a classification head, and heads x head size = hidden size


def family(name: str) -> Family:
    """The family of this name, which is there."""
    found = registry.find(name)
    assert found
    return found


def model(name: str, **sizes: Any) -> Any:
    """The stock task model with random weights."""
    common = {"vocab_size": tiny.VOCABULARY, "pad_token_id": 0}
    config = AutoConfig.for_model(name, **{**common, **(tiny.SIZES | tiny.KIN)[name], **sizes})
    class_ = AutoModelForSeq2SeqLM if family(name).text_to_text else AutoModelForSequenceClassification
    return class_.from_config(config)


def student(name: str, **sizes: Any) -> Scorer:
    """A classifier of two labels. All weights are random, biases and norms too, so that a wrong cut of any shows."""
    torch.manual_seed(0)
    one = model(name, **sizes)
    with torch.no_grad():
        for key, tensor in one.named_parameters():
            tensor.normal_(mean=1.0 if tensor.dim() == 1 and key.endswith("weight") else 0.0, std=0.2)
    found: Scorer = scorer(one).eval()
    return found


def drawn(one: Scorer, unit: str, count: int, seed: int = 0) -> dict[tuple[str, str], list[int]]:
    """So many units of a kind, others at every site, in their order."""
    structure, seeded = structure_of(one.model), torch.Generator().manual_seed(seed)
    return {(unit, site): sorted(order(structure.sizes[unit], seeded)[:count]) for site in structure.sites(unit)}


def order(count: int, seeded: torch.Generator | None = None) -> list[int]:
    """The numbers below one, in random order."""
    found: list[int] = torch.randperm(count, generator=seeded).tolist()
    return found


def without(one: Scorer, kept: Kept) -> Scorer:
    """The same model with zeros for all units that do not stay."""
    other = copy.deepcopy(one)
    structure = structure_of(one.model)
    other.model.load_state_dict({**other.model.state_dict(), **zeroed(stock.state(one.model), structure, kept)})
    return other


def silence(one: Scorer, unit: str, number: int, site: str | None = None) -> None:
    """Make all weights of a channel, neuron or head zero: at one site, or everywhere."""
    structure, named = structure_of(one.model), dict(one.model.named_parameters())
    for name, row, where in structure.tensors():
        for dimension, axis in enumerate(row.axes):
            if name in named and unit in units(axis) and site in (None, where):
                with torch.no_grad():
                    named[name].index_fill_(dimension, torch.tensor(gone(axis, unit, number, structure)), 0.0)


def gone(axis: str, unit: str, number: int, structure: Structure) -> list[int]:
    """The places of a unit along an axis that holds units of its kind."""
    others = [other for other in range(structure.sizes[unit]) if other != number]
    stay = places(axis, structure.sizes, {unit: others})
    assert stay is not None
    return sorted({*range(length(axis, structure.sizes))} - {*stay})


def fresh(name: str) -> Scorer:
    """A classifier as it is before training."""
    torch.manual_seed(0)
    return scorer(model(name))


def scorer(one: Any) -> Scorer:
    """A model as a classifier of two labels."""
    words = one.config.is_encoder_decoder and not hasattr(one, "classification_head")
    return WordScorer(one, WORDS) if words else TextScorer(one)


def config_of(one: Scorer) -> dict[str, Any]:
    found: dict[str, Any] = one.model.config.to_dict()
    return found


def blocks_of(one: Scorer, name: str) -> list[tuple[str, int]]:
    """The stack and number of every block."""
    layers = family(name).shape(config_of(one)).layers
    return [(stack, block) for stack, depth in layers.items() for block in range(depth)]


def resized(one: Scorer, name: str, **changes: Any) -> Config:
    """The student's config with another shape."""
    config = config_of(one)
    return family(name).resized(config, family(name).shape(config)._replace(**changes))


@cache
def tokenizer() -> Any:
    """One for all families: they differ in their models here, not in their tokens."""
    return tiny.tokenizer("t5")


@cache
def context(name: str) -> Context:
    """96 training and 48 selection rows of real text, at most 24 tokens each, in batches of 16."""
    rows = tiny.docstrings()
    names = sorted({row["label"] for row in rows})
    parts = [
        Rows(tuple(row["text"] for row in part), None, tuple(names.index(row["label"]) for row in part))
        for part in (rows[:96], rows[96:144])
    ]
    train, selection = (encode(part, tokenizer(), 24) for part in parts)
    cpu, training = torch.device("cpu"), Training(batch_size=16)
    return Context(family(name), TASK, cpu, training, train, selection, states_bytes=2**30)


def taught(name: str, teacher: Scorer | None = None) -> Context:
    """The context with a teacher that has scored its rows."""
    found: Context = finish(with_answers(context(name).with_teacher(copies(teacher or student(name))), ()))[0][0]
    return found


def copies(one: Scorer) -> Callable[[], Scorer]:
    """Gives copies of a model as it is now."""
    kept = copy.deepcopy(one)
    return lambda: copy.deepcopy(kept)


def taught_to_say(context: Context, scores: Tensor) -> Context:
    """The context with a teacher that scores its rows so: (rows, labels)."""
    assert context.teacher is not None
    teacher = Teacher(context.teacher.load)
    teacher.scores = KeptScores(scores, [1] * len(scores))
    return replace(context, teacher=teacher)


def distilling(
    context: Context, temperature: float = 2.0, soft_weight: float = 0.9, hidden_weight: float = 0.0, **depths: int
) -> Loss:
    """The loss of distillation. depths: blocks of the student by stack; the teacher's where not given."""
    shape = context.family.shape(config_of(context.teacher.scorer if context.teacher else student("bert")))
    weights = Weights(temperature, soft_weight, hidden_weight)
    wanted = shape._replace(layers={**shape.layers, **depths})
    loss: Loss = finish(distillation_loss(context, weights, wanted))[0][0]
    return loss


def batch(name: str) -> Batch:
    """The first selection rows."""
    one = context(name)
    return one.collate(one.selection, range(8))


def scores(one: Scorer, name: str) -> Tensor:
    """The scores of some real rows: (8, labels)."""
    rows = batch(name)
    with torch.no_grad():
        found: Tensor = one.eval()(**rows.inputs)
    return found


def assert_equal_scores(one: Scorer, other: Scorer, name: str) -> None:
    """Both score alike, and rows differ enough for this to say something."""
    found = scores(one, name)
    assert found.std(dim=0).min() > 0.01
    torch.testing.assert_close(found, scores(other, name), atol=2e-5, rtol=2e-5)


def label_loss(one: Scorer, batch: Batch) -> Tensor:
    """The task's own loss."""
    return TASK.loss(one, batch)[0]


def logits(one: Scorer, context: Context, rows: Encoded) -> Tensor:
    """The scores of all rows: (rows, labels)."""
    return judge(one, context, rows).table


def finish(work: Generator[Progress, None, Any]) -> tuple[Any, list[Progress]]:
    """What a step returns, and the progress that it told."""
    told: list[Progress] = []
    while True:
        try:
            told.append(next(work))
        except StopIteration as end:
            return end.value, told
