"""Packs that a claim does not hold for: each is refuted, and the product itself confirms the witness."""

from __future__ import annotations

from typing import Any

import pytest
from packs import policy, rule

from advisor.advice.recommendation import advise
from advisor.base.errors import NotMet, PolicyError
from advisor.facts.facts import DeviceFacts
from advisor.policy.judge import violations
from advisor.policy.pack import Policy
from advisor.policy.rule import Rule
from advisor.proofs.advice_passes_check import CLAIM, KNOWN, prove
from advisor.proofs.claims import Proof, Refutation
from advisor.proofs.situations import Situation
from advisor.recipe.recipe import DataSource

ADMISSIBLE = "for all facts some recipe is admissible"
ADVISED = "for all facts advice finds an admissible recipe"
APPLIES = "every rule applies somewhere"
REPEATS = "no rule repeats what others say"
MORE_DATA = "more data never forbids what less data allowed"
CONTRADICT = "no two rules contradict each other"
ALWAYS: dict[str, Any] = {}
REMOVE = rule("remove", ALWAYS, {"require": ["layer_removal", "distillation"]})


def proofs(made: Policy) -> dict[str, Proof]:
    return {proof.claim: proof for proof in prove(made)}


def nothing_is_advised(made: Policy, situation: Situation) -> bool:
    """Does advice itself find no admissible recipe in a situation?"""
    try:
        advise(made, situation.facts, situation.model, DataSource(), "x")
    except NotMet:
        return False
    except PolicyError:
        return True
    return False


def confirmed(made: Policy, found: Refutation) -> bool:
    return found.situation is not None and nothing_is_advised(made, found.situation)


PACKS: dict[str, list[Rule]] = {
    "a warning that is an error": [rule("never", ALWAYS, {"warn": "nothing may be done"})],
    "approved families only": [rule("approved", {"not": {"model.family": ["bert", "roberta"]}}, {"warn": "ask first"})],
    "keep more than 3 and less than 4 layers": [
        REMOVE,
        rule("more", ALWAYS, {"limit": {"layer_removal.keep": "> 3"}}),
        rule("less", ALWAYS, {"limit": {"layer_removal.keep": "< 4"}}),
    ],
    "half an epoch": [
        rule("baseline", ALWAYS, {"require": ["distillation"]}),
        rule("short", ALWAYS, {"limit": {"distillation.epochs": "<= 0.5"}}),
    ],
    "better than the baseline": [
        rule("int8", {"device.kind": "edge"}, {"require": ["quantization"]}),
        rule("better", ALWAYS, {"limit": {"quantization.min_relative_accuracy": ">= 1.5"}}),
    ],
    "16 bits of int8": [
        rule("int8", {"data.samples": ">= 5000"}, {"require": ["quantization"]}),
        rule("bits", ALWAYS, {"limit": {"quantization.bits": ">= 16"}}),
    ],
    "a share kept against a share removed": [
        REMOVE,
        rule("keep", ALWAYS, {"limit": {"layer_removal.keep_share": ">= 0.6"}}),
        rule("cut", ALWAYS, {"limit": {"layer_removal.removed_share": ">= 0.5"}}),
    ],
    "one value allowed and two limits": [
        rule("baseline", ALWAYS, {"require": ["finetune"]}),
        rule("a", ALWAYS, {"allow_only": {"finetune.epochs": [2, 6]}}),
        rule("b", ALWAYS, {"limit": {"finetune.epochs": ">= 3"}}),
        rule("c", ALWAYS, {"limit": {"finetune.epochs": "<= 5"}}),
    ],
    "int8 before fine-tuning": [
        rule("both", ALWAYS, {"require": ["finetune", "quantization"]}),
        rule("first", ALWAYS, {"order": [["quantization", "finetune"]]}),
        rule("last", {"recipe.steps": "quantization"}, {"order": [["finetune", "quantization"]]}),
    ],
}


@pytest.mark.parametrize("rules", PACKS.values(), ids=PACKS)
def test_a_pack_that_leaves_no_recipe_is_refuted_with_facts_for_which_advice_finds_none(rules: list[Rule]) -> None:
    made = policy(*rules)
    found = proofs(made)
    assert found[ADMISSIBLE].verdict == found[ADVISED].verdict == "refuted"
    for one in (*found[ADMISSIBLE].refutations, *found[ADVISED].refutations):
        assert one.rules and set(one.rules) <= {rule.id for rule in rules}
        assert confirmed(made, one)


def test_what_advice_does_not_write_is_found_though_people_could() -> None:
    """Advice writes 3 epochs where no rule prefers others, and always int8 last."""
    longer = policy(rule("long", ALWAYS, {"limit": {"finetune.epochs": ">= 5"}}))
    (one,) = proofs(longer)[ADVISED].refutations
    assert proofs(longer)[ADMISSIBLE].verdict == "proven" and confirmed(longer, one)
    preferred = policy(*longer.rules, rule("prefer", ALWAYS, {"prefer": {"finetune.epochs": 6}}))
    assert proofs(preferred)[ADVISED].verdict == "proven"
    first = policy(rule("first", ALWAYS, {"require": ["quantization"], "order": [["quantization", "finetune"]]}))
    assert proofs(first)[ADMISSIBLE].verdict == "proven"
    assert confirmed(first, proofs(first)[ADVISED].refutations[0])


def test_what_hangs_on_a_models_sizes_is_said_to_be_undecided() -> None:
    bert = {"model.family": "bert", "model.layers": ">= 6"}
    found = proofs(policy(rule("cut", bert, {"require": ["layer_removal", "distillation"]})))
    assert found[ADMISSIBLE].verdict == "not decided" and "hangs on the model's sizes" in str(
        found[ADMISSIBLE].undecided[0]
    )
    assert found[ADVISED].verdict == "not decided"


def test_labels_that_check_counts_parameters_by() -> None:
    """A head of 1,000 labels is part of a model's parameters, in advice and in check."""
    made = policy(rule("small", {"model.parameters": "> 110000000"}, {"forbid": ["quantization"]}))
    assert proofs(made)[CLAIM].verdict == "proven"


def test_labels_that_check_forgets_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from advisor.review import review

    made = policy(rule("small", {"model.parameters": "> 110000000"}, {"forbid": ["quantization"]}))
    model_of = review.model_of
    monkeypatch.setattr(review.review_document, "__defaults__", (lambda source, base, labels: model_of(source, base),))
    (one, *_) = proofs(made)[CLAIM].refutations
    assert one.rules == ("small",) and "model.parameters" in one.message


TURNING: dict[str, Rule] = {
    "a warning": rule("a", {"data.samples": "> 500"}, {"warn": "too much"}),
    "a refusal": rule("a", {"data.samples": "> 500"}, {"deny": "too much"}),
    "an order": rule("a", {"data.eval_samples": ">= 10"}, {"order": [["quantization", "finetune"]]}),
    "a narrower choice": rule(
        "a", {"data.distillation_texts": "> 9"}, {"allow_only": {"layer_removal.choose": ["top"]}}
    ),
}


@pytest.mark.parametrize("one", TURNING.values(), ids=TURNING)
def test_more_data_that_turns_a_recipe_into_an_error(one: Rule) -> None:
    made = policy(one)
    (found,) = proofs(made)[MORE_DATA].refutations
    assert found.rules == ("a",) and found.situation
    assert any(each.rule.severity == "error" for each in violations(made, found.situation.view))


def test_more_data_that_ends_a_ban_is_no_fault() -> None:
    made = policy(rule("a", {"data.unlabelled_samples": "< 1000"}, {"forbid": ["distillation"]}))
    found = proofs(made)
    assert {claim: proof.verdict for claim, proof in found.items()} == dict.fromkeys(found, "proven")


def test_a_tighter_bound_by_two_looser_ones_is_no_fault() -> None:
    less, more = {"data.samples": "< 500"}, {"data.samples": ">= 500"}
    made = policy(
        rule("a", less, {"limit": {"finetune.epochs": ">= 2"}}),
        rule("b", less, {"limit": {"finetune.epochs": "<= 4"}}),
        rule("c", more, {"limit": {"finetune.epochs": "2..4"}}),
    )
    assert proofs(made)[MORE_DATA].verdict == "proven"


def test_warnings_that_say_the_same_twice() -> None:
    text = {"warn": "little data"}
    made = policy(rule("a", {"data.samples": "< 500"}, text), rule("b", {"not": {"data.samples": ">= 500"}}, text))
    warned = policy(*(one._replace(severity="warning") for one in made.rules))
    assert [one.rules for one in proofs(warned)[REPEATS].refutations] == [("a", "b")]
    narrow = policy(
        rule("a", {"data.samples": "< 100"}, text, "note"), rule("b", {"data.samples": "< 500"}, text, "note")
    )
    assert [one.rules for one in proofs(narrow)[REPEATS].refutations] == [("a",)]


NEVER: dict[str, dict[str, Any]] = {
    "a setting below its bound": {"distillation.epochs": "< 1"},
    "a word that another setting rules out": {"quantization.bits": ">= 16"},
    "no whole number between": {"all": [{"layer_removal.keep": "> 3"}, {"layer_removal.keep": "< 4"}]},
    "a part of a choice": {"any": [{"data.samples": "< 500"}, {"model.family": "gpt2", "model.kind": "encoder"}]},
    "a share and its rest": {"layer_removal.keep_share": "> 0.5", "layer_removal.removed_share": "> 0.5"},
    "a pattern and another": {"all": [{"model.source": "google/*"}, {"not": {"model.source": "g*"}}]},
    "a circle of comparisons": {
        "distillation.epochs": "> finetune.epochs",
        "finetune.epochs": ">= distillation.epochs",
    },
}


@pytest.mark.parametrize("when", NEVER.values(), ids=NEVER)
def test_conditions_that_never_hold(when: dict[str, Any]) -> None:
    found = proofs(policy(rule("a", when, {"forbid": ["quantization"]})))
    assert [one.rules for one in found[APPLIES].refutations] == [("a",)]


@pytest.mark.parametrize("count", [10, 16])
def test_bans_on_many_different_facts(count: int) -> None:
    names = ["data.samples", "data.unlabelled_samples", "data.eval_samples", "data.labels", "data.mean_tokens"]
    names += ["device.memory_gb", "device.compute_capability", "goal.relative_accuracy", "goal.relative_emissions"]
    names += ["goal.size_mb", "goal.latency_ms", "model.layers", "model.hidden_size", "model.heads"]
    names += ["model.vocabulary", "model.parameters"]
    ends = {"model.parameters": "< 50000000", "model.vocabulary": "< 500", "model.hidden_size": "< 100"}
    whens = [{name: ends.get(name, "<= 0.5" if "goal" in name else "< 7")} for name in names[:count]]
    rules = [rule(f"r{place}", when, {"forbid": ["quantization"]}) for place, when in enumerate(whens)]
    found = proofs(policy(*rules))
    assert found[ADMISSIBLE].verdict == found[ADVISED].verdict == found[MORE_DATA].verdict == "proven"
    assert found[REPEATS].verdict == "proven"


def test_a_fact_that_nobody_can_state_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from advisor.recipe.recipe import Hardware

    made = policy(rule("a", {"device.memory_gb": "< 8"}, {"forbid": ["quantization"]}, "warning"))
    assert proofs(made)[KNOWN].verdict == "proven"
    monkeypatch.setattr(Hardware, "facts", lambda self, kind: DeviceFacts(kind))
    (one,) = proofs(made)[KNOWN].refutations
    assert one.rules == ("a",) and "device.memory_gb" in one.message


SHORT = {"limit": {"training.batch_size": "<= 16"}}
BOUND_TRAINING: dict[str, tuple[list[Rule], dict[str, str]]] = {
    "a bound that advice does not keep": ([rule("small", ALWAYS, SHORT)], {ADVISED: "refuted"}),
    "a bound and a preference that keeps it": (
        [rule("small", ALWAYS, SHORT), rule("prefer", ALWAYS, {"prefer": {"training.batch_size": 8}})],
        {},
    ),
    "a preference that breaks a bound": (
        [rule("small", ALWAYS, SHORT), rule("prefer", ALWAYS, {"prefer": {"training.batch_size": 64}})],
        {CONTRADICT: "refuted", ADVISED: "refuted"},
    ),
    "two bounds that leave nothing": (
        [rule("small", ALWAYS, SHORT), rule("large", ALWAYS, {"limit": {"training.batch_size": "> 16"}})],
        {CONTRADICT: "refuted", ADMISSIBLE: "refuted", ADVISED: "refuted"},
    ),
    "a word that is allowed": ([rule("p", ALWAYS, {"allow_only": {"training.precision": ["fp32", "auto"]}})], {}),
    "a condition on what advice always writes": (
        [rule("large", {"training.batch_size": "> 20"}, {"deny": "too much memory"})],
        {ADVISED: "refuted"},
    ),
    "a gate that nobody can set": (
        [rule("all", {"gates.kept_beyond_chance": ">= 0"}, {"limit": {"gates.kept_beyond_chance": ">= 1.5"}})],
        {CONTRADICT: "refuted"},
    ),
    "grams that a rule bounds": ([rule("g", ALWAYS, {"limit": {"gates.grams_per_1000": "<= 0.5"}})], {}),
}


@pytest.mark.parametrize(("rules", "expected"), BOUND_TRAINING.values(), ids=BOUND_TRAINING)
def test_training_and_gates_are_bounded_like_settings_of_steps(rules: list[Rule], expected: dict[str, str]) -> None:
    made = policy(*rules)
    found = proofs(made)
    assert {claim: proof.verdict for claim, proof in found.items() if proof.verdict != "proven"} == expected
    for one in found[ADVISED].refutations:
        assert confirmed(made, one)


S, U, T, E = "data.samples", "data.unlabelled_samples", "data.distillation_texts", "data.eval_samples"
FORBID = {"forbid": ["quantization"]}
COMPARED: dict[str, tuple[list[Rule], dict[str, str]]] = {
    "few texts beside many examples": (
        [rule("a", {U: f"< {S}"}, {"forbid": ["distillation"]})],
        {MORE_DATA: "refuted"},
    ),
    "more report rows than examples": ([rule("a", {E: f">= {S}"}, {"warn": "odd"}, "warning")], {}),
    "a sum is no less than its part": ([rule("a", {T: f"< {S}"}, FORBID)], {APPLIES: "refuted"}),
    "a circle of amounts": (  # where the examples are unknown the rule counts once the texts are as many as the rows
        [rule("a", {"all": [{E: f"> {S}"}, {S: f">= {U}"}, {U: f">= {E}"}]}, FORBID)],
        {APPLIES: "refuted", MORE_DATA: "refuted"},
    ),
    "half of a sum": (
        [rule("a", {"all": [{S: f"<= {U}"}, {U: f"<= {S}"}, {T: 7}]}, FORBID)],  # no whole number is half of 7
        {APPLIES: "refuted"},
    ),
    "fewer examples than classes": ([rule("a", {S: "< data.labels"}, {"deny": "too few"})], {}),
    "more classes than a bound on examples": (
        [rule("a", {"all": [{S: ">= data.labels"}, {S: "< 5"}, {"data.labels": "> 5"}]}, FORBID)],
        {APPLIES: "refuted"},
    ),
    "a batch of more than all examples": (  # a recipe may have smaller batches than advice, but none of unknown data
        [rule("a", {"training.batch_size": f"> {S}"}, {"deny": "too large"})],
        {ADMISSIBLE: "refuted", ADVISED: "refuted"},
    ),
    "a batch of more than all known examples": (
        [rule("a", {"known": S, "training.batch_size": f"> {S}"}, {"deny": "too large"})],
        {ADVISED: "refuted"},
    ),
}


@pytest.mark.parametrize(("rules", "expected"), COMPARED.values(), ids=COMPARED)
def test_amounts_are_compared_exactly(rules: list[Rule], expected: dict[str, str]) -> None:
    found = proofs(policy(*rules))
    verdicts = {claim: proof.verdict for claim, proof in found.items()}
    assert {claim: verdict for claim, verdict in verdicts.items() if verdict != "proven"} == expected
