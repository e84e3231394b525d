"""`advise rules list|test|verify|diff|new|docs`: work on rule packs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from advisor.base.errors import AdviseError, Fault, suggest
from advisor.cli.command_line import Parser
from advisor.cli.options import parser, share

if TYPE_CHECKING:
    from advisor.policy.pack import Policy

ABOUT = {
    "list": "the rules of a pack",
    "test": "run every rule's examples and the boundary cases, and report what they cover",
    "verify": "prove that a pack is consistent, over all facts and all recipes",
    "diff": "where one pack is stricter or looser than another",
    "new": "write a new rule file to fill in",
    "docs": "write a page for each rule, and an index",
}


def run(arguments: Sequence[str]) -> int:
    """Exit codes: 0 as it should be, 1 a difference or a failing test, 2 wrong use, 3 the pack is at fault."""
    verb, *rest = arguments or [""]
    if verb in VERBS:
        return VERBS[verb](rest)
    if verb in ("-h", "--help"):
        sys.stdout.write("".join(f"advise rules {name:7} {about}\n" for name, about in ABOUT.items()))
        return 0
    if not verb:
        raise AdviseError("advise rules: a sub-command is missing", hint=f"one of {', '.join(ABOUT)}")
    raise AdviseError(f"unknown: advise rules {verb}", hint=suggest(verb, ABOUT))


def _parser(verb: str, pack: str = "?") -> Parser:
    """A parser for a verb. pack: how many packs it takes, as argparse counts; empty for none."""
    made = parser(f"advise rules {verb}", f"{ABOUT[verb][0].upper()}{ABOUT[verb][1:]}.")
    if pack:
        about = "a shipped pack, a folder of one, or a file in it"
        made.add_argument("pack", nargs=pack, default="core" if pack == "?" else ["core"], metavar="PACK", help=about)
    return made


def _packs(names: Sequence[str]) -> list[Policy]:
    """The packs that names, folders and files of packs stand for, each once.

    Raises:
        AdviseError: a file belongs to no pack.
        PolicyError: a pack is invalid.
    """
    from advisor.policy.pack import find
    from advisor.policy.shipped import MANIFEST

    def place(name: str) -> str:
        if not Path(name).is_file():
            return name
        above = [folder for folder in Path(name).resolve().parents if (folder / MANIFEST).is_file()]
        if not above:
            raise AdviseError(Fault(f"belongs to no rule pack: no {MANIFEST} in a folder above", name))
        return str(above[0])

    return [find(name) for name in dict.fromkeys(map(place, names))]


def _list(arguments: Sequence[str]) -> int:
    from advisor.policy.pack import find
    from advisor.report import rules

    made = _parser("list")
    made.add_argument("--format", choices=("text", "json"), default="text")
    options = made.parse_args(arguments)
    policy = find(options.pack)
    sys.stdout.write(rules.listed_json(policy) if options.format == "json" else rules.listed(policy))
    return 0


def _test(arguments: Sequence[str]) -> int:
    from advisor.proofs.coverage import cover
    from advisor.report import rules

    made = _parser("test", "*")
    made.add_argument(
        "--min-coverage", type=share, default=0.9, metavar="SHARE", help="least share that is covered (default: 0.9)"
    )
    options = made.parse_args(arguments)
    written = [rule for pack in _packs(options.pack) for rule in pack.rules if Path(rule.file).is_file()]
    covered = [cover(rule) for rule in written]  # rules that a manifest's meta makes are not written by anybody
    sys.stdout.write(rules.tested(covered, options.min_coverage))
    return int(any(one.wrong or one.share < options.min_coverage for one in covered))


def _verify(arguments: Sequence[str]) -> int:
    from advisor.proofs.advice_passes_check import prove
    from advisor.report import rules
    from advisor.report.style import plural

    start, refuted = perf_counter(), 0
    packs = _packs(_parser("verify", "*").parse_args(arguments).pack)
    for proof in (proof for pack in packs for proof in prove(pack)):
        refuted += len(proof.refutations)
        sys.stdout.write(rules.proven(proof))
    counted = ", ".join(f"{plural(len(pack.rules), 'rule')} of {pack.stamp.name}" for pack in packs)
    sys.stderr.write(f"{counted} in {perf_counter() - start:.2f} s\n")
    return 3 if refuted else 0


def _diff(arguments: Sequence[str]) -> int:
    from advisor.policy.pack import find
    from advisor.proofs.pack_differences import differences
    from advisor.report import rules

    made = _parser("diff", "")
    made.add_argument("old", metavar="A")
    made.add_argument("new", metavar="B")
    options = made.parse_args(arguments)
    found = list(differences(find(options.old), find(options.new)))
    sys.stdout.write(rules.differing(found))
    return int(bool(found))


def _new(arguments: Sequence[str]) -> int:
    from advisor.policy.scaffold import scaffold

    made = _parser("new", "")
    made.add_argument("id", metavar="ID", help="lower-case words with hyphens, as in edge-needs-int8")
    made.add_argument(
        "--pack", type=Path, default=Path("rules"), metavar="DIR", help="the folder of the pack (default: rules)"
    )
    options = made.parse_args(arguments)
    for file in scaffold(options.id, options.pack):
        sys.stdout.write(f"{file}\n")
    sys.stderr.write(f"fill it in, then run: advise rules test {options.pack}\n")
    return 0


def _docs(arguments: Sequence[str]) -> int:
    from advisor.base.files import make_folder, write
    from advisor.policy.pack import find
    from advisor.report.rule_page import pages

    made = _parser("docs")
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder, made where there is none")
    options = made.parse_args(arguments)
    texts = pages(find(options.pack))
    make_folder(options.out)
    for name, text in texts.items():
        write(options.out / name, text)
    sys.stderr.write(f"wrote {len(texts)} pages to {options.out}\n")
    return 0


VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "list": _list,
    "test": _test,
    "verify": _verify,
    "diff": _diff,
    "new": _new,
    "docs": _docs,
}
