"""The white paper's ten testable claims (docs/evidence.md, section 6), each held against what was measured here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from statistics import mean
from typing import Any, NamedTuple

from points import A_THIRD, FIRST, INT8, LEVELS, NARROW, TWO_THIRDS, Found, Key, time_of
from result_runs import disturbed
from trials import HERE, read

from advisor.families import registry
from advisor.recipe.plan import plan
from advisor.recipe.recipe import ModelSource, Recipe
from advisor.recipe.steps.layer_removal import LayerRemoval

SMALL = ("mrpc", "cola", "rte", "stsb")
LARGE = ("sst2-10000",)
IMDB = "imdb"
REFERENCE = "distilbert-minilm-l6"  # distilled before it was fine-tuned, as TinyBERT is
SEQ2SEQ = ("t5-small",)
Points = Mapping[Key, Found]


class Seen(NamedTuple):
    """One observation that bears on a claim."""

    holds: bool
    words: str


class Claim(NamedTuple):
    """What the white paper says, and where we look."""

    words: str
    look: Callable[[Points], Iterator[Seen]]
    missing: str


def verdict(seen: list[Seen]) -> str:
    """One word for all observations: a claim is settled only where they agree."""
    if not seen or len({one.holds for one in seen}) == 2:
        return "not settled"
    return "reproduced" if seen[0].holds else "contradicted"


def _sizes(_: Points) -> Iterator[Seen]:
    family = registry.find("bert")
    assert family is not None
    for keep, paper in ((8, 0.742), (4, 0.482)):
        planned = plan(Recipe(1, "x", ModelSource("bert"), "cpu", (LayerRemoval(keep=keep),)), family.config)
        assert planned is not None
        share = planned.parameters / planned.baseline_parameters
        yield Seen(abs(share - paper) <= 0.002, f"BERT-base, {keep} layers: {share:.3f}, the paper {paper}")


def _order(points: Points) -> Iterator[Seen]:
    for model, task in sorted({key[:2] for key in points}):
        there = [one for one in LEVELS if (model, task, one) in points]
        for milder, deeper in pairwise(there):
            first, second = points[model, task, milder], points[model, task, deeper]
            words = f"{model}, {task}: {first.accuracy:.3f} with {milder}, {second.accuracy:.3f} with {deeper}"
            smaller = mean(first.sizes) > mean(second.sizes)
            quick = [time_of(points, (model, task, level)) or 0.0 for level in (milder, deeper)]
            faster = quick[0] > quick[1] or 0.0 in quick  # those that nobody timed say nothing
            yield Seen(first.accuracy >= second.accuracy and smaller and faster, words)


def _imdb(points: Points) -> Iterator[Seen]:
    for (model, task, level), one in points.items():
        if task.startswith(IMDB) and level == NARROW and (time := time_of(points, (model, task, level))):
            words = f"{model}, {task}: {one.accuracy:.3f} at {time:.2f} of the time"
            yield Seen(one.accuracy >= 0.9 and time <= 0.105, words)


def _small(points: Points) -> Iterator[Seen]:
    for (model, task, level), one in points.items():
        if task in SMALL and level == TWO_THIRDS and model not in SEQ2SEQ:
            yield Seen(one.accuracy >= 0.95, f"{model}, {task}: {one.accuracy:.3f}")


def _seq2seq(points: Points) -> Iterator[Seen]:
    for model in SEQ2SEQ:
        for task in SMALL:
            others = [one.accuracy for (a, b, c), one in points.items() if (b, c) == (task, TWO_THIRDS) and a != model]
            if others and (own := points.get((model, task, TWO_THIRDS))):
                yield Seen(
                    own.accuracy < min(others),
                    f"{model}, {task}: {own.accuracy:.3f}, the others {min(others):.3f} or more",
                )


def _equals_distilled(points: Points) -> Iterator[Seen]:
    for words, own, kept in _beside_distilled(points, LARGE):
        yield Seen(abs(own - kept) <= 0.02, words)


def _loses_to_distilled(points: Points) -> Iterator[Seen]:
    for words, own, kept in _beside_distilled(points, SMALL):
        yield Seen(own < kept, words)


def _beside_distilled(points: Points, tasks: tuple[str, ...]) -> Iterator[tuple[str, float, float]]:
    """A deep cut's relative accuracy, and that of the reference as a share of the same whole model's score."""
    for task in tasks:
        if (reference := _score(points, REFERENCE, task)) and (whole := _score(points, FIRST, task)):
            for level in (A_THIRD, NARROW):
                if own := points.get((FIRST, task, level)):
                    words = f"{task}, {level}: {own.accuracy:.3f}, 6 distilled layers {reference / whole:.3f}"
                    yield words, own.accuracy, reference / whole


def _score(points: Points, model: str, task: str) -> float:
    """The mean score of the whole model, 0 where there is none."""
    found = [score for (a, b, _), one in points.items() if (a, b) == (model, task) for score in one.baselines]
    return mean(found) if found else 0.0


def _orders(_: Points) -> Iterator[Seen]:
    for name, pair in ORDERS.items():
        lines = read(HERE / "results" / f"{name}.jsonl")
        for task in dict.fromkeys(line["task"] for line in lines if line["arm"] == pair[0][0]):
            first, second = (
                [one["steps"][step]["relative"] for one in lines if (one["arm"], one["task"]) == (arm, task)]
                for arm, step in pair
            )
            if first and second:
                words = f"{task}: {mean(first):.3f} with layers first, {mean(second):.3f} with matrices first"
                yield Seen(mean(first) >= mean(second), f"{words} ({RATES[name]})")


GPT2 = HERE / "results" / "gpt2-width.jsonl"
MARKED = 0.05  # of the relative accuracy: what the white paper's word is taken to mean


def _gpt2(_: Points) -> Iterator[Seen]:
    lines = read(GPT2)
    layers = {(one["model"], one["task"], one["seed"]): _last(one) for one in lines if "then" not in one["arm"]}
    for one in lines:
        before = layers.get((one["model"], one["task"], one["seed"]))
        if "then" in one["arm"] and before:
            words = f"{one['model']}, {one['task']}: {before:.3f} without layers, {one['arm']} {_last(one):.3f}"
            yield Seen(before - _last(one) >= MARKED, words)


def _last(line: Mapping[str, Any]) -> float:
    """The relative accuracy after all steps."""
    return float(list(line["steps"].values())[-1]["relative"])


RATES = {"ablation": "matrices first at 1e-4, all else at 3e-4", "figures": "all at 1e-4"}
# The two orders by the file that has them: arms, and the steps that end them.
ORDERS = {
    "ablation": (("4 alternate", "matrix_pruning"), ("matrices before layers", "distillation")),
    "figures": (("layers before matrices", "matrix_pruning"), ("matrices before layers", "distillation")),
}


def _int8(_: Points) -> Iterator[Seen]:
    for name in ("served", "real-models"):
        for line in read(HERE / "results" / f"{name}.jsonl"):
            steps = list(line["steps"].values())
            if "quantization" not in line["steps"] or "time" not in steps[-1] or disturbed(line):
                continue
            kept, time = (steps[-1][key] / steps[-2][key] for key in ("relative", "time"))
            words = f"{line.get('model', FIRST)}, {line['task']}, {line['arm']}: {kept:.3f} at {time:.2f} of the time"
            yield Seen(kept >= 0.99 and time <= 0.5, words)


def _nothing(_: Points) -> Iterator[Seen]:
    return iter(())


CLAIMS = (
    Claim("sizes of BERT-base with 8 and 4 layers: 0.742 and 0.482 (Table 1)", _sizes, ""),
    Claim("the deeper the cut, the less accuracy, size and time (S19, S30)", _order, "a model with two levels"),
    Claim(f"IMDb: {NARROW}: at least 0.90 at about 0.10 of the emissions (S21)", _imdb, f"IMDb, {NARROW}, timed"),
    Claim("below 10,000 rows: 2/3 of the layers keep at least 0.95, but in T5 (S19)", _small, "small data"),
    Claim("below 10,000 rows: T5 keeps less than the others (S25)", _seq2seq, "T5 on small data"),
    Claim("GPT-2 loses markedly where matrices are pruned (S26)", _gpt2, "a pretrained GPT-2"),
    Claim("from 10,000 rows on, deep cuts equal a distilled model (S23)", _equals_distilled, "both on SST-2"),
    Claim("below 10,000 rows, deep cuts lose to a distilled model (S22)", _loses_to_distilled, "both on small data"),
    Claim("layers before matrices keeps at least as much as the reverse (S10)", _orders, "both orders"),
    Claim(f"{INT8} on a CPU: at least 0.99 at about half the time (S15)", _int8, "int8, timed on a quiet machine"),
    Claim(f"{INT8} on a CPU takes more energy than fp32 on a GPU (S16)", _nothing, "a GPU with an energy counter"),
)
