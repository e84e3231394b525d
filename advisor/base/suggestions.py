"""Remedies: what to write instead of what is there. Pure functions of a few words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.base.errors import LONGEST, suggest

_QUOTED = re.compile(r"""^(["'])(?P<number>[-+]?[\d_.]+(?:[eE][-+]?\d+)?)\1$""")
_THOUSANDS = re.compile(r"^\d{1,3}([.,]\d{3})+$")
_DECIMAL_COMMA = re.compile(r"^[-+]?\d+,\d+$")
_PERCENT = re.compile(r"^(\d+(?:\.\d+)?) ?%$")
_WITH_UNIT = re.compile(
    r"^(?:[~<>=≤≥]+ ?|[a-zA-Z]{2,} ?)?(?P<number>\d+(?:[._]\d+)*[kMB]?)(?: ?[a-zA-Z]{2,}| [a-zA-Z]+)?$"
)
_IN_WORDS = re.compile(r"^(?P<number>\d[\d_]*(?:\.\d+)?)[ -]?(?P<word>[a-zA-Z]+)$")
_MULTIPLES = {"dozen": 12, "hundred": 100, "thousand": 1e3, "lakh": 1e5, "million": 1e6, "mio": 1e6, "crore": 1e7,
              "billion": 1e9, "percent": 0.01}  # fmt: skip
_EXAMPLE = {"int": "a whole number, as in 3", "float": "a number, as in 0.1 or 5.0e-5"}

_SYNTAX = (  # what the parser says -> what to do
    ("unknown escape", "in double quotes a backslash has a meaning of its own: put the text in single quotes"),
    ("mapping values", "a colon before a space or a line's end makes a key: put the text in quotes, or drop the colon"),
    ("unexpected ':'", "put a space after the colon, or quotes around the text"),
    ("expected ',' or", "a comma is missing before this place; YAML's comments begin with #"),
    ("cannot start any token", "put the text in quotes: it starts with a sign that has a meaning in YAML"),
)

_NO_BREAK_SPACE = re.compile("(^|[:,-])\u00a0")  # where YAML needs a plain one


def begun_there(problem: str, context: str, rest: str) -> bool:
    """Is the mistake where the parser began to read something, not where it gave up? rest: the text from there."""
    if "flow" in context:  # brackets: never closed, or something wrong between them
        return sum(map(rest.count, "{[")) > sum(map(rest.count, "}]"))
    return ("quoted scalar" in context and "end of stream" in problem) or "ed ':'" in problem


def of_syntax(problem: str, context: str, text: str, line: int) -> str:
    """What to do about text that is not YAML. line: of the mistake, from 1."""
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    around = " ".join(lines[max(0, line - 2) : line])
    if re.search(r":\s*[>!]=?\s*[\d.=]", around):
        return "'>' and '!' have a meaning of their own in YAML: put the comparison in quotes, \">= 10\""
    if "\t" in around:
        return "indent with spaces, not with tabs"
    if _NO_BREAK_SPACE.search(here):
        return "a no-break space stands in this line: write a plain one"
    if "flow" in context and "，" in here:
        return "the comma is a full-width one: write `,` and a space"
    if here.startswith("```"):
        return "give the recipe alone, without the ``` lines around it"
    if "find expected ':'" in problem:
        return _without_colon(here)
    if "quoted scalar" in context and "end of stream" in problem:
        return "the closing quote is missing"
    if "flow" in context and here.count("{") + here.count("[") > here.count("}") + here.count("]"):
        return f"the closing {'}' if 'mapping' in context else ']'} is missing"
    general = "check the indentation, the colons and the brackets near this place"
    return next((remedy for said, remedy in _SYNTAX if said in problem), general)


def _without_colon(line: str) -> str:
    if "：" in line:
        return "the colon is a full-width one: write `:` and a space"
    return "put a space after the colon" if ":" in line else "write `key: value`"


def of_key(key: str) -> str:
    """What is wrong with a key that swallowed its value; empty where nothing is."""
    if ":" in key or "：" in key:
        return "put a space after the colon"
    return "write thousands without a comma, as in 25_000" if re.fullmatch(r"\d{3}", key) else ""


def of_value(kind: str, got: object, written: str, name: str, options: Sequence[str]) -> str:
    """What to write instead of a value of the wrong type.

    Args:
        kind: the error as pydantic names it.
        written: the value as the file writes it, with its quotes.
        options: the words that would be right, if there are only so many.
    """
    if options:
        return _of_options(got, written, name, options)
    if kind.startswith(("int", "float")):
        return _of_number(written or str(got), "int" if kind.startswith("int") else "float")
    if kind == "less_than_equal" and isinstance(got, int | float) and 1 < got <= 100 and _is_share(name):
        return f"a share: {got / 100:g}"
    if kind == "string_type" and isinstance(got, str | int | float | bool) and len(written) <= LONGEST:
        return f'put it in quotes: "{written}"'
    return ""


def _is_share(name: str) -> bool:
    return name.endswith(("weight", "accuracy", "share"))


def _of_options(got: object, written: str, name: str, options: Sequence[str]) -> str:
    if isinstance(got, dict) and len(got) == 1 and next(iter(got.values())) in options:
        return f"write the word alone, `{name}: {next(iter(got.values()))}`"
    if written[:1] in "'\"" and str(got) in options:
        return f"write it without quotes: {got}"
    if len(options) == 1 and options[0].isdigit():
        alone = re.findall(r"\d+", written) == list(options) and not re.search("[%<>=.,]", written)  # 1 % is no 1
        return f"the number alone: {options[0]}" if alone else f"write `{name}: {options[0]}`"
    return suggest(got if isinstance(got, str) else written, options)


def _of_number(written: str, kind: str) -> str:
    if match := _QUOTED.match(written):
        return f"write it without quotes: {match['number']}"
    text = written.strip("'\"")
    if re.fullmatch(r"[-+]?0[\d_]+", text):
        return f"write it without the leading zero: {int(text.replace('_', ''))}"
    if _THOUSANDS.match(text) and kind == "int":
        if match := re.fullmatch(r"([1-9]\d{0,2})\.000", text):
            return f"write {match[1]}; or {match[1]}_000, if thousands are meant"
        return f"write thousands with an underscore or not at all: {re.sub('[.,]', '_', text)}"
    if _DECIMAL_COMMA.match(text):
        return f"write it with a point: {text.replace(',', '.')}"
    if (match := _PERCENT.match(text)) and kind == "float":
        return f"write it as a share: {float(match[1]) / 100:g}"
    if (match := _IN_WORDS.match(text)) and match["word"].lower() in _MULTIPLES:
        value = float(match["number"].replace("_", "")) * _MULTIPLES[match["word"].lower()]
        return f"write it in digits: {value:_.0f}" if value >= 1 and value.is_integer() else _EXAMPLE[kind]
    if (match := _WITH_UNIT.match(text)) and match["number"] != text:
        return f"write the number alone: {match['number']}"
    return _EXAMPLE[kind]
