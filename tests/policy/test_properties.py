"""What holds for all rules, facts and files: order is nothing, cells are complete, and no file brings anything down."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packs import policy, rule

from advisor.advice.recommendation import advise
from advisor.base.errors import AdviseError, NotMet
from advisor.base.validation import build
from advisor.base.yamlfile import parse as parse_yaml
from advisor.facts.facts import DataFacts, Facts, Goal
from advisor.facts.tasks import refusal
from advisor.inspection import probe
from advisor.policy import rulefile
from advisor.policy.conditions import Condition, parse
from advisor.policy.pack import core, load
from advisor.policy.packfile import Manifest
from advisor.policy.shipped import shipped
from advisor.policy.view import look
from advisor.proofs.space import cells
from advisor.recipe.reader import loads
from advisor.recipe.recipe import DataSource, as_yaml
from advisor.review import review

POLICY = core()
MODELS = {name: probe.model(name) for name in ("bert", "gpt2", "opt", "t5")}

AMOUNTS = st.sampled_from([1, 499, 500, 9_999, 10_000, 10_001, 24_999, 25_000, 10**7])
GOALS = st.sampled_from([0.5, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99])
FACTS = st.builds(
    lambda name, samples, more, device, goal, task: Facts(
        MODELS[name].facts, DataFacts(samples, None, more, None, task), probe.device(device), Goal(goal)
    ),
    st.sampled_from(list(MODELS)),
    AMOUNTS,
    st.one_of(st.just(0), AMOUNTS),
    st.sampled_from(["cpu", "cuda", "mps", "edge"]),
    GOALS,
    st.sampled_from([None, "text-classification", "summarization"]),
).filter(lambda facts: not refusal(facts.data.task, facts.model.kind))

NUMBERS = st.integers(0, 30_000).flatmap(
    lambda number: st.sampled_from([f"< {number}", f"<= {number}", f"> {number}", f">= {number}", f"!= {number}"])
)
TESTS = st.one_of(
    st.dictionaries(
        st.sampled_from(["data.samples", "data.unlabelled_samples", "data.distillation_texts"]), NUMBERS, min_size=1
    ),
    st.fixed_dictionaries({"model.kind": st.sampled_from(["encoder", "decoder", ["encoder", "encoder-decoder"]])}),
    st.fixed_dictionaries({"model.family": st.sampled_from(["bert", "t5", ["gpt2", "opt"], "other-decoder"])}),
    st.fixed_dictionaries({"device.kind": st.sampled_from(["cpu", ["cuda", "mps"]])}),
    st.fixed_dictionaries({"goal.relative_accuracy": st.sampled_from(["> 0.9", "<= 0.85", "0.8..0.95"])}),
    st.fixed_dictionaries({"model.generative": st.booleans()}),
    st.fixed_dictionaries({"known": st.sampled_from(["data.task", ["data.samples", "model.parameters"]])}),
    st.fixed_dictionaries({"data.task": st.sampled_from(["text-classification", ["summarization", "translation"]])}),
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=4,
)


def condition(value: dict[str, Any]) -> Condition:
    made, faults = parse(value)
    assert not faults
    return made


@settings(max_examples=150, deadline=None)
@given(st.lists(CONDITIONS, min_size=1, max_size=3), FACTS)
def test_every_situation_has_a_cell_that_answers_alike(written: list[dict[str, Any]], facts: Facts) -> None:
    conditions = [condition(one) for one in written]
    here = look(facts)
    answers = [one.truth(here) for one in conditions]
    assert any([one.truth(view) for one in conditions] == answers for view in cells(conditions))


@settings(max_examples=60, deadline=None)
@given(FACTS, st.randoms(use_true_random=False))
def test_the_order_of_rules_never_matters_and_every_emitted_recipe_passes(facts: Facts, chance: random.Random) -> None:
    shuffled = list(POLICY.rules)
    chance.shuffle(shuffled)
    model = MODELS[facts.model.family or ""]
    try:
        first = advise(POLICY, facts, model, DataSource(), "x").chosen.recipe
    except NotMet:
        with pytest.raises(NotMet):
            advise(POLICY._replace(rules=tuple(shuffled)), facts, model, DataSource(), "x")
        return
    assert advise(POLICY._replace(rules=tuple(shuffled)), facts, model, DataSource(), "x").chosen.recipe == first
    read, document = loads(as_yaml(first))
    assert read == first
    again = review.stated_facts(read, model)
    assert [
        one for one in review.review(POLICY, read, document, again, model).findings if one.severity == "error"
    ] == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(CONDITIONS, st.sampled_from(["layer_removal", "quantization"])), min_size=1, max_size=3), FACTS
)
def test_judgement_by_a_random_pack_is_that_of_its_rules(
    written: list[tuple[dict[str, Any], str]], facts: Facts
) -> None:
    rules = [rule(f"r{number}", when, {"forbid": [step]}) for number, (when, step) in enumerate(written)]
    made = policy(*rules)
    here = look(facts)
    forbidden = {one.then.forbid[0] for one in rules if one.when.truth(here) is not False}
    model = MODELS[facts.model.family or ""]
    try:
        steps = set(advise(made, facts, model, DataSource(), "x").chosen.recipe.step_names)
    except NotMet:
        return
    assert not steps & forbidden


def test_the_order_of_files_never_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from advisor.policy import packfile

    straight = load(shipped("rules") / "core")
    files_of = packfile.files_of
    monkeypatch.setattr(packfile, "files_of", lambda folder: list(reversed(files_of(folder))))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    turned = load(shipped("rules") / "core")
    assert [one.id for one in turned.rules] == [one.id for one in straight.rules]


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
WHOLE = parse_yaml((shipped("rules") / "core/data/small-data-few-layers.yaml").read_bytes(), "rule").value
RECIPE = parse_yaml((shipped("recipes") / "bert-two-thirds.yaml").read_bytes(), "recipe").value


def survives(data: bytes | str) -> None:
    """Whatever a file holds, the answer is a value or the product's own error."""
    for read in (
        lambda: rulefile.check(parse_yaml(data, "x")),
        lambda: loads(data),
        lambda: build(Manifest, parse_yaml(data, "x").value, parse_yaml(data, "x")),
    ):
        try:
            read()
        except AdviseError as error:
            assert error.faults


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_never_bring_anything_down(data: bytes) -> None:
    survives(data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_random_yaml_never_brings_anything_down(tree: Any) -> None:
    survives(json.dumps(tree))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_nearly_valid_files_never_bring_anything_down(data: st.DataObject) -> None:
    whole = json.loads(json.dumps(data.draw(st.sampled_from([WHOLE, RECIPE]))))
    at: Any = whole
    for _ in range(data.draw(st.integers(0, 3))):
        inner = [key for key in (at if isinstance(at, dict) else range(len(at))) if isinstance(at[key], dict | list)]
        at = at[data.draw(st.sampled_from(inner))] if inner else at
    keys = list(at) if isinstance(at, dict) else list(range(len(at)))
    if keys:
        at[data.draw(st.sampled_from(keys))] = data.draw(TREES)
    survives(json.dumps(whole))
