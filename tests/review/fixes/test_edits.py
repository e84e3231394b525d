"""Edits: only the touched part changes; comments, order, quotes, layout and line endings survive."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from advisor.base.yamlfile import parse
from advisor.review.findings import Edit
from advisor.review.fixes.edits import edited
from advisor.review.fixes.yaml_layout import NoRoom

BLOCK = """# head
version: 1
data:   {samples: 3000 , 'task': "text-classification"}  # data
steps:  # in order
  # the teacher
  - finetune: {epochs: 3}   # first

  # then smaller
  -   layer_removal:
        # four of twelve
        keep: 4   # few
        choose: 'top'
  - quantization:

# tail
"""
KEEP = ("steps", 1, "layer_removal", "keep")


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (Edit(KEEP, "set", 8), "keep: 4 ", "keep: 8 "),
        (Edit(("steps", 1, "layer_removal", "choose"), "set", "alternate"), "'top'", "'alternate'"),
        (Edit(("data", "task"), "set", "summarization"), '"text-classification"', '"summarization"'),
        (Edit(("steps", 2, "quantization", "bits"), "set", 8), "quantization:", "quantization: {bits: 8}"),
        (
            Edit(("steps", 0, "finetune", "learning_rate"), "set", 5e-5),
            "epochs: 3}",
            "epochs: 3, learning_rate: 5e-05}",
        ),
        (Edit((*KEEP[:3], "bits"), "set", 8), "choose: 'top'\n", "choose: 'top'\n        bits: 8\n"),
        (Edit(("device",), "set", "cpu"), "quantization:\n", "quantization:\ndevice: cpu\n"),
        (Edit(KEEP, "remove"), "        keep: 4   # few\n", "        # few\n"),
        (Edit(("data", "samples"), "remove"), "samples: 3000 , ", ""),
        (Edit(("data", "task"), "remove"), " , 'task': \"text-classification\"", ""),
        (Edit(("steps", 0), "remove"), "  - finetune: {epochs: 3}   # first\n", ""),
        (Edit(("steps", 2), "remove"), "  - quantization:\n", ""),
        (Edit(("steps", 0, "finetune", "epochs"), "remove"), "{epochs: 3}", "{}"),
        (Edit(("steps", 2), "insert", {"a": {"b": 1}}), "'top'\n", "'top'\n  - a: {b: 1}\n"),
        (Edit(("steps", 0), "insert", {"a": {}}), "  # the teacher", "  - a: {}\n  # the teacher"),
        (Edit(("steps", 3), "insert", "a"), "quantization:\n", "quantization:\n  - a\n"),
        (Edit(("data", "task"), "rename", "labels"), "'task'", "'labels'"),
        (Edit(KEEP, "rename", "encoder_keep"), "keep: 4", "encoder_keep: 4"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_nothing_else_changes(edit: Edit, old: str, new: str, newline: str) -> None:
    assert BLOCK.count(old) == 1
    before = BLOCK.replace("\n", newline)
    assert edited(before, [edit]) == BLOCK.replace(old, new).replace("\n", newline)


def test_a_moved_step_takes_the_lines_above_it_along() -> None:
    moved = edited(BLOCK, [Edit(("steps", 2), "move", 0), Edit(("steps", 2), "move", 1)])
    assert [next(iter(step)) for step in parse(moved, "").value["steps"]] == [
        "quantization",
        "layer_removal",
        "finetune",
    ]
    assert "\n  # then smaller\n  -   layer_removal:\n        # four of twelve\n        keep: 4   # few\n" in moved
    assert sorted(moved.splitlines()) == sorted(BLOCK.splitlines())


@pytest.mark.parametrize(
    ("text", "edit", "after"),
    [
        ("a: [1, 2, 3]", Edit(("a", 0), "remove"), "a: [2, 3]"),
        ("a: [1, 2, 3]", Edit(("a", 2), "remove"), "a: [1, 2]"),
        ("a: [1, 2, 3 ,]", Edit(("a", 2), "remove"), "a: [1, 2 ,]"),
        ("a: [1,]", Edit(("a", 0), "remove"), "a: []"),
        ("a: [1, # one\n  2]", Edit(("a", 1), "remove"), "a: [1, # one\n  ]"),
        ("a: [1, # one\n  2]", Edit(("a", 0), "remove"), "a: [ # one\n  2]"),
        ("a: [1, 2, 3]", Edit(("a", 2), "move", 0), "a: [3, 1, 2]"),
        ("a: [{b: 1}, {c: 2}]", Edit(("a", 1), "insert", {"d": {}}), "a: [{b: 1}, {d: {}}, {c: 2}]"),
        ("a: [{b: 1}]", Edit(("a", 1), "insert", {"d": {}}), "a: [{b: 1}, {d: {}}]"),
        ("a: {}", Edit(("a", "b"), "set", 1), "a: {b: 1}"),
        ("a: { }", Edit(("a", "b"), "set", 1), "a: {b: 1 }"),
        ("a: {c: 1,}", Edit(("a", "b"), "set", 1), "a: {c: 1, b: 1,}"),
        ("a:\n- b\n- c", Edit(("a", 0), "move", 1), "a:\n- c\n- b"),
        ("a:\n- b\n- c", Edit(("a", 2), "insert", "d"), "a:\n- b\n- c\n- d"),
        ("a:\n- b\n- c", Edit(("a", 1), "remove"), "a:\n- b\n"),
        ("a:\n- b: 1\n  c: 2\n", Edit(("a", 0, "b"), "remove"), "a:\n- c: 2\n"),
        ("a: {b: }\n", Edit(("a", "b"), "set", 1), "a: {b:  1}\n"),
        ("ü: ☃  # ñ\nb: x", Edit(("b",), "set", "z"), "ü: ☃  # ñ\nb: z"),
    ],
)
def test_small_texts(text: str, edit: Edit, after: str) -> None:
    assert edited(text, [edit]) == after


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("a:\n- b", Edit(("a", 0), "remove")),  # a list without items would become null
        ("a:\n  b: 1", Edit(("a",), "set", 3)),
        ("a: 1", Edit(("b", "c"), "set", 3)),
        ("a: 1", Edit(("a", "b"), "set", 3)),
        ("a: 1", Edit(("a", 0), "remove")),
        ("a: [b: 1, 2]", Edit(("a", 0, "b"), "remove")),
        ("- - 1\n  - 2", Edit((0, 1), "move", 0)),
        ("a: 1\nb: 2", Edit(("a",), "rename", "b")),  # would stand there twice
        ("a: [", Edit(("a",), "set", 1)),
        ("a: 1", Edit((9,), "quote")),
        ("a: b", Edit((1,), "quote")),
    ],
)
def test_what_cannot_be_done_alone_is_refused(text: str, edit: Edit) -> None:
    with pytest.raises(NoRoom):
        edited(text, [edit])


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("goal: {relative_accuracy: >= 0.9}", 'goal: {relative_accuracy: ">= 0.9"}'),
        ("goal: {a: 1, b: > 1e-3, c: 2}  # >= 1", 'goal: {a: 1, b: "> 1e-3", c: 2}  # >= 1'),
        ("  size_mb: <= 100", '  size_mb: "<= 100"'),
        ("  size_mb: != 100\r\n", '  size_mb: "!= 100"\r\n'),
    ],
)
def test_a_bare_comparison_is_put_in_quotes(line: str, after: str) -> None:
    assert edited("x: y\n" + line, [Edit((2,), "quote")]) == "x: y\n" + after


# Any layout of a list of steps: a renderer that chooses styles, comments, indents and line ends.

SETTINGS = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 99), max_size=3)
STEPS = st.lists(SETTINGS, min_size=2, max_size=5)
COMMENTS = st.sampled_from(["", "", "  # about this", " # a: {b: 1}, - c"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    steps = draw(STEPS)
    indent, dash = draw(st.sampled_from(["", "  ", "    "])), draw(st.sampled_from(["- ", "-   "]))
    lines = ["# head", "name: 'x'", f"steps:{draw(COMMENTS)}"]
    if draw(st.booleans()):
        inside = ", ".join(f"{{s{place}: {_braces(settings)}}}" for place, settings in enumerate(steps))
        lines[-1] = f"steps: [{inside}]{draw(COMMENTS)}"
    else:
        for place, settings in enumerate(steps):
            lines += draw(st.sampled_from([[], [], [""], [f"{indent}# above {place}"], ["", "# left"]]))
            if settings and draw(st.booleans()):
                lines.append(f"{indent}{dash}s{place}:{draw(COMMENTS)}")
                pad = indent + " " * (len(dash) + 2)
                lines += [f"{pad}{name}: {value}{draw(COMMENTS)}" for name, value in settings.items()]
            else:
                lines.append(f"{indent}{dash}s{place}: {_braces(settings)}{draw(COMMENTS)}")
    lines += draw(st.sampled_from([[], ["# tail"], ["", "goal: {x: 1}"]]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join(lines) + draw(st.sampled_from(["", newline]))


def _braces(settings: dict[str, int]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in settings.items()) + "}"


@st.composite
def edits(draw: st.DrawFn, value: Any) -> Edit:
    steps = value["steps"]
    place = draw(st.integers(0, len(steps) - 1))
    name, settings = next(iter(steps[place].items()))
    action = draw(st.sampled_from(["set", "remove", "insert", "move", "rename"]))
    known = sorted(settings) or ["a"]
    at = ("steps", place, name, draw(st.sampled_from([*known, "z"])))
    if action == "set":
        return Edit(at, "set", draw(st.integers(0, 999) | st.sampled_from(["word", "two words", ">= 0.9"])))
    if action == "remove":
        return Edit(draw(st.sampled_from([("steps", place), at])), "remove")
    if action == "insert":
        return Edit(("steps", draw(st.integers(0, len(steps)))), "insert", {"new": draw(SETTINGS)})
    if action == "move":
        return Edit(("steps", place), "move", draw(st.integers(0, len(steps) - 1)))
    return Edit(at, "rename", "renamed")


@given(st.data())
def test_in_any_layout_an_edit_changes_what_it_means_and_nothing_else(data: st.DataObject) -> None:
    text = data.draw(texts())
    before = parse(text, "").value
    edit = data.draw(edits(before))
    try:
        after = edited(text, [edit])
    except NoRoom:
        last = edit.action == "remove" and len(edit.path) == 4 and len(_at(before, edit.path[:-1])) == 1
        assume(not last)
        with pytest.raises((LookupError, AssertionError)):  # only what is not there cannot be edited
            assert edit.path[-1] in _at(before, edit.path[:-1])
        return
    removed = edit.action == "remove"
    comments, left = re.findall("#[^\r\n]*", text), re.findall("#[^\r\n]*", after)
    assert sorted(left) == sorted(comments) or (removed and len(left) < len(comments))
    assert ("\r" in after) == ("\r" in text) or "\n" not in text
    assert len(set(re.findall("\r?\n", after))) <= 1
    kept = set(text.splitlines()) & set(after.splitlines())
    touched = max((len(step) for step in before["steps"]), default=1) + 4
    assert len(set(text.splitlines()) - kept) <= touched
    if edit.action in ("set", "rename"):
        assert len(text.splitlines()) <= len(after.splitlines()) <= len(text.splitlines()) + 1


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


@given(st.data())
def test_moving_there_and_back_is_nothing(data: st.DataObject) -> None:
    text = data.draw(texts())
    last = len(parse(text, "").value["steps"]) - 1
    there = edited(text, [Edit(("steps", 0), "move", last)])
    back = edited(there, [Edit(("steps", last), "move", 0)])
    assert back == text
