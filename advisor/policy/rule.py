"""Rule: one YAML file with when, then, because, its evidence and the examples that test it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from advisor.base.constraints import FORBID_EXTRA, Bound
from advisor.base.frozen import frozen
from advisor.base.interval import Interval
from advisor.policy.conditions import Condition, parse

Severity = Literal["error", "warning", "note"]
Text = Annotated[str, Bound(min_length=1)]
Days = Annotated[int, Bound(ge=1)]


@frozen
class Evidence:
    """What a rule rests on.

    strength: only-source means that nobody else is known to have found it; second-hand, that it is known from somebody
    else's account of it. against: it speaks against the rule, which stands all the same.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    source: Text
    at: Text
    says: Text
    strength: Literal["executed", "measured", "paper", "documentation", "derived", "second-hand", "only-source"]
    against: bool = False


@frozen
class Effects:
    """What a rule does where it applies. Effects of several rules merge without order.

    deny: refuses the recipe as a whole, with this message.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    forbid: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    allow_only: dict[str, list[Any]] | None = None
    limit: dict[str, str] | None = None
    order: tuple[tuple[str, str], ...] = ()
    prefer: dict[str, Any] | None = None
    warn: str | None = None
    deny: Text | None = None


@frozen
class Examples:
    """Situations in which the rule's condition holds, and others in which it does not."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    fires: Annotated[tuple[dict[str, Any], ...], Bound(min_length=1)]
    quiet: tuple[dict[str, Any], ...] = ()


class Rule(NamedTuple):
    """A rule, ready to be applied. file: where it stands, for messages. waiver_days: the longest that one may last."""

    id: str
    title: str
    origin: str
    severity: Severity
    when: Condition
    then: Effects
    because: str
    evidence: tuple[Evidence, ...]
    confidence: str
    examples: Examples
    enforced_by: tuple[str, ...]
    file: str
    waiver_days: int | None = None

    def __hash__(self) -> int:
        return hash(self.id)  # its effects are mappings, which have no hash

    @property
    def limits(self) -> dict[str, Interval]:
        return {name: Interval.parse(text) for name, text in (self.then.limit or {}).items()}

    @property
    def white_paper_only(self) -> bool:
        """Does it rest on the white paper alone?"""
        return all(item.strength == "only-source" for item in self.evidence if not item.against)


def from_value(value: dict[str, Any], file: str) -> Rule:
    """Make a rule of the plain value of a file that `rulefile.check` has accepted."""
    then = dict(value.get("then") or {})
    for name in ("forbid", "require"):
        then[name] = tuple(then.get(name, ()))
    then["order"] = tuple((first, later) for first, later in then.get("order", ()))
    when, _ = parse(value["when"])
    examples = value["examples"]
    return Rule(
        **{name: value[name] for name in ("id", "title", "origin", "severity", "confidence")},
        because=" ".join(value["because"].split()),
        when=when,
        then=Effects(**then),
        evidence=tuple(Evidence(**item) for item in value["evidence"]),
        examples=Examples(tuple(examples["fires"]), tuple(examples.get("quiet", ()))),
        enforced_by=tuple(value.get("enforced_by", ())),
        file=file,
        waiver_days=value.get("waiver_days"),
    )
