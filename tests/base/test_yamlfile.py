"""YAML with places: what is read, what is refused, and what the refusal says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.base.errors import AdviseError
from advisor.base.yamlfile import MAX_BYTES, Mark, parse


def refusal(text: str | bytes) -> str:
    with pytest.raises(AdviseError) as caught:
        parse(text, "f.yaml")
    return str(caught.value)


def test_every_value_and_key_has_its_place() -> None:
    document = parse("a: 1\nb:\n  - {c: word}\n", "f.yaml")
    assert document.value == {"a": 1, "b": [{"c": "word"}]}
    assert document.marks[("b", 0, "c")] == Mark(3, 9, 3, 13)
    assert document.keys[("b", 0, "c")] == Mark(3, 6, 3, 7)
    assert document.mark(("b", 0, "missing")) == document.marks[("b", 0)]


@pytest.mark.parametrize(
    ("text", "value"),
    [("no", "no"), ("010", "010"), ("12:30", "12:30"), ("1e6", 1_000_000), ("5.0e-5", 5e-5), ("1_000", 1000),
     ("~", None), ("true", True), ("'1'", "1"), ('"< 10000"', "< 10000"), ("< 10000", "< 10000"), ("0x1F", "0x1F"),
     (".5", 0.5)],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    found = parse(f"a: {text}", "f.yaml").value["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("a: > 10", "f.yaml:1:", 'put the comparison in quotes, ">= 10"'),
        ("a: != 3", "f.yaml:1:4", "the tag != is not supported"),
        ("a: 1\na: 2", "f.yaml:2:1", "'a' appears twice, first in line 1"),
        ("a: &x [1]\nb: *x", "f.yaml:1:4", "anchors and aliases"),
        ("a: !!python/object:os.system x", "f.yaml:1:4", "is not supported"),
        ("[" * 40 + "]" * 40, "f.yaml:1:", "nested deeper than 32 levels"),
        ("a:\n\tb: 1", "f.yaml:2:1", "indent with spaces"),
        ("x: ]", "f.yaml:1:", "not YAML"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1", "a second document"),
        ("? [a]\n: 1", "f.yaml:1:3", "a key must be a plain word"),
        ("a: \x00", "f.yaml", "not YAML"),
        (b"\xff\xfe\x00", "f.yaml", "not UTF-8"),
        ("a: '" + "x" * MAX_BYTES + "'", "f.yaml", "larger than"),
    ],
)
def test_refusals_say_where_and_what_instead(text: str | bytes, place: str, told: str) -> None:
    message = refusal(text)
    assert message.startswith(place)
    assert told in message


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "anchors and aliases" in refusal("\n".join(lines))


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_input_is_read_or_refused(data: bytes | str) -> None:
    try:
        parse(data, "f.yaml")
    except AdviseError as error:
        assert error.faults


@pytest.mark.parametrize("text", ["[" * 900_000, "{a: " * 200_000, "- " * 450_000, "[" * 450_000 + "]" * 450_000])
def test_a_megabyte_of_brackets_is_refused_at_once(text: str) -> None:
    with pytest.raises(AdviseError, match="nested deeper than 32 levels"):
        parse(text, "x.yaml")


def test_the_message_about_a_tag_is_short() -> None:
    with pytest.raises(AdviseError) as caught:
        parse("!" * 100_000, "x.yaml")
    assert len(str(caught.value)) < 300
