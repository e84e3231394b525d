"""The shipped packs: they load, their examples come out as they say, and their evidence can be found."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from scratch import CHECKOUT

from advisor.base.errors import PolicyError
from advisor.policy.examples import failing, view_of
from advisor.policy.pack import Policy, core, load
from advisor.policy.rule import Rule
from advisor.policy.shipped import shipped
from advisor.policy.view import known

POLICY = core()
BEYOND = load(shipped("rules") / "beyond")
RULES = [(pack, rule) for pack in (POLICY, BEYOND) for rule in pack.rules]
NAMES = [f"{pack.stamp.name}-{rule.id}" for pack, rule in RULES]
ALL_RULES = {f"R{number:02}" for number in range(1, 41)}


@pytest.mark.parametrize(("pack", "rule"), RULES, ids=NAMES)
def test_examples_come_out_as_they_say(pack: Policy, rule: Rule) -> None:
    assert failing(rule) == []
    assert rule.examples.quiet


@pytest.mark.parametrize(("pack", "rule"), RULES, ids=NAMES)
def test_every_source_is_in_the_list_of_the_pack(pack: Policy, rule: Rule) -> None:
    assert {one.source for one in rule.evidence} <= set(pack.sources)


@pytest.mark.parametrize("pack", [POLICY, BEYOND], ids=lambda pack: pack.stamp.name)
def test_every_source_of_a_pack_is_cited(pack: Policy) -> None:
    assert set(pack.sources) <= {one.source for rule in pack.rules for one in rule.evidence}


@pytest.mark.parametrize(("pack", "rule"), RULES, ids=NAMES)
def test_what_enforces_a_rule_is_there(pack: Policy, rule: Rule) -> None:
    """A file, a test in a file, or a setting."""
    for named in rule.enforced_by:
        place, _, test = named.partition("::")
        place = place.split(":")[0]
        file = shipped("rules").parent / place
        assert place in known() or file.is_file()
        assert not test or f"def {test}(" in file.read_text()


CLAIMS = {f"S{number:02}" for number in range(1, 36)}  # of the white paper


def test_every_claim_of_the_white_paper_is_cited_by_a_rule_or_there_is_a_line_that_says_why_not() -> None:
    cited = {key for _, rule in RULES for one in rule.evidence for key in re.findall(r"S\d\d", one.at)}
    register = (CHECKOUT / "docs" / "evidence.md").read_text(encoding="utf-8")
    _, _, elsewhere = register.partition("# 9. Claims of the white paper that no rule cites")
    why = dict(re.findall(r"^\| (S\d\d) \| (.+) \|$", elsewhere, re.MULTILINE))
    assert cited | why.keys() == CLAIMS and not cited & why.keys()
    assert all(len(reason.split()) > 5 for reason in why.values())


def test_all_rules_of_the_evidence_are_there() -> None:
    assert {rule.origin for rule in POLICY.rules} == ALL_RULES - {"R39"}
    assert {rule.origin for rule in BEYOND.rules} >= {"R39"}


def test_rules_that_only_the_white_paper_supports_say_so() -> None:
    """R15, which was one of them, has a measurement of this project beside it (bench/README.md, ablation)."""
    assert {rule.origin for _, rule in RULES if rule.white_paper_only} == {"R01", "R06"}


def test_an_example_that_comes_out_otherwise_is_noticed() -> None:
    rule = POLICY.rule("t5-small-data-no-prune")
    assert rule is not None
    turned = rule._replace(examples=replace(rule.examples, fires=rule.examples.quiet, quiet=rule.examples.fires))
    assert len(failing(turned)) == len(rule.examples.fires) + len(rule.examples.quiet)


def test_an_example_gives_any_fact_by_its_full_name() -> None:
    view = view_of({"model": "bert", "data.samples": 5, "data.unlabelled_samples": 6, "device.instruction_sets": []})
    assert view.get("data.distillation_texts") == (True, 11)
    assert view.get("device.instruction_sets") == (True, frozenset())
    with pytest.raises(PolicyError, match=r"did you mean 'data\.samples'"):
        view_of({"data.sampels": 5})


def test_an_unknown_task_never_blocks_a_language_model_and_a_known_one_does() -> None:
    from advisor.policy.examples import view_of
    from advisor.policy.judge import violations

    steps = ["finetune", {"layer_removal": {"keep": 4}}, "distillation"]
    facts = {"model": "gpt2", "samples": 25_000, "device": "cuda", "steps": steps}
    for task, blocked in ((None, False), ("text-classification", False), ("text-generation", True)):
        found = violations(POLICY, view_of(facts | ({"task": task} if task else {})))
        assert any(one.rule.id == "language-model-depth" for one in found) is blocked
