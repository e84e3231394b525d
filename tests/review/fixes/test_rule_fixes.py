"""Fixes: each mends its finding, touches nothing else, and is safe only where the recipe can mean nothing else."""

from __future__ import annotations

import re
import time
from datetime import date
from pathlib import Path

import pytest
from faulty_cases import Case, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.base.errors import AdviseError
from advisor.base.interval import Interval
from advisor.base.yamlfile import parse
from advisor.policy.pack import core
from advisor.recipe.reader import loads
from advisor.review.batch import check
from advisor.review.findings import Edit, Finding, Fix, Place
from advisor.review.fixes.apply import diff, fixable, mend
from advisor.review.fixes.edits import edited
from advisor.review.fixes.rule_fixes import nearest
from advisor.review.recipe_files import Source
from advisor.review.review import review_document
from advisor.review.waivers.apply import Waiving

HEAD = """version: 1
name: x
model: {source: SOURCE}
data: {samples: SAMPLES}
device: DEVICE
goal: {relative_accuracy: ">= 0.85"}
steps:
"""
FINETUNE = "  - finetune: {}\n"
LAYERS = "  - layer_removal: {keep: 8}  # less\n"
DISTIL = "  - distillation: {}\n"
MATRIX = "  - matrix_pruning: {hidden_size: 448, intermediate_size: 1792}\n"
INT8 = "  - quantization:\n"


def recipe(steps: str, source: str = "bert", samples: int = 50_000, device: str = "cpu") -> str:
    return HEAD.replace("SOURCE", source).replace("SAMPLES", str(samples)).replace("DEVICE", device) + steps


def found(text: str) -> tuple[Finding, ...]:
    made, document = loads(text, "r.yaml")
    return review_document(core(), made, document, Path()).findings


def fix(text: str, rule: str) -> Fix | None:
    """The fix of the first finding of a rule."""
    return next(one.fix for one in found(text) if one.rule == rule)


@pytest.mark.parametrize(
    ("steps", "facts", "rule", "words", "after"),
    [
        (FINETUNE + INT8, {"device": "cuda"}, "quantize-cpu-only", "drop quantization", FINETUNE),
        (
            FINETUNE + LAYERS,
            {},
            "distill-after-structure",
            "add distillation",
            FINETUNE + LAYERS + "  - distillation: {temperature: 2.0, epochs: 5}\n",
        ),
        (DISTIL, {}, "finetune-first", "add finetune before distillation", FINETUNE + DISTIL),
        (
            FINETUNE + LAYERS.replace("8", "4") + DISTIL,
            {"samples": 3000},
            "small-data-few-layers",
            "set keep to 8",
            FINETUNE + LAYERS + DISTIL,
        ),
        (
            FINETUNE + INT8.replace(":", ": {min_relative_accuracy: 0.9}"),
            {},
            "int8-gate",
            "set min_relative_accuracy to 0.99",
            FINETUNE + INT8.replace(":", ": {min_relative_accuracy: 0.99}"),
        ),
        (
            FINETUNE + DISTIL + MATRIX.replace("}", ", increments: 2}"),
            {},
            "gradual-width",
            "set increments to 4",
            FINETUNE + DISTIL + MATRIX.replace("}", ", increments: 4}"),
        ),
        (
            FINETUNE + MATRIX + LAYERS + DISTIL,
            {},
            "layers-before-matrix",
            "put the steps in the order finetune, layer_removal, distillation, matrix_pruning",
            FINETUNE + LAYERS + DISTIL + MATRIX,
        ),
    ],
)
def test_a_fix_that_changes_what_the_recipe_does(steps: str, facts: dict, rule: str, words: str, after: str) -> None:
    text = recipe(steps, **facts)
    made = fix(text, rule)
    assert made is not None
    assert (made.words, made.safe) == (words, False)
    assert mend(text, found) == (text, ())  # safe fixes leave it alone
    assert mend(text, lambda new: [one for one in found(new) if one.rule == rule], True).text == recipe(after, **facts)


def test_int8_comes_last_because_it_can_mean_nothing_else() -> None:
    text = recipe("  # small\n" + INT8 + FINETUNE + LAYERS + DISTIL)
    mended = mend(text, found)
    assert mended.text == recipe(FINETUNE + LAYERS + DISTIL + "  # small\n" + INT8)
    assert [one.words for one in mended.fixes] == ["move quantization to the end"]


@pytest.mark.parametrize(
    ("wrong", "right", "source", "safe"),
    [
        ("layer_removal: {encoder_keep: 8}", "layer_removal: {keep: 8}", "bert", True),
        ("layer_removal: {decoder_keep: 8}", "layer_removal: {keep: 8}", "bert", False),
        ("layer_removal: {keep: 8}", "layer_removal: {encoder_keep: 8, decoder_keep: 8}", "t5", False),
        ("matrix_pruning: {heads: 6, hidden_size: 448}", "matrix_pruning: {hidden_size: 448}", "bert", False),
        ("matrix_pruning: {hidden_size: 450}", "matrix_pruning: {hidden_size: 448}", "bert", False),
        ("matrix_pruning: {hidden_size: 760}", "matrix_pruning: {hidden_size: 704}", "bert", False),  # 768 is no cut
        ("matrix_pruning: {hidden_size: 3}", "matrix_pruning: {hidden_size: 64}", "bert", False),
    ],
)
def test_what_the_config_cannot_take(wrong: str, right: str, source: str, safe: bool) -> None:
    text = recipe(f"{FINETUNE}{DISTIL}  - {wrong}  # less\n", source)

    def misfits(new: str) -> list[Finding]:
        return [one for one in found(new) if one.rule == "plain-checkpoint-only"]

    assert mend(text, misfits, unsafe=True).text == text.replace(wrong, right)
    assert mend(text, misfits).text == (text.replace(wrong, right) if safe else text)


@pytest.mark.parametrize(
    ("steps", "facts", "rule"),
    [
        (INT8, {"device": "cuda"}, "quantize-cpu-only"),  # nothing would be left
        (FINETUNE + LAYERS.replace("8", "13") + DISTIL, {}, "plain-checkpoint-only"),
        (FINETUNE + DISTIL + MATRIX.replace("448", "1024"), {}, "plain-checkpoint-only"),
        (FINETUNE + DISTIL, {"samples": 3000}, "distillation-data"),  # a warning, more data is the way
    ],
)
def test_where_a_person_has_to_choose_there_is_no_fix(steps: str, facts: dict, rule: str) -> None:
    made = fix(recipe(steps, **facts), rule)
    assert made is None or not made.edits


def test_the_comment_of_a_line_that_goes_stays() -> None:
    block = "matrix_pruning:\n      hidden_size: 448\n      heads: 6  # half of them\n      increments: 8"
    text = recipe(f"{FINETUNE}{DISTIL}  - {block}\n")
    mended = mend(text, lambda new: [one for one in found(new) if one.rule == "plain-checkpoint-only"], unsafe=True)
    assert mended.text == text.replace("heads: 6  # half of them", "# half of them")


def test_many_increments_are_judged_and_mended_in_no_time() -> None:
    text = recipe("  - matrix_pruning: {hidden_size: 64, intermediate_size: 256, increments: 1000}\n")
    start = time.perf_counter()
    assert fix(text, "gradual-width") is None  # the last heads go in one step however many there are
    assert time.perf_counter() - start < 5


def test_what_rests_on_an_unknown_fact_is_not_fixed_by_changing_the_recipe() -> None:
    text = recipe(FINETUNE + LAYERS.replace("keep: 8", "encoder_keep: 8, decoder_keep: 8") + DISTIL, "t5")
    assert fix(text.replace("data: {samples: 50000}\n", ""), "t5-small-data-no-prune") is None


def test_what_is_waived_or_known_is_left_alone() -> None:
    made = Fix("x", True, (Edit(("a",), "set", 1),))
    one = Finding("r", "error", "", "", Place("f"), fix=made)
    assert fixable([one]) == [made]
    assert fixable([Finding("r", "error", "", "", Place("f"), fix=made, known=True)]) == []
    assert fixable([Finding("r", "error", "", "", Place("f"), fix=Fix("x", True))]) == []


def test_a_step_that_only_a_forbidden_one_needs_is_not_added() -> None:
    text = recipe(FINETUNE + "  - layer_removal: {encoder_keep: 8, decoder_keep: 8}\n", "t5", 3_000)
    mended = mend(text, found, unsafe=True)
    assert [fix.words for fix in mended.fixes] == ["drop layer_removal"]
    assert mended.text == recipe(FINETUNE, "t5", 3_000)


def test_fixes_that_undo_each_other_come_to_an_end() -> None:
    def other(text: str) -> list[Finding]:
        value = 1 - parse(text, "").value["a"]
        return [Finding("r", "error", "", "", Place("f"), fix=Fix("x", True, (Edit(("a",), "set", value),)))]

    assert mend("a: 0\n", other) == ("a: 1\n", (Fix("x", True, (Edit(("a",), "set", 1),)),))


@pytest.mark.parametrize(
    ("interval", "value", "kind", "end"),
    [
        ("<= 0.3", 0.4, float, 0.3),
        (">= 4", 2, int, 4),
        ("> 4", 2, int, 5),
        ("< 4", 9, int, 3),
        ("<= 4.5", 9, int, 4),
        ("2..5", 9, int, 5),
        ("2..5", 1, int, 2),
        ("> 4", 2.0, float, None),  # there is no nearest number above 4
        (">= 4", None, int, None),
    ],
)
def test_the_nearest_end(interval: str, value: object, kind: type, end: float | None) -> None:
    assert nearest(Interval.parse(interval), value, kind) == end


@given(st.integers(-50, 50), st.integers(0, 50), st.integers(-200, 200))
def test_the_nearest_end_lies_inside(low: int, width: int, value: int) -> None:
    interval = Interval.parse(f"{low}..{low + width}")
    if not interval.holds(value):
        end = nearest(interval, value, int)
        assert end is not None
        assert interval.holds(end)
        assert abs(end - value) == min(abs(one - value) for one in (low, low + width))


def test_a_diff_is_one_that_patch_reads() -> None:
    assert diff("a: 1\r\nb: 2", "a: 1\r\nb: 3", "r.yaml") == (
        "--- a/r.yaml\n+++ b/r.yaml\n@@ -1,2 +1,2 @@\n a: 1\r\n"
        "-b: 2\n\\ No newline at end of file\n+b: 3\n\\ No newline at end of file\n"
    )
    assert diff("a: 1\n", "a: 1\n", "r.yaml") == ""


# Recipes of any order, size and layout.

SETTINGS = {
    "finetune": ["", "epochs: 2"],
    "layer_removal": ["keep: 8", "keep: 4", "keep: 11, choose: top", "keep: 2"],
    "distillation": ["", "epochs: 3, temperature: 4.0"],
    "matrix_pruning": [
        "hidden_size: 448, intermediate_size: 1792",
        "intermediate_size: 1024, increments: 1",
        "hidden_size: 384, increments: 3",
    ],
    "quantization": ["", "min_relative_accuracy: 0.5"],
}


@st.composite
def recipes(draw: st.DrawFn) -> str:
    lines = [f"# a recipe{draw(st.sampled_from(['', ' # or two']))}"]
    samples, device = draw(st.sampled_from([500, 12_000, 60_000])), draw(st.sampled_from(["cpu", "cuda"]))
    source = draw(st.sampled_from(["bert", "gpt2"]))
    lines += recipe("", source, samples, device).splitlines()
    for place, name in enumerate(draw(st.permutations(list(SETTINGS)))[: draw(st.integers(1, 5))]):
        inside = draw(st.sampled_from(SETTINGS[name]))
        lines += draw(st.sampled_from([[], ["", f"  # above {place}"], [f"# left {place}"]]))
        comment = draw(st.sampled_from(["", f"   # behind {place}"]))
        if inside and draw(st.booleans()):
            lines += [f"  - {name}:{comment}", *(f"      {one}" for one in inside.split(", "))]
        else:
            lines.append(f"  - {name}: {{{inside}}}{comment}")
    lines += draw(st.sampled_from([[], ["# tail"], ["training: {seed: 3}"]]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join(lines) + draw(st.sampled_from(["", newline]))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(recipes(), st.booleans())
def test_a_mended_recipe_loads_has_nothing_left_to_fix_and_keeps_all_that_was_not_touched(
    text: str, unsafe: bool
) -> None:
    mended = mend(text, found, unsafe)
    assert fixable(found(mended.text), unsafe) == []
    assert mend(mended.text, found, unsafe) == (mended.text, ())
    assert (mended.text == text) == (mended.fixes == ())
    dropped = {one.words.removeprefix("drop ") for one in mended.fixes if one.words.startswith("drop ")}
    before, after = loads(text)[0], loads(mended.text)[0]
    assert set(before.step_names) - dropped <= set(after.step_names)
    assert {name: getattr(after, name) for name in ("model", "data", "device", "goal", "training")} == {
        name: getattr(before, name) for name in ("model", "data", "device", "goal", "training")
    }
    comments = re.findall("#[^\r\n]*", text)
    lost = set(comments) - set(re.findall("#[^\r\n]*", mended.text))
    assert all(one.startswith("# behind") for one in lost)
    assert len(lost) <= len(dropped)
    assert len(set(re.findall("\r?\n", mended.text))) <= 1
    if not unsafe:
        assert sorted(mended.text.split()) == sorted(text.split())


def test_a_recipe_that_advice_would_not_give_can_be_mended_to_one_without_errors() -> None:
    text = recipe(INT8 + MATRIX + LAYERS.replace("8", "4"), samples=3000)
    after = found(mend(text, found, True).text)
    assert not [one for one in after if one.severity == "error"]


def test_a_text_that_is_no_recipe_any_more_is_an_error_of_the_caller() -> None:
    with pytest.raises(AdviseError):
        mend("a: [", found)


@pytest.mark.parametrize("case", list(read()), ids=lambda case: case.name)
def test_every_fix_of_the_faulty_recipes_mends_its_finding(case: Case) -> None:
    try:
        text = case.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return

    def told(new: str) -> list[Finding]:
        source = Source("a.yaml", new.encode())
        return list(check(core(), [source], Waiving(date(2026, 11, 24), unused=False)).findings)

    def key(one: Finding) -> tuple[object, ...]:
        return (one.rule, *(part for part in one.path if isinstance(part, str)), "" if one.path else one.message)

    before = told(text)
    for one in before:
        if one.fix and one.fix.edits:
            after = [key(other) for other in told(edited(text, one.fix.edits))]
            assert after.count(key(one)) < [key(other) for other in before].count(key(one))
    assert fixable(told(mend(text, told, True).text), True) == []
