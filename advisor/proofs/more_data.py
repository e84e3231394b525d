"""More data never forbids: a recipe that the rules admit with less data they admit with more, all else the same.

Every error counts: bans, bounds, refusals, orders and warnings. An amount that is unknown is so before and after.
"""

from __future__ import annotations

from collections.abc import Iterator

from advisor.policy.judge import broken
from advisor.policy.rule import Rule
from advisor.policy.view import View
from advisor.proofs.amounts import AMOUNTS
from advisor.proofs.claims import Asking, Found, Refutation, Undecided
from advisor.proofs.formula import negated
from advisor.proofs.situations import Situation, find, words_of
from advisor.proofs.translation import Copy

LESS, MORE = Copy("less"), Copy("more")


def more_data(ask: Asking) -> Iterator[Found]:
    """The rules that refuse a recipe only when there is more data."""
    before = [negated(ask.known.broken(rule, LESS)) for rule in ask.errors]
    for rule in ask.errors:
        if not set(rule.when.names()) & set(AMOUNTS):
            continue
        after = ask.known.broken(rule, MORE)
        alone = [negated(ask.known.broken(rule, LESS)), after]
        if ask.cells(alone, "less", "more") is None:
            continue
        cells = ask.cells([after, *before, ask.known.sensible()], "less", "more")
        if cells is not None:
            yield _found(ask, rule, cells)


def _found(ask: Asking, rule: Rule, cells: dict[str, int]) -> Found:
    message = f"refuses a recipe only when there is more data ({_what(rule)})"

    def turns(now: Situation) -> bool:
        return _refuses([rule], now.view) and not _refuses(ask.errors, _with_less(now, cells, ask))

    situation = find(ask.known, cells, turns, MORE, amounts=1)
    if situation is None:
        return Undecided((rule.id,), f"{message}, if a model and a recipe exist to which it applies")
    names = dict.fromkeys([*rule.when.names(), *(name for name in AMOUNTS if name in ask.known.key)])
    less, more = (words_of(view, names) for view in (_with_less(situation, cells, ask), situation.view))
    return Refutation((rule.id,), message, f"allowed at {less}; not at {more}", situation)


def _with_less(situation: Situation, cells: dict[str, int], ask: Asking) -> View:
    """The same situation with the smaller amounts."""
    numbers = ask.known.amounts.numbers(cells, ("less", "more"))
    return View({**situation.view.values, **(numbers[0] if numbers else {})}, situation.view.order)


def _refuses(rules: list[Rule], view: View) -> bool:
    return any(next(broken(rule, view), None) for rule in rules)


def _what(rule: Rule) -> str:
    then = rule.then
    said = [f"forbids {step}" for step in then.forbid] + [f"requires {step}" for step in then.require]
    said += [f"limits {name}" for name in then.limit or ()] + [f"narrows {name}" for name in then.allow_only or ()]
    said += [f"orders {first} before {later}" for first, later in then.order]
    said += ["denies"] if then.deny else []
    return ", ".join(said + (["warns as an error"] if then.warn else []))
