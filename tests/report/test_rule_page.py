"""Rule pages: their examples are real, each broken recipe breaks the rule, and each mended one does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from advisor.policy.pack import core
from advisor.policy.rule import Rule
from advisor.report.rule_examples import shown
from advisor.report.rule_page import page
from advisor.review.review import review_file

POLICY = core()
BLOCK = re.compile(r'```yaml title="recipe.yaml"\n(.*?)```', re.DOTALL)
SILENT = {  # rules that the program ensures, that only steer advice, or that no base checkpoint breaks
    *("baseline-and-gate", "block0-and-index", "cpu-isa", "distil-large-data"),
    *("distil-very-large-data", "distillation-recipe", "encoder-post-ln-drop"),
    *("gpt2-fused-qkv", "head-removal-families", "int8-gpt2-conv1d", "int8-t5-wo", "keep-embeddings"),
    *("measure-report-breakeven", "narrow-models-learn-faster", "no-masks", "opt-follows-bert", "outliers"),
    *("pre-norm-decoder-drop", "roundtrip-proof", "small-data-patience", "whole-heads", "width-by-task-importance"),
}


def findings(folder: Path, text: str) -> list[str]:
    (folder / "recipe.yaml").write_text(text)
    return [one.rule for one in review_file(POLICY, folder / "recipe.yaml").findings]


@pytest.mark.parametrize("rule", POLICY.rules, ids=lambda rule: rule.id)
def test_examples_break_the_rule_and_are_mended(rule: Rule, tmp_path: Path) -> None:
    broken, *mended = BLOCK.findall(page(rule, POLICY)) or [""]
    assert bool(broken) != (rule.id in SILENT)
    if broken:
        assert rule.id in findings(tmp_path, broken)
    for text in mended:
        assert rule.id not in findings(tmp_path, text)


def test_a_fix_is_named_with_the_option_that_makes_it() -> None:
    (last,) = POLICY.rules_of("quantize-last")
    (first,) = POLICY.rules_of("finetune-first")
    safe, unsafe = shown(last, POLICY), shown(first, POLICY)
    assert safe and "check --fix`" in safe.how
    assert unsafe and "check --unsafe-fixes`" in unsafe.how


def test_what_cannot_be_waived_says_so() -> None:
    (fits,) = POLICY.rules_of("plain-checkpoint-only")
    (note,) = POLICY.rules_of("seeds-and-metrics")
    assert "Nobody can waive this rule" in page(fits, POLICY)
    assert "A note never fails a check" in page(note, POLICY)
