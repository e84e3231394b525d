"""Selection: which rules a check is about, as --select and --ignore name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.base.errors import AdviseError, Fault, NothingChecked, suggest
from advisor.policy.pack import Policy
from advisor.review.findings import BUILT_IN, UNSEEN
from advisor.review.waivers.rules import WAIVER_RULES

ALWAYS = (UNSEEN,)  # what was not looked at is said whatever is selected, unless it is ignored by name


def selected(policy: Policy, select: Sequence[str], ignore: Sequence[str]) -> frozenset[str] | None:
    """The ids of the rules to check by; None for all. Ids and origins (R02), in several arguments or by commas.

    Raises:
        AdviseError: a name is not a rule's.
        NothingChecked: no rule is left.
    """
    if not select and not ignore:
        return None
    wanted, unwanted = list(_split(select)), list(_split(ignore))
    ids: dict[str, set[str]] = {name: {name} for name in (*ALWAYS, *WAIVER_RULES, *(rule.id for rule in policy.rules))}
    names = dict(ids)
    for rule in policy.rules:
        names.setdefault(rule.origin, set()).add(rule.id)
    faults = [_unknown(name, names, policy) for name in dict.fromkeys([*wanted, *unwanted]) if name not in names]
    if faults:
        raise AdviseError(*faults)
    chosen = set(ALWAYS).union(*(names[name] for name in wanted)) if select else set(ids)
    chosen -= set().union(*(names[name] for name in unwanted))
    if not chosen & {rule.id for rule in policy.rules} and not set(wanted) & chosen:
        raise NothingChecked("no rule is selected, so nothing would be checked", hint="leave out --select or --ignore")
    return frozenset(chosen)


def _split(names: Sequence[str]) -> Iterator[str]:
    yield from (name.strip() for one in names for name in one.split(",") if name.strip())


def _unknown(name: str, names: dict[str, set[str]], policy: Policy) -> Fault:
    if name in BUILT_IN:
        return Fault(f"{name} cannot be selected or ignored: it marks a file that could not be checked")
    if name in policy.disabled:
        return Fault(f"the rule {name} is disabled by {policy.stamp.name}: {policy.disabled[name]}")
    return Fault(f"no rule {name!r} in {policy.stamp.name}", hint=f"{suggest(name, names)} (advise rules list)")
