"""The space: what the policy allows, what exact sizes and ranges leave out, and the tree of its recipes."""

from __future__ import annotations

from dataclasses import replace as changed
from fractions import Fraction

import pytest
from table_search import question, space_of

from advisor.advice.candidates import candidates, given
from advisor.advice.recommendation import advise
from advisor.base.errors import AdviseError
from advisor.base.frozen import replace
from advisor.families.shape import Shape
from advisor.tuning.space import depths, space
from advisor.tuning.tree import Node, before, path, tree


def test_every_recipe_of_the_space_passes_the_rules_and_every_other_has_a_reason() -> None:
    asked = question(relative_emissions=0.5)
    found = space_of(asked)
    policy, facts, model, *_ = asked
    assert all(given(policy, facts, model, one.recipe).admissible for one in found.places)
    assert len(found.places) + len(found.excluded) == len(found.every)
    assert all(one.reason for one in found.excluded)
    by_rule = [one for one in found.excluded if one.rule]
    assert {one.rule for one in by_rule} <= {rule.id for rule in policy.rules} and by_rule


def test_the_advised_recipe_comes_first_and_one_of_each_level_follows() -> None:
    found = space_of(question())
    levels = [one.level for one in found.seeds]
    assert len(levels) == len(set(levels)) >= 3
    assert found.seeds[0].candidate.words == "fine-tuned, 8 layers, distilled, int8"


def test_exact_sizes_leave_recipes_out_and_refuse_a_goal_that_none_can_meet() -> None:
    found = space_of(question(size_mb=200, relative_accuracy=0.9))
    assert found.places and any("above 200" in one.reason for one in found.excluded)
    assert all(
        "above 200" not in one.reason for one in found.excluded if one.choices["int8"] and one.choices["layers"] == 4
    )
    asked = question(size_mb=1)
    every = list(candidates(*asked))
    with pytest.raises(AdviseError, match=r"no recipe is as small as 1 MB: the smallest, .* has [\d.]+ MB or more"):
        space(asked, every[0], every)


def test_what_ranges_rule_out_is_left_out_but_the_seeds_are_tried_all_the_same() -> None:
    found = space_of(question(relative_emissions=0.5))
    reasons = {one.reason for one in found.excluded if not one.rule}
    assert any("relative emissions" in one and "above 0.5" in one for one in reasons)
    assert any(one.candidate.words == "fine-tuned" for one in found.seeds)  # though it emits all that the baseline does


def test_settings_of_training_stand_in_every_recipe_and_are_judged() -> None:
    asked = question()
    found = space(asked, advise(*asked).chosen, list(candidates(*asked)), {"batch_size": 8, "precision": "fp32"})
    assert {(one.recipe.training.batch_size, one.recipe.training.precision) for one in found.every} == {(8, "fp32")}
    usual = space_of(asked)
    assert [one.choices for one in found.every] == [one.choices for one in usual.every]
    assert {one.recipe.training.max_tokens for one in found.every} == {
        one.recipe.training.max_tokens for one in usual.every
    }


def test_depths_hold_the_levels_of_the_white_paper() -> None:
    for layers in (6, 12, 24, 48):
        shape = Shape({"encoder": layers}, 768, 12, 64, 3072)
        found = depths(shape)
        assert {round(layers / 3), -(-layers * 2 // 3)} <= set(found)
        assert max(found) < layers and min(found) >= layers / 4 and len(found) <= 14


def test_recipes_share_their_first_steps() -> None:
    found = space_of(question())
    recipe = next(one.recipe for one in found.places if one.choices["layers"] == 4 and one.choices["int8"])
    whole = Node(recipe)
    assert [len(node.recipe.steps) for node in path(whole)] == [1, 2, 3, 4]
    fp32 = Node(replace(recipe, steps=recipe.steps[:-1]))
    other = next(one.recipe for one in found.places if one.choices["layers"] == 5)
    nodes = tree([whole, fp32, Node(other)])
    # Fine-tuning, where the two depths part, and what was asked for; the steps between are made on the way.
    assert [len(node.recipe.steps) for node in nodes.values()] == [1, 3, 4, len(other.steps)]
    assert before(whole, nodes) == fp32.name and before(fp32, nodes) == path(whole)[0].name


def test_a_share_of_the_training_makes_another_node_only_where_something_is_distilled() -> None:
    found = space_of(question())
    recipe = next(one.recipe for one in found.places if one.choices["layers"] == 4)
    tuned, cut, distilled, *_ = (node.recipe for node in path(Node(recipe)))
    third = Fraction(1, 3)
    assert Node(tuned, third).name == Node(tuned).name and Node(cut, third).name == Node(cut).name
    assert Node(distilled, third).name != Node(distilled).name
    other = replace(recipe, training=changed(recipe.training, seed=9))
    assert Node(other).name != Node(recipe).name
    assert len({Node(recipe, seed=seed).name for seed in range(3)} | {Node(other).name}) == 4
    assert all(node.seed == 2 for node in path(Node(recipe, seed=2)))
