"""Meta: what a company wants to know of every recipe. A pack declares the keys; each becomes a rule like any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from advisor.base.constraints import FORBID_EXTRA, Bound
from advisor.policy.rule import Text
from advisor.policy.view import META

ANY_NUMBER = "-1e15..1e15"  # whatever people count
KINDS: Mapping[str, tuple[str, Any, Any]] = {  # in words, what every value of it matches, and an example
    "text": ("a text", "*", "ada"),
    "number": ("a number", ANY_NUMBER, 7),
    "flag": ("true or false", [True, False], True),
}


@dataclass(frozen=True, slots=True)
class MetaKey:
    """A key of `meta`. words: the texts that it may have; any where there are none."""

    __pydantic_config__: ClassVar[dict[str, Any]] = FORBID_EXTRA
    about: Text
    type: Literal["text", "number", "flag"] = "text"
    words: Annotated[tuple[Text, ...], Bound(min_length=1)] | None = None
    required: bool = False


def rules(keys: Mapping[str, MetaKey], pack: str) -> Iterator[dict[str, Any]]:
    """One rule for each key, as a file would say it: it denies a recipe whose value is missing or of another kind."""
    for key, declared in keys.items():
        name = f"{META}{key}"
        kind, pattern, example = KINDS[declared.type]
        if declared.words:
            kind, pattern, example = f"one of {', '.join(declared.words)}", list(declared.words), declared.words[0]
        wrong = {"not": {name: pattern}}
        fires: list[dict[str, Any]] = [{name: 1 if declared.type != "number" else "seven"}]
        yield {
            "id": f"meta-{key}",
            "title": f"Every recipe says its {key}" if declared.required else f"The {key} of a recipe is {kind}",
            "origin": pack,
            "severity": "error",
            "since": "0",
            "when": wrong if declared.required else {"known": name, **wrong},
            "then": {"deny": f"{name} has to be {kind}: {declared.about}"},
            "because": f"The pack {pack} declares it: {declared.about}.",
            "evidence": [{"source": pack, "at": f"meta.{key}", "says": declared.about, "strength": "derived"}],
            "confidence": "high",
            "examples": {"fires": [*fires, *([{}] if declared.required else [])], "quiet": [{name: example}]},
        }
