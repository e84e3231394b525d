"""The shipped pack: it loads, its examples come out as they say, and its evidence can be found."""

from __future__ import annotations

import pytest

from advisor.examples import failing
from advisor.policy.pack import core
from advisor.policy.rule import Rule

POLICY = core()
WHITE_PAPER_RULES = {f"R{number:02}" for number in (*range(1, 8), *range(14, 18), 31, 34, 36)}


@pytest.mark.parametrize("rule", POLICY.rules, ids=lambda rule: rule.id)
def test_examples_come_out_as_they_say(rule: Rule) -> None:
    assert failing(rule) == []


@pytest.mark.parametrize("rule", POLICY.rules, ids=lambda rule: rule.id)
def test_every_source_is_in_the_list_of_the_pack(rule: Rule) -> None:
    assert {one.source for one in rule.evidence} <= set(POLICY.sources)


def test_the_rules_of_the_white_paper_are_there() -> None:
    assert {rule.origin for rule in POLICY.rules} >= WHITE_PAPER_RULES


def test_rules_that_only_the_white_paper_supports_say_so() -> None:
    assert {rule.origin for rule in POLICY.rules if rule.white_paper_only} == {"R01", "R06", "R15"}


def test_an_example_that_comes_out_otherwise_is_noticed() -> None:
    rule = POLICY.rule("t5-small-data-no-prune")
    assert rule is not None
    turned = rule._replace(examples=type(rule.examples)(rule.examples.quiet, rule.examples.fires))
    assert len(failing(turned)) == len(rule.examples.fires) + len(rule.examples.quiet)
