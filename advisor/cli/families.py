"""`advise families`: the models that are described, and which can be run; `add` describes one more."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from advisor.cli.options import parser

if TYPE_CHECKING:
    from advisor.families.family import Family

HEAD = ("family", "kind", "base checkpoint", "layers", "parameters (M)", "embeddings (%)", "can be executed")


def run(arguments: Sequence[str]) -> int:
    """Print all families with the facts of their base checkpoints; always 0."""
    if arguments and arguments[0] in VERBS:
        return VERBS[arguments[0]](arguments[1:])
    families_ = parser(
        "advise families",
        "The described families with the facts of their base checkpoints; `add MODEL` describes one more.",
    )
    families_.add_argument("--format", choices=("text", "json"), default="text")
    options = families_.parse_args(arguments)
    from advisor.families.registry import every

    found = [_entry(family) for family in every()]
    sys.stdout.write(json.dumps(found, indent=2) + "\n" if options.format == "json" else _table(found))
    return 0


def _add(arguments: Sequence[str]) -> int:
    from advisor.cli.describe_family import run as add

    return add(arguments)


VERBS: Mapping[str, Callable[[Sequence[str]], int]] = {"add": _add}


def _entry(family: Family) -> dict[str, Any]:
    from advisor.facts.tasks import TASKS
    from advisor.families.heads import with_head
    from advisor.recipe.steps import STEPS

    facts = family.facts(family.config)
    tasks = [tag for tag in TASKS if with_head(family, tag).executable]
    return {
        "family": family.model_type,
        "kind": family.kind,
        "checkpoint": family.checkpoint or None,
        "layers": family.shape(family.config).layers,
        "parameters": facts.parameters,
        "embedding_share": facts.embedding_share,
        "executable": bool(tasks),
        "tasks": tasks,
        "cuts": {step.name: list(step.cutting(family)) for step in STEPS.values() if step.structural},
    }


def _table(found: Sequence[dict[str, Any]]) -> str:
    from advisor.report.style import columns

    return "".join(line + "\n" for line in columns([HEAD, *map(_row, found)]))


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    layers = "+".join(str(depth) for depth in one["layers"].values())
    numbers = (f"{one['parameters'] / 1e6:.1f}", f"{100 * one['embedding_share']:.1f}")
    return (one["family"], one["kind"], one["checkpoint"] or "", layers, *numbers, "yes" if one["executable"] else "no")
