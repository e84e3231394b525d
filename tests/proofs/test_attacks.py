"""Random packs: whatever is printed as proven withstands random facts and recipes, judged by advice and by check."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from packs import policy, rule

from advisor.advice.candidates import recipe_of, stated
from advisor.advice.recommendation import advise
from advisor.base.errors import NotMet, PolicyError
from advisor.facts.facts import DataFacts, DeviceFacts, Facts, Goal
from advisor.inspection import probe
from advisor.inspection.probe import Model
from advisor.policy.judge import broken
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.policy.view import View, look
from advisor.proofs.advice_passes_check import CLAIM, prove
from advisor.recipe.plan import plan
from advisor.recipe.reader import loads
from advisor.recipe.recipe import DataSource, ModelSource, PolicyStamp, Recipe, as_yaml
from advisor.recipe.steps import STEPS
from advisor.recipe.steps.distillation import Distillation
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step
from advisor.review.review import review_document

MODELS = {name: probe.model(name) for name in ("bert", "gpt2", "t5")}
AMOUNTS = ("data.samples", "data.unlabelled_samples", "data.distillation_texts", "data.eval_samples")
FAMILIES = ["bert", "gpt2", "t5", ["bert", "gpt2"], "other-decoder"]
PACKS, FACTS = 40, 12  # by default; the slow test tries 10,000 facts and recipes
SEEDS = st.integers(0, 2**32)  # smaller ones are no simpler, so none is looked for
Chance = random.Random


SIGNS = ("<", "<=", ">", ">=", "!=")


def _two_amounts(chance: Chance) -> tuple[str, str]:
    one, other = chance.sample(AMOUNTS, 2)
    return one, f"{chance.choice(SIGNS)} {other}"


def _number(chance: Chance, most: int) -> str:
    return f"{chance.choice(['<', '<=', '>', '>=', '!='])} {chance.randint(0, most)}"


TESTS: list[Callable[[Chance], dict[str, Any]]] = [
    lambda chance: {chance.choice(AMOUNTS): _number(chance, 9)},
    lambda chance: {chance.choice(AMOUNTS): _number(chance, 9)},
    lambda chance: {"data.labels": _number(chance, 4)},
    lambda chance: {"device.kind": chance.choice(["cpu", "cuda", ["mps", "edge"]])},
    lambda chance: {"device.memory_gb": _number(chance, 4)},
    lambda chance: {"model.family": chance.choice(FAMILIES)},
    lambda chance: {"model.kind": chance.choice(["encoder", "decoder"])},
    lambda chance: {"model.layers": _number(chance, 13)},
    lambda chance: {"model.source": chance.choice(["google-bert/*", "*/gpt2", "somebody/?*", "google*"])},
    lambda chance: {"goal.relative_accuracy": chance.choice(["> 0.9", "<= 0.8"])},
    lambda chance: {"recipe.steps": chance.choice(list(STEPS))},
    lambda chance: {"recipe.removed_share": chance.choice(["> 0.2", "< 0.1"])},
    lambda chance: {"finetune.epochs": chance.choice(["> 3", "<= 1", "!= 3"])},
    lambda chance: {"layer_removal.keep": _number(chance, 6)},
    lambda chance: {"layer_removal.removed_share": chance.choice(["> 1/3", "<= 0.5"])},
    lambda chance: {"distillation.epochs": chance.choice([">= finetune.epochs", "< finetune.epochs"])},
    lambda chance: dict([_two_amounts(chance)]),
    lambda chance: dict([_two_amounts(chance)]),
    lambda chance: {chance.choice(AMOUNTS): f"{chance.choice(SIGNS)} data.labels"},
    lambda chance: {"finetune.epochs": f"{chance.choice(SIGNS)} {chance.choice(AMOUNTS)}"},
    lambda chance: {"training.max_tokens": "> 100"},
    lambda chance: {"meta.team": chance.choice(["a*", "ab", ["b?", "a"]])},
    lambda chance: {"known": chance.choice(["data.samples", "data.task", "meta.team", "model.layers"])},
]


def _condition(chance: Chance, depth: int = 2) -> dict[str, Any]:
    kind = chance.choice(["test", "test", "all", "any", "not"]) if depth else "test"
    if kind == "test":
        return chance.choice(TESTS)(chance)
    if kind == "not":
        return {"not": _condition(chance, depth - 1)}
    return {kind: [_condition(chance, depth - 1) for _ in range(chance.randint(1, 3))]}


def _effect(chance: Chance) -> dict[str, Any]:
    one, other = chance.sample(list(STEPS), 2)
    epochs = f"{chance.choice(['>=', '<='])} {chance.randint(1, 5)}"
    return chance.choice(
        [
            {"forbid": [one]},
            {"forbid": [one]},
            {"require": [one]},
            {"order": [[one, other]]},
            {"limit": {"finetune.epochs": epochs}},
            {"limit": {"layer_removal.removed_share": "<= 1/3"}},
            {"limit": {"layer_removal.keep": f">= {chance.randint(1, 8)}"}},
            {"allow_only": {"finetune.epochs": chance.sample(range(1, 6), 2)}},
            {"prefer": {"finetune.epochs": chance.randint(1, 5)}},
            {"warn": chance.choice(["one", "two"])},
            {"deny": "no"},
        ]
    )


def a_pack(chance: Chance) -> Policy:
    severities = ["error", "error", "error", "warning", "note"]
    rules = [
        rule(f"r{number}", _condition(chance), _effect(chance), chance.choice(severities))
        for number in range(chance.randint(1, 4))
    ]
    return policy(*rules)._replace(stamp=PolicyStamp("random", "1", "0" * 64))


def some_facts(chance: Chance) -> tuple[Facts, Model]:
    """A model and facts that advice might be asked about."""
    name = chance.choice([*MODELS, "other"])
    labels = chance.choice([None, 2, 3, 4])
    if name == "other":
        source = ModelSource("somebody/x", "other-decoder")
        facts = MODELS["gpt2"].facts._replace(**dict.fromkeys(MODELS["gpt2"].facts._fields))
        facts = facts._replace(family="other-decoder", kind="decoder", generative=True, source="somebody/x")
        model = Model(source, facts, None)
    else:
        model = probe.model(name, labels or 2)
    most = 10
    data = DataFacts(
        chance.randint(labels or 1, most),
        chance.choice([None, *range(most)]),
        chance.randint(0, most),
        None,
        chance.choice([None, "text-classification"]),
        labels,
    )
    device = DeviceFacts(chance.choice(["cpu", "cuda", "mps", "edge"]), memory_gb=chance.choice([None, 1.0, 2.5, 8.0]))
    goal = Goal(chance.choice([0.5, 0.8, 0.85, 0.95]))
    meta = chance.choice([(), (("team", "a"),), (("team", "ab"),), (("team", "b1"),), (("team", 3),)])
    return Facts(model.facts, data, device, goal, meta), model


def a_recipe(chance: Chance, facts: Facts, model: Model) -> Recipe:
    """Any steps in any order."""
    keep = chance.randint(1, 11)
    removal = LayerRemoval(keep=keep) if facts.model.family != "t5" else LayerRemoval(encoder_keep=keep)
    made: list[Step] = [
        Finetune(epochs=chance.randint(1, 6)),
        removal,
        Distillation(epochs=chance.randint(1, 6)),
        MatrixPruning(intermediate_size=512),
        Quantization(),
    ]
    steps = tuple(chance.sample(made, chance.randint(1, len(made))))
    recipe = recipe_of(facts, model.source, steps, stated(facts.data, DataSource()), "x")
    return replace(recipe, training=replace(recipe.training, max_tokens=chance.choice([64, 128])))


def view_of(facts: Facts, model: Model, recipe: Recipe) -> View:
    planned = plan(recipe, model.config, facts.data.labels or 2) if model.config else None
    return look(facts, recipe, planned.measures if planned and not planned.problems else {})


def refused(made: Policy, view: View, without: str = "") -> bool:
    errors = [one for one in made.rules if one.severity == "error" and one.id != without]
    return any(next(broken(one, view), None) for one in errors)


def with_more(chance: Chance, facts: Facts) -> Facts:
    data = facts.data
    more = data._replace(
        samples=data.samples and data.samples + chance.randint(0, 6),
        unlabelled_samples=(data.unlabelled_samples or 0) + chance.randint(0, 6),
        eval_samples=None if data.eval_samples is None else data.eval_samples + chance.randint(0, 6),
    )
    return facts._replace(data=more)


def advice_refuses(made: Policy, facts: Facts, model: Model) -> bool:
    try:
        advise(made, facts, model, DataSource(), "x")
    except NotMet:
        return False
    except PolicyError as error:
        return "leaves no admissible recipe" in str(error)
    return False


def attack(made: Policy, chance: Chance, count: int) -> None:
    """Random facts and recipes against all that verify says of a pack."""
    proofs = {proof.claim: proof for proof in prove(made)}
    proven = {claim for claim, proof in proofs.items() if proof.verdict == "proven"}
    applies, repeats = (proofs[name].refutations for name in list(proofs)[3:5])
    dead = {one.rules[0] for one in applies if "dead" in one.message}
    needless = {one.rules[-1] for one in repeats}
    for _ in range(count):
        facts, model = some_facts(chance)
        recipe = a_recipe(chance, facts, model)
        view = view_of(facts, model, recipe)
        assert not [one.id for one in made.rules if one.id in dead and one.when.truth(view)]
        if "no two rules contradict each other" in proven:
            assert not contradictory([one for one in made.rules if one.when.truth(view) is True], view)
        if "for all facts advice finds an admissible recipe" in proven:
            assert not advice_refuses(made, facts, model)
        if "more data never forbids what less data allowed" in proven and not refused(made, view):
            assert not refused(made, view_of(with_more(chance, facts), model, recipe))
        for name in needless:
            assert refused(made, view) == refused(made, view, without=name)
        if CLAIM in proven:
            passes_check(made, facts, model)


def contradictory(rules: list[Rule], view: View) -> bool:
    """Do rules that apply now contradict each other, as far as whole numbers of epochs and steps show it?"""
    forbidden, required = (
        {step for one in rules for step in getattr(one.then, kind)} for kind in ("forbid", "require")
    )
    wishes = {value for one in rules for value in (one.then.prefer or {}).values()}
    left = [
        epochs
        for epochs in range(1, 1001)
        if all(epochs in (one.then.allow_only or {}).get("finetune.epochs", [epochs]) for one in rules)
        and all(one.limits["finetune.epochs"].holds(epochs) for one in rules if "finetune.epochs" in one.limits)
    ]
    steps = view.values["recipe.steps"]
    assert isinstance(steps, frozenset)
    about = "finetune" in steps
    return bool(forbidden & required) or (about and (len(wishes) > 1 or not left))


def passes_check(made: Policy, facts: Facts, model: Model) -> None:
    """What advice emits passes check under the same pack."""
    try:
        recipe = advise(made, facts, model, DataSource(), "x").chosen.recipe
    except (NotMet, PolicyError):
        return
    read, document = loads(as_yaml(recipe))
    assert review_document(made, read, document, Path()).errors == 0


@settings(max_examples=PACKS, deadline=None, phases=(Phase.generate,))
@given(SEEDS)
def test_what_is_proven_withstands_random_facts_and_recipes(seed: int) -> None:
    chance = random.Random(seed)
    attack(a_pack(chance), chance, FACTS)


@pytest.mark.slow
@pytest.mark.timeout(150)  # it looked for minutes
def test_the_search_for_an_example_ends() -> None:
    chance = random.Random(18135)
    attack(a_pack(chance), chance, FACTS)


@pytest.mark.slow
@settings(max_examples=250, deadline=None, phases=(Phase.generate,))
@given(SEEDS)
def test_what_is_proven_withstands_ten_thousand_facts_and_recipes(seed: int) -> None:
    chance = random.Random(seed)
    attack(a_pack(chance), chance, 40)
