"""Proof that every recipe which advice emits passes `check` under the same policy, and that every fact can be known.

Advice and check judge by the same function, so they can differ only in what it looks at: a fact that a recipe does not
carry, or a recipe that reads back as another. Facts are tried at a point in every cell that
the rules make of them; labels with the models whose parameters hang on them; steps for every
family, level and preferred value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from advisor.advice.candidates import recipe_of, stated
from advisor.base.errors import AdviseError
from advisor.facts.facts import Facts, ModelFacts, Value, declared
from advisor.families import registry
from advisor.inspection import probe
from advisor.inspection.probe import Model
from advisor.policy.conditions import Test, tests_of
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.policy.view import META
from advisor.proofs.claims import Proof, Refutation
from advisor.proofs.points import points
from advisor.proofs.situations import facts_of, given_data
from advisor.proofs.verify import verify
from advisor.recipe.levels import LEVELS, structure
from advisor.recipe.reader import loads
from advisor.recipe.recipe import DataSource, ModelSource, PolicyStamp, Recipe, as_yaml
from advisor.recipe.steps import STEPS
from advisor.recipe.steps.finetune import Finetune
from advisor.recipe.steps.quantization import Quantization
from advisor.recipe.steps.step import Step
from advisor.review.review import review_document

CLAIM = "every recipe that advice emits passes check"
KNOWN = "every fact that a rule asks for can be known"
DERIVED = ("data.distillation_texts",)  # the sum of two that are tried
OF_RECIPE = ("model.source", "model.revision", "model.licence")  # what a recipe says of its model
NO_RULES = Policy(PolicyStamp("none", "1", "0" * 64), (), {})
LABELS_OF = "data.labels"
LABELS = (1000,)  # 2 are what check takes where a recipe states none
Tried = Refutation | None


def prove(policy: Policy) -> Iterator[Proof]:
    """All claims about a policy."""
    yield from verify(policy)
    tests = tuple(dict.fromkeys(test for rule in policy.rules for test in tests_of(rule.when)))
    asked = dict.fromkeys(name for test in tests for name in test.names() if _is_fact(name))
    trials = _trials({name: points(name, tests) for name in asked})
    yield _proof(KNOWN, [_unknowable(name, trials[name], policy.rules) for name in trials])
    errors = [rule for rule in policy.rules if rule.severity == "error"]
    lost = [_lost(name, *trial, errors) for name, each in trials.items() for trial in each]
    yield _proof(CLAIM, [*lost, *_counted(errors), *map(_reads_back, dict.fromkeys(_steps(policy)))])


def _proof(claim: str, tried: Sequence[Tried]) -> Proof:
    return Proof(claim, len(tried), tuple(dict.fromkeys(one for one in tried if one)))


def _is_fact(name: str) -> bool:
    """Is it a fact that goes through a recipe? Sizes of a model come from its config, in advice and in check."""
    if name in DERIVED or (name.startswith("model.") and name not in OF_RECIPE):
        return False
    return name in declared() or name.startswith(META)


def _trials(values: Mapping[str, Sequence[Value]]) -> dict[str, list[tuple[Value, Value]]]:
    """Every value as advice has it, and as check finds it: the first of all facts in one recipe, then the second."""
    found: dict[str, list[tuple[Value, Value]]] = {name: [] for name in values}
    together = {name: each for name, each in values.items() if name != LABELS_OF}
    rounds = [dict(zip(together, each, strict=True)) for each in _padded(together.values())]
    rounds += [{LABELS_OF: value} for value in values.get(LABELS_OF, ())]  # a regression has one, a classification more
    for one in rounds:
        before = facts_with(one)
        recipe = _written(before, ModelSource(before.model.source or "example", "bert"))
        after = review_document(NO_RULES, *loads(as_yaml(recipe)), Path(), _unseen).facts
        was, now = before.values(), after.values()
        for name in one:
            found[name].append((was.get(name), now.get(name)))
    return found


def _padded(values: Iterable[Sequence[Value]]) -> Iterator[tuple[Value, ...]]:
    """The first of each, the second of each and so on; whoever has no more gives its last again."""
    each = [*values]
    for place in range(max(map(len, each), default=0)):
        yield tuple(one[min(place, len(one) - 1)] for one in each)


def facts_with(values: Mapping[str, Value]) -> Facts:
    """Facts in which some are given and the others are as advice has them by default."""
    stated_ = {name: value for name, value in values.items() if value is not None or not name.startswith(META)}
    return facts_of(stated_, ModelFacts("bert", "encoder", source="example"), given_data(stated_))


def _unseen(source: ModelSource, base: Path, labels: int) -> Model:
    return Model(source, ModelFacts("bert", "encoder"), None)


def _written(facts: Facts, source: ModelSource, steps: tuple[Step, ...] = (Finetune(),)) -> Recipe:
    return recipe_of(facts, source, steps, stated(facts.data, DataSource(facts.data.source)), "example")


def _unknowable(name: str, trials: Sequence[tuple[Value, Value]], rules: Sequence[Rule]) -> Tried:
    if any(now is not None for was, now in trials if was is not None):
        return None
    asking = tuple(rule.id for rule in rules if name in rule.when.names())
    return Refutation(asking, f"ask for {name}, which nobody can state", f"{trials[0][0]} becomes {trials[0][1]}")


def _lost(name: str, was: Value, now: Value, errors: Sequence[Rule]) -> Tried:
    """Does a fact come out of the recipe as advice put it in, as far as the rules can tell?"""
    deciding = tuple(rule.id for rule in errors if any(_differs(test, name, was, now) for test in tests_of(rule.when)))
    message = f"a recipe does not carry {name}, by which they decide"
    return Refutation(deciding, message, f"{was} becomes {now}") if deciding else None


def _differs(test: Test, name: str, was: Value, now: Value) -> bool:
    if name not in test.names():
        return False
    return was != now if test.other else test.answers(was) != test.answers(now)


def _counted(errors: Sequence[Rule]) -> Iterator[Tried]:
    """Sizes that hang on the labels: does check count a model's parameters as advice did?"""
    sizes = {name for rule in errors for name in rule.when.names() if name.startswith("model.")} - set(OF_RECIPE)
    if not sizes & {"model.parameters", "model.embedding_share"}:
        return
    for family in registry.names():
        for labels in LABELS:
            yield _counts(family, labels, errors)


def _counts(family: str, labels: int, errors: Sequence[Rule]) -> Tried:
    model = probe.model(family, labels)
    data = given_data({"data.labels": labels})
    facts = facts_of({}, model.facts, data)
    try:
        found = review_document(NO_RULES, *loads(as_yaml(_written(facts, model.source))), Path()).facts
    except AdviseError as error:
        return Refutation((), f"check refuses what advice writes: {error}", f"{family} with {labels} labels")
    names = [
        name for name, value in facts.values().items() if name.startswith("model.") and value != found.values()[name]
    ]
    blamed = tuple(rule.id for rule in errors if set(names) & set(rule.when.names()))
    message = f"check counts {', '.join(names)} otherwise than advice"
    return Refutation(blamed, message, f"{family} with {labels} labels") if blamed else None


def _steps(policy: Policy) -> Iterator[tuple[Step, ...]]:
    """The steps of every level for every family, also with each value that a rule prefers."""
    wishes = [(name, value) for rule in policy.rules for name, value in (rule.then.prefer or {}).items()]
    for family in map(registry.find, registry.names()):
        for level in LEVELS if family else ():
            yield (Finetune(), *(structure(level, family, family.config) or ()), Quantization())  # type: ignore[union-attr]
    for name, value in wishes:
        owner, _, setting = name.partition(".")
        if owner in STEPS:
            yield (STEPS[owner](**{setting: value}),)


def _reads_back(steps: tuple[Step, ...]) -> Tried:
    read = loads(as_yaml(_written(facts_with({}), ModelSource("example", "bert"), steps)))[0].steps
    changed = next(((one, other) for one, other in zip(steps, read, strict=False) if one != other), None)
    if changed is None:
        return None
    return Refutation((), f"{changed[0].name} reads back as another step", f"{changed[0]} becomes {changed[1]}")
