"""Proof that every recipe which advice emits passes `check` under the same policy.

Both judge by the same function, so they can differ only in what it looks at: a fact that a recipe does not carry,
or a recipe that reads back as another. Facts go through a recipe one by one, so each is tried by itself, at a point in
every cell that the rules make of it; steps likewise, for every family, level and preferred value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from advisor.advice.candidates import stated
from advisor.facts.facts import DataFacts, DeviceFacts, Facts, Goal, ModelFacts, Value, declared
from advisor.families import registry
from advisor.inspection.probe import Model
from advisor.policy.conditions import Test, tests_of
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.proofs.claims import Proof, Refutation
from advisor.proofs.space import points
from advisor.proofs.verify import verify
from advisor.recipe.levels import LEVELS, structure
from advisor.recipe.reader import loads
from advisor.recipe.recipe import DataSource, ModelSource, Recipe, as_yaml, to_targets
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step
from advisor.review.review import stated_facts

CLAIM = "every recipe that advice emits passes check"
# Nobody can tell these to advice or to check, and the texts are the sum of two that are tried.
NEVER_TOLD = ("data.mean_tokens", "device.instruction_sets", "device.compute_capability", "device.memory_gb")
DERIVED = ("data.distillation_texts",)
GROUPS: dict[str, type] = {"data": DataFacts, "device": DeviceFacts, "goal": Goal}


def prove(policy: Policy) -> Iterator[Proof]:
    """All claims about a policy."""
    yield from verify(policy)
    tried, refutations = 0, []
    for one in _tried(policy):
        tried += 1
        refutations += [one] if one else []
    yield Proof(CLAIM, tried, tuple(refutations))


def _tried(policy: Policy) -> Iterator[Refutation | None]:
    """One entry for each thing tried: None where it came back as it was."""
    errors = [rule for rule in policy.rules if rule.severity == "error"]
    tests = tuple(dict.fromkeys(test for rule in errors for test in tests_of(rule.when)))
    for name in dict.fromkeys(test.name for test in tests if test.name in declared()):
        if name.split(".")[0] in GROUPS and name not in (*NEVER_TOLD, *DERIVED):
            yield from (_carried(name, value, tests, errors) for value in points(name, tests))
    for step in dict.fromkeys(_steps(policy)):
        yield _reads_back(step)


def _carried(name: str, value: Value, tests: tuple[Test, ...], errors: list[Rule]) -> Refutation | None:
    """Does a fact come out of the recipe as advice put it in, as far as the rules can tell?"""
    before = facts_with(name, value)
    recipe = recipe_of(before, (Finetune(),))
    after = stated_facts(loads(as_yaml(recipe))[0], Model(recipe.model, ModelFacts(), None))
    was, now = (facts.values()[name] for facts in (before, after))
    told = [test for test in tests if test.name == name and test.answers(was) != test.answers(now)]
    rules = tuple(rule.id for rule in errors if set(tests_of(rule.when)) & set(told))
    return (
        Refutation(rules, f"a recipe does not carry {name}, by which they decide", f"{was} becomes {now}")
        if told
        else None
    )


def facts_with(name: str, value: Value) -> Facts:
    """Facts in which one is given and the others are as advice has them by default."""
    group, key = name.split(".")
    given: Any = {"data": _data(value if name == "data.labels" else None), "device": DeviceFacts("cpu"), "goal": Goal()}
    unset = value == float("inf")
    given[group] = given[group]._replace(**{key: None if unset else value})
    return Facts(ModelFacts(), given["data"], given["device"], given["goal"])


def _data(labels: Value) -> DataFacts:
    """Data in which so many labels are no contradiction: one is a regression's, and each has an example."""
    many = labels if isinstance(labels, int) else 0
    return DataFacts(max(1000, many), task="regression" if many == 1 else None)


def recipe_of(facts: Facts, steps: tuple[Step, ...]) -> Recipe:
    """A recipe that states some facts."""
    device: Any = facts.device.kind
    source = ModelSource("example", "bert")
    return Recipe(1, "example", source, device, steps, stated(facts.data, DataSource()), to_targets(facts.goal))


def _steps(policy: Policy) -> Iterator[Step]:
    """Every step of every level for every family, also with each value that a rule prefers."""
    wishes = [(name, value) for rule in policy.rules for name, value in (rule.then.prefer or {}).items()]
    for family in map(registry.find, registry.names()):
        for level in LEVELS:
            for step in (structure(level, family, family.config) or ()) if family else ():
                yield from _wished(step, wishes)
    yield from _wished(Finetune(), wishes)
    yield from _wished(Quantization(), wishes)


def _wished(step: Step, wishes: list[tuple[str, Any]]) -> Iterator[Step]:
    yield step
    mine = {item.name for item in fields(step)}
    for name, value in wishes:
        owner, _, setting = name.partition(".")
        if owner == step.name and setting in mine:
            yield replace(step, **{setting: value})


def _reads_back(step: Step) -> Refutation | None:
    recipe = recipe_of(facts_with("data.samples", 1000), (step,))
    read = loads(as_yaml(recipe))[0]
    message = f"{step.name} reads back as another step"
    return None if read.steps == (step,) else Refutation((), message, f"{step} becomes {read.steps[0]}")
