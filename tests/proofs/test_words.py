"""What proofs and differences say, in words."""

from __future__ import annotations

import pytest
from packs import policy, rule

from advisor.proofs.claims import Refutation
from advisor.proofs.pack_differences import differences


def test_a_refutation_without_a_rule_begins_with_its_message() -> None:
    assert str(Refutation((), "check refuses it", "bert")) == "check refuses it\n  for example: bert"
    assert str(Refutation(("a", "b"), "clash", "bert")).startswith("a, b: clash\n")


@pytest.mark.parametrize(("severity", "words"), [("error", "an error"), ("warning", "a warning"), ("note", "a note")])
def test_articles_fit_severities(severity: str, words: str) -> None:
    warns = rule("r", {"device.kind": "edge"}, {"warn": "not yet"}, severity)
    (new,), (gone,) = differences(policy(), policy(warns)), differences(policy(warns), policy())
    assert (new.kind, new.message) == ("stricter", f"{words} that is new")
    assert (gone.kind, gone.message) == ("looser", f"{words} that is gone")
