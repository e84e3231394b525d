"""Advice as text: reasons stand below each other, and numbers agree with their nouns."""

from __future__ import annotations

import pytest

from advisor.advice.ranges import Range
from advisor.api.recommendation import advise
from advisor.report.advice import explanation, facts_line
from advisor.report.style import breadth, columns


def test_the_lines_of_a_reason_begin_in_one_column() -> None:
    lines = explanation(advise("bert", samples=25_000, device="cpu"), width=80).splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("  + layer_removal"))
    column = lines[first].index("8 layers")
    assert lines[first + 1].startswith(" ") and lines[first + 1].index(lines[first + 1].strip()) == column


@pytest.mark.parametrize(("layers", "words"), [(1, "1 layer"), (2, "2 layers")])
def test_one_layer_and_one_sample_are_singular(layers: int, words: str) -> None:
    advice = advise("bert", samples=layers, device="cpu")
    model = advice.facts.model._replace(encoder_layers=layers)
    line = facts_line(advice._replace(facts=advice.facts._replace(model=model)))
    assert f" · {words} · " in line
    assert f"| {layers:,} {'sample' if layers == 1 else 'samples'} · " in line


@pytest.mark.parametrize(
    ("model", "name"), [("bert", "bert"), ("gemma3_text", "gemma3_text (other-decoder in rules)"), ("clip", "clip")]
)
def test_a_model_is_called_by_its_type_also_where_rules_know_its_kind_alone(model: str, name: str) -> None:
    assert facts_line(advise(model, samples=20_000, device="cpu")).split(" · ")[0] == name


def test_the_policy_says_how_many_rules_find_something() -> None:
    text = explanation(advise("bert", samples=25_000, device="cpu"))
    assert " rules, 2 with findings on a recipe below · sha256 " in text.splitlines()[1]


def test_no_rule_id_is_broken_in_two() -> None:
    advice = advise("bert", samples=25_000, device="cpu")
    ids = {rule for one in advice.verdicts for rule in one.rules}
    for width in range(60, 120):
        text = explanation(advice, width)
        assert not [one for one in ids if one not in text], width


def test_a_range_whose_ends_look_alike_is_one_number() -> None:
    assert (str(Range(0.25, 0.2512)), str(Range(0.25, 0.26))) == ("0.25", "0.25-0.26")


def test_wide_characters_keep_columns_aligned() -> None:
    lines = list(columns([("模型", "a"), ("bert", "b")]))
    assert [breadth(line[: line.rindex(cell)]) for line, cell in zip(lines, ("a", "b"), strict=True)] == [6, 6]


def test_a_reason_names_the_ranges_that_the_table_does_not_show() -> None:
    alike, apart = (advise(model, samples=2_000, device="cpu") for model in ("gpt2", "bert"))
    for advice, words in ((alike, "goal (relative"), (apart, "goal (judged by relative")):
        (row,) = [line for line in explanation(advice).splitlines() if line.startswith(">")]
        (said,) = [one.reason for one in advice.verdicts if one.step == "quantization"]
        shown = said.partition("relative accuracy ")[2].partition(",")[0]
        assert words in said and (shown in row.split()) == (advice is alike)


def test_what_several_reasons_begin_with_is_said_once() -> None:
    text = explanation(advise("t5", samples=3000, device="cpu"), width=1000)
    assert "layer_removal is forbidden: " in text
    assert not [line for line in text.splitlines() if line.count(" is forbidden: ") > 1]


def test_a_warning_is_no_note() -> None:
    advice = advise("bert", samples=25_000, device="cpu")
    lines = explanation(advice._replace(notes=("warning some-rule: so it is", "as it is"))).splitlines()
    assert "warning some-rule: so it is" in lines and "note  as it is" in lines


@pytest.mark.parametrize("model", ["t5", "bart", "bert"])
@pytest.mark.parametrize("width", [70, 80])
def test_no_row_of_the_table_is_wider_than_the_terminal(model: str, width: int) -> None:
    advice = advise(model, samples=25_000, device="cpu")
    lines = explanation(advice, width).splitlines()
    start = next(at for at, line in enumerate(lines) if line.strip().startswith("recipe  "))
    table = lines[start : lines.index("", start)]
    assert len(table) > len(advice.candidates)
    assert [line for line in table if len(line) > width] == []


@pytest.mark.parametrize(("width", "name"), [(60, ["     int8"]), (80, []), (99, [])])
def test_what_is_said_of_a_recipe_stands_below_it_where_there_is_no_room(width: int, name: list[str]) -> None:
    advice = advise("bert", samples=25_000, device="cpu")
    usual, narrow = (explanation(advice, one).splitlines() for one in (100, width))
    (beside,) = [line for line in usual if line.startswith(">")]
    below = narrow[next(at for at, line in enumerate(narrow) if line.startswith(">")) + 1 :]
    assert beside.endswith("  chosen") and below[: len(name) + 1] == [*name, "     chosen"]
