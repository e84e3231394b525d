"""Options that commands share, and the types of their values."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

from advisor.base.errors import AdviseError, short
from advisor.cli.command_line import Parser
from advisor.facts.tasks import PROBLEM_TYPES

KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")  # of KEY=VALUE
MOST = 10**12  # of what is counted
ABOVE_0 = 1e-9  # the least of a number that has to be above 0


def parser(prog: str, description: str, epilog: str = "") -> Parser:
    """A parser that takes no abbreviations, so that a script never changes its meaning."""
    formatter = partial(argparse.RawDescriptionHelpFormatter, width=width())
    return Parser(prog=prog, description=description, epilog=epilog, allow_abbrev=False, formatter_class=formatter)


def _number(text: str, *, whole: bool, least: float, most: float = float("inf")) -> float:
    kind = "a whole number" if whole else "a number"
    range_ = f"{kind} above 0" if least == ABOVE_0 else f"{kind} of at least {least:g}"
    range_ += f" and at most {most:g}" if most < float("inf") else ""
    try:
        value = int(text.replace("_", "").replace(",", "")) if whole else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected {range_}, got {text!r}") from None
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"expected {range_}, got {text}")
    return value


def count(text: str) -> int:
    """A whole number of at least 1."""
    return _counted(text, 1)


def count_or_none(text: str) -> int:
    """A whole number of at least 0."""
    return _counted(text, 0)


def _counted(text: str, least: int) -> int:
    """A count, also as recipes take it: 10k, 1.5M."""
    if text[-1:].isalpha():
        from advisor.base.constraints import amount  # takes its time to import

        text = str(amount(text))
    value = int(_number(text, whole=True, least=least))
    if value > MOST:
        raise argparse.ArgumentTypeError(f"expected a whole number of at most {MOST:,}, got {short(text)}")
    return value


def share(text: str) -> float:
    """A share of the baseline, up to 1."""
    return _number(text, whole=False, least=0.01, most=1)


def positive(text: str) -> float:
    """A number above 0."""
    return _number(text, whole=False, least=ABOVE_0, most=1e12)


def features(text: str) -> frozenset[str]:
    """Instruction sets of a CPU, between commas; `none` for none of them."""
    from advisor.facts.facts import INSTRUCTION_SETS

    names = frozenset(text.replace(" ", "").split(",")) - {"none", ""}
    if wrong := sorted(names - set(INSTRUCTION_SETS)):
        known = ", ".join((*INSTRUCTION_SETS, "none"))
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(wrong)}; write some of {known}, between commas")
    return names


def key_value(text: str) -> tuple[str, str | int | float | bool]:
    """A key and its value, as in owner=ada; numbers, true and false are what they look like."""
    key, sign, value = text.partition("=")
    if not key or not sign or not value:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, as in owner=ada, got {text!r}")
    if not KEY.fullmatch(key):
        expected = "a key begins with a letter from a to z, then has such letters, digits, _ . and -, as in owner=ada"
        raise argparse.ArgumentTypeError(f"{expected}, got {key!r}")
    if value in ("true", "false"):
        return key, value == "true"
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        if isinstance(number, float) and not isfinite(number):
            raise argparse.ArgumentTypeError(f"{key}: expected a number that is finite, or a text, got {value!r}")
        return key, number
    return key, value


def by_key(pairs: Sequence[tuple[str, Any]], option: str) -> dict[str, Any]:
    """What an option that takes KEY=VALUE was given, by key.

    Raises:
        AdviseError: every key that was given twice, as nobody knows which value is meant.
    """
    keys = [key for key, _ in pairs]
    if twice := [key for key in dict.fromkeys(keys) if keys.count(key) > 1]:
        raise AdviseError(*(f"{option} {key}: given {keys.count(key)} times" for key in twice), hint="give it once")
    return dict(pairs)


def seconds(text: str) -> float:
    """A span of time in seconds, 0 allowed."""
    return _number(text, whole=False, least=0, most=1e9)


def seeds(text: str) -> int:
    """How many seeds of one recipe."""
    from advisor.records.training_settings import MOST_SEEDS

    return int(_number(text, whole=True, least=1, most=MOST_SEEDS))


def pue(text: str) -> float:
    """A power usage effectiveness: what a data centre takes for each unit that its machines take."""
    return _number(text, whole=False, least=1, most=10)


def policy(parser: argparse.ArgumentParser) -> None:
    """The option that chooses the policy."""
    parser.add_argument(
        "--policy", default="core", metavar="PACK", help="a shipped rule pack, or the folder of one (default: core)"
    )


def waivers(parser: argparse.ArgumentParser) -> None:
    """Options that say which waivers count."""
    parser.add_argument("--no-inline", action="store_true", help="waivers inside recipes do not count")
    parser.add_argument(
        "--waivers",
        type=Path,
        metavar="FILE",
        help="this file instead of every waivers.yaml beside and above the recipes, up to the repository's root",
    )
    parser.add_argument(
        "--waiver-days",
        type=count,
        default=180,
        metavar="N",
        help="a waiver may end at most N days from today (default: 180)",
    )


# What `data_columns` gives, each named as in a recipe's data.
DATA_OPTIONS = (
    *("text", "pair", "label", "header", "max_samples", "max_eval_samples", "max_unlabelled"),
    *("source_lang", "target_lang"),
)


def problem_type(parser: argparse.ArgumentParser) -> None:
    """The option that says what the labels of texts are."""
    parser.add_argument(
        "--problem-type",
        choices=tuple(PROBLEM_TYPES),
        metavar="KIND",
        help=f"what the labels of text-classification are: {', '.join(PROBLEM_TYPES)} (default: what they look like)",
    )


def data_columns(parser: argparse.ArgumentParser) -> None:
    """Options that name the columns of a data set and its languages, and limit its rows."""
    parser.add_argument("--text", metavar="COLUMN", help="the column with the text")
    parser.add_argument("--pair", metavar="COLUMN", help="the column with the second text of a pair")
    parser.add_argument("--label", metavar="COLUMN", help="the column with the class")
    parser.add_argument("--no-header", action="store_const", const=False, dest="header", help="the file has no header")
    parser.add_argument("--max-samples", type=count, metavar="N", help="use at most N training rows")
    parser.add_argument("--max-eval-samples", type=count, metavar="N", help="use at most N rows for the report")
    parser.add_argument("--max-unlabelled", type=count_or_none, metavar="N", help="use at most N texts without labels")
    parser.add_argument("--source-lang", metavar="CODE", help="language that is read or heard, by the tokenizer's code")
    parser.add_argument("--target-lang", metavar="CODE", help="language that is written, by the tokenizer's code")


def carbon(parser: argparse.ArgumentParser) -> None:
    """Options that turn energy into CO2e."""
    parser.add_argument("--country", metavar="ISO", help="country of the grid (default: FRA; shares do not change)")
    parser.add_argument("--pue", type=pue, default=1.0, metavar="X", help="power usage effectiveness (default: 1)")
    parser.add_argument("--embodied-kg", type=positive, metavar="KG", help="CO2e of making the machine, for SCI")
    parser.add_argument("--lifetime-years", type=positive, metavar="Y", help="how long the machine will serve")


def measuring(parser: argparse.ArgumentParser) -> None:
    """Options that say how serving is measured."""
    parser.add_argument(
        "--measure-seconds",
        type=positive,
        metavar="S",
        help="how long each model answers while time and energy are measured (default: 10)",
    )
    parser.add_argument(
        "--power-log",
        type=Path,
        metavar="FILE",
        help="CSV of an external power meter that runs meanwhile: columns time and watts",
    )
    parser.add_argument(
        "--protocol",
        choices=("aienergyscore",),
        default="",
        help="measure 1,000 rows one by one in ten runs: compatible with AI Energy Score, no official score",
    )


def requests(parser: argparse.ArgumentParser) -> None:
    """The option that says how many requests the model will answer."""
    parser.add_argument(
        "--requests", type=count, metavar="N", help="weigh making the model against what N requests save"
    )


def width() -> int:
    """Columns of the terminal that the talk goes to, at most 120; 100 where there is none."""
    try:  # shutil knows this too, but importing it takes 4 ms of start-up
        return min(120, os.get_terminal_size(sys.stderr.fileno()).columns)
    except (OSError, ValueError, AttributeError):
        return 100


def colour(stream: Any) -> bool:
    """Colour only on a terminal, and not where NO_COLOR is set."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")


def give(product: str, file: Path | None, out: TextIO | None = None) -> None:
    """Write the product to stdout, to another stream, or into a file, whole or not at all."""
    if file is None:
        (out or sys.stdout).write(product)
        return
    from advisor.base.files import deliver

    deliver(file, product)
