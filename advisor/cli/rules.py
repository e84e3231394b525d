"""`advise rules list|test|verify|diff|docs`: work on rule packs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from advisor.cli.options import Parser, parser, share
from advisor.errors import AdviseError, suggest

ABOUT = {
    "list": "the rules of a pack",
    "test": "run every rule's examples and the boundary cases, and tell what they cover",
    "verify": "prove that a pack is consistent, over all facts and sets of steps",
    "diff": "where one pack is stricter or looser than another",
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
    raise AdviseError(f"unknown: advise rules {verb}".rstrip(), hint=suggest(verb, ABOUT))


def _parser(verb: str, pack: bool = True) -> Parser:
    made = parser(f"advise rules {verb}", f"{ABOUT[verb][0].upper()}{ABOUT[verb][1:]}.")
    if pack:
        made.add_argument("pack", nargs="?", default="core", metavar="PACK", help="a shipped pack, or a folder of one")
    return made


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
    from advisor.coverage import cover
    from advisor.policy.pack import find
    from advisor.report import rules

    made = _parser("test")
    made.add_argument(
        "--min-coverage", type=share, default=0.9, metavar="SHARE", help="least share that is covered (default 0.9)"
    )
    options = made.parse_args(arguments)
    covered = [cover(rule) for rule in find(options.pack).rules]
    sys.stdout.write(rules.tested(covered, options.min_coverage))
    return int(any(one.wrong or one.share < options.min_coverage for one in covered))


def _verify(arguments: Sequence[str]) -> int:
    from advisor.policy.pack import find
    from advisor.proof import prove
    from advisor.report import rules

    policy = find(_parser("verify").parse_args(arguments).pack)
    start, refuted = perf_counter(), 0
    for proof in prove(policy):
        refuted += len(proof.refutations)
        sys.stdout.write(rules.proven(proof))
    sys.stderr.write(f"{len(policy.rules)} rules of {policy.stamp.name} in {perf_counter() - start:.2f} s\n")
    return 3 if refuted else 0


def _diff(arguments: Sequence[str]) -> int:
    from advisor.policy.differ import differences
    from advisor.policy.pack import find
    from advisor.report import rules

    made = _parser("diff", pack=False)
    made.add_argument("old", metavar="A")
    made.add_argument("new", metavar="B")
    options = made.parse_args(arguments)
    found = list(differences(find(options.old), find(options.new)))
    sys.stdout.write(rules.differing(found))
    return int(bool(found))


def _docs(arguments: Sequence[str]) -> int:
    from advisor.explain import pages
    from advisor.files import write
    from advisor.policy.pack import find

    made = _parser("docs")
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that exists")
    options = made.parse_args(arguments)
    texts = pages(find(options.pack))
    for name, text in texts.items():
        write(options.out / name, text)
    sys.stderr.write(f"wrote {len(texts)} pages to {options.out}\n")
    return 0


VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "list": _list,
    "test": _test,
    "verify": _verify,
    "diff": _diff,
    "docs": _docs,
}
