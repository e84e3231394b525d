"""Proofs about policies: planted faults of every kind are found with a witness, and the core pack has none."""

from __future__ import annotations

from typing import Any

import pytest
from packs import policy, rule

from advisor.policy.pack import Policy, core
from advisor.policy.rule import Rule
from advisor.proofs.advice_passes_check import CLAIM, KNOWN, prove
from advisor.proofs.claims import Refutation

CONTRADICT = "no two rules contradict each other"
ADMISSIBLE = "for all facts some recipe is admissible"
ADVISED = "for all facts advice finds an admissible recipe"
APPLIES = "every rule applies somewhere"
REPEATS = "no rule repeats what others say"
MORE_DATA = "more data never forbids what less data allowed"

SMALL, LARGE = {"data.samples": "< 10000"}, {"data.samples": ">= 10000"}
ALWAYS: dict[str, Any] = {}


def refuted(made: Policy) -> dict[str, list[Refutation]]:
    return {proof.claim: list(proof.refutations) for proof in prove(made) if proof.refutations}


def test_nothing_refutes_the_core_pack() -> None:
    proofs = list(prove(core()))
    assert [proof.claim for proof in proofs] == [
        CONTRADICT,
        ADMISSIBLE.replace("all facts", "all facts that no rule denies"),
        ADVISED.replace("all facts", "all facts that no rule denies"),
        APPLIES,
        REPEATS,
        MORE_DATA,
        KNOWN,
        CLAIM,
    ]
    assert {proof.verdict for proof in proofs} == {"proven"}


def test_a_type_without_notes_may_have_any_form_and_its_sizes_may_be_known() -> None:
    known = {"model.family": "other-decoder", "model.layers": ">= 12"}
    made = policy(
        rule("a", {**known, "model.fused_projections": True}, {"limit": {"distillation.epochs": "< 9"}}),
        rule("b", known, {"require": ["distillation"]}),
        rule("c", known, {"forbid": ["distillation"]}),
    )
    found = refuted(made)
    assert APPLIES not in found
    [contradiction] = found[CONTRADICT]
    assert contradiction.rules == ("b", "c") and contradiction.situation
    model = contradiction.situation.model
    assert model.config and model.facts.family == "other-decoder" and (model.facts.layers or 0) >= 12


FAULTS: dict[str, tuple[str, tuple[str, ...], list[Rule]]] = {
    "required and forbidden": (
        CONTRADICT,
        ("a", "b"),
        [
            rule("a", {"recipe.steps": "layer_removal"}, {"require": ["distillation"]}),
            rule("b", SMALL, {"forbid": ["distillation"]}),
        ],
    ),
    "empty interval": (
        CONTRADICT,
        ("a", "b"),
        [
            rule("a", SMALL, {"limit": {"distillation.epochs": "< 3"}}),
            rule("b", {"data.samples": "> 9998"}, {"limit": {"distillation.epochs": ">= 3"}}),
        ],
    ),
    "two preferences": (
        CONTRADICT,
        ("a", "b"),
        [
            rule("a", SMALL, {"prefer": {"distillation.epochs": 3}}),
            rule("b", {"device.kind": "cpu"}, {"prefer": {"distillation.epochs": 4}}),
        ],
    ),
    "preferred and out of bounds": (
        CONTRADICT,
        ("a", "b"),
        [
            rule("a", SMALL, {"prefer": {"distillation.epochs": 3}}),
            rule("b", ALWAYS, {"limit": {"distillation.epochs": ">= 5"}}),
        ],
    ),
    "no value left": (
        CONTRADICT,
        ("a", "b", "c"),
        [
            rule("a", ALWAYS, {"allow_only": {"layer_removal.choose": ["top", "alternate"]}}),
            rule("b", ALWAYS, {"allow_only": {"layer_removal.choose": ["top", "importance"]}}),
            rule("c", SMALL, {"allow_only": {"layer_removal.choose": ["alternate", "importance"]}}),
        ],
    ),
    "a circle of three": (
        CONTRADICT,
        ("a", "b", "d"),
        [
            rule("a", SMALL, {"order": [["layer_removal", "distillation"]]}),
            rule("b", ALWAYS, {"order": [["distillation", "matrix_pruning"]]}),
            rule("c", ALWAYS, {"order": [["finetune", "matrix_pruning"]]}),
            rule("d", ALWAYS, {"order": [["matrix_pruning", "layer_removal"]]}),
        ],
    ),
    "within one rule": (
        CONTRADICT,
        ("a",),
        [rule("a", SMALL, {"require": ["distillation"], "forbid": ["distillation"]})],
    ),
    "nothing is left": (
        ADMISSIBLE,
        ("a", "b"),
        [
            rule("a", {"device.kind": "mps", "data.samples": "< 5"}, {"forbid": ["finetune"]}),
            rule("b", {"not": {"recipe.steps": "finetune"}}, {"require": ["finetune"]}),
        ],
    ),
    "dead by its numbers": (
        APPLIES,
        ("a",),
        [rule("a", {"all": [{"data.samples": "< 10"}, {"data.samples": "> 10"}]}, {"forbid": ["quantization"]})],
    ),
    "dead by its family": (
        APPLIES,
        ("a",),
        [rule("a", {"model.family": "gpt2", "model.kind": "encoder"}, {"forbid": ["quantization"]})],
    ),
    "dead by a sum": (
        APPLIES,
        ("a",),
        [rule("a", {"data.samples": "> 100", "data.distillation_texts": "<= 100"}, {"forbid": ["quantization"]})],
    ),
    "shadowed by one": (
        REPEATS,
        ("a",),
        [
            rule("a", {**SMALL, "device.kind": "cpu"}, {"forbid": ["matrix_pruning"]}),
            rule("b", {"data.samples": "< 20000"}, {"forbid": ["matrix_pruning", "layer_removal"]}),
        ],
    ),
    "shadowed by two": (
        REPEATS,
        ("a",),
        [
            rule("a", SMALL, {"limit": {"distillation.epochs": ">= 2"}}),
            rule("b", {"data.samples": "< 5000"}, {"limit": {"distillation.epochs": ">= 3"}}),
            rule("c", {"data.samples": "4000..20000"}, {"limit": {"distillation.epochs": "> 2"}}),
        ],
    ),
    "duplicate": (
        REPEATS,
        ("a", "b"),
        [
            rule("a", SMALL, {"forbid": ["matrix_pruning"]}),
            rule("b", {"not": LARGE}, {"forbid": ["matrix_pruning"]}),
        ],
    ),
    "more data forbids": (
        MORE_DATA,
        ("a",),
        [rule("a", {"data.samples": "> 50000", "device.kind": "edge"}, {"forbid": ["matrix_pruning"]})],
    ),
    "more data limits": (
        MORE_DATA,
        ("b",),
        [
            rule("a", SMALL, {"limit": {"layer_removal.removed_share": "<= 0.5"}}),
            rule("b", LARGE, {"limit": {"layer_removal.removed_share": "<= 0.4"}}),
        ],
    ),
    "more unlabelled data forbids": (
        MORE_DATA,
        ("a",),
        [rule("a", {"data.distillation_texts": ">= 20000"}, {"forbid": ["distillation"]})],
    ),
}


@pytest.mark.parametrize(("claim", "blamed", "rules"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(claim: str, blamed: tuple[str, ...], rules: list[Rule]) -> None:
    found = refuted(policy(*rules))
    assert claim in found
    assert blamed in [tuple(sorted(one.rules)) for one in found[claim]]
    assert all(one.witness for one in found[claim])


def test_what_recipes_do_not_carry_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels stand in recipes; this is what would be said if they did not."""
    made = policy(rule("a", {"data.labels": "> 2"}, {"forbid": ["quantization"]}))
    assert refuted(made) == {}
    assert refuted(policy(rule("many", {"data.labels": "> 5000"}, {"forbid": ["quantization"]}))) == {}
    from advisor.review import review

    def forgetful(*arguments: Any) -> Any:
        facts = stated_facts(*arguments)
        return facts._replace(data=facts.data._replace(labels=None))

    stated_facts = review.stated_facts
    monkeypatch.setattr(review, "stated_facts", forgetful)
    (one, *_) = refuted(made)[CLAIM]
    assert one.rules == ("a",) and "data.labels" in one.message


def test_rules_that_never_meet_do_not_contradict_each_other() -> None:
    apart = policy(
        rule("a", {**SMALL, "recipe.steps": "layer_removal"}, {"require": ["distillation"]}),
        rule("b", LARGE, {"forbid": ["distillation"]}),
        rule("c", {"model.kind": "encoder"}, {"prefer": {"distillation.epochs": 3}}),
        rule("d", {"model.family": "t5"}, {"prefer": {"distillation.epochs": 4}}),
    )
    assert CONTRADICT not in refuted(apart)


def test_many_thresholds_are_no_obstacle() -> None:
    many: dict[str, Any] = {"any": [{"data.samples": f"< {number}"} for number in range(2, 150)]}
    wide = {
        "any": [
            {"data.samples": f"< {number}", "data.distillation_texts": f"< {3 * number}", "goal.size_mb": f"< {number}"}
            for number in range(100, 140)
        ]
    }
    for when in (many, wide):
        found = {proof.claim: proof.verdict for proof in prove(policy(rule("a", when, {"forbid": ["distillation"]})))}
        assert found == dict.fromkeys(found, "proven")


def test_what_is_too_hard_is_not_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    from advisor.proofs import solver

    monkeypatch.setattr(solver, "MOST_CHOICES", 0)
    proofs = list(prove(policy(rule("a", SMALL, {"forbid": ["distillation"]}))))
    asked = [proof for proof in proofs if proof.claim in (ADMISSIBLE, APPLIES)]
    assert {proof.verdict for proof in asked} == {"not decided"}
    assert all("more than 0 choices" in str(proof.undecided[0]) for proof in asked)


def test_comparisons_that_are_not_covered_are_named() -> None:
    made = policy(rule("a", {"data.mean_tokens": "> data.samples"}, {"forbid": ["distillation"]}))
    proofs = list(prove(made))
    assert all(
        "comparisons of data.mean_tokens with data.samples" in str(one.undecided[0])
        for one in proofs
        if one.claim not in (KNOWN, CLAIM)
    )
