"""Small policies made on the spot."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from advisor.policy.pack import Policy
from advisor.policy.rule import Rule, from_value
from advisor.policy.shipped import shipped
from advisor.recipe.recipe import PolicyStamp


def rule(name: str, when: dict[str, Any], then: dict[str, Any] | None = None, severity: str = "error") -> Rule:
    evidence = {"source": "s", "at": "p. 1", "says": "so", "strength": "paper"}
    value = {"id": name, "title": name, "origin": "R99", "severity": severity, "confidence": "low", "because": "why"}
    more = {"when": when, "then": then or {}, "evidence": [evidence], "examples": {"fires": [{"device": "cpu"}]}}
    return from_value(value | more, f"{name}.yaml")


def policy(*rules: Rule) -> Policy:
    return Policy(PolicyStamp("test", "1", "0"), tuple(sorted(rules, key=lambda one: one.id)), {})


def open_pack(folder: Path) -> Path:
    """Write a pack that forbids nothing; its only rule asks for fine-tuning first."""
    folder.mkdir()
    (folder / "pack.yaml").write_text("name: open\nversion: '1'\ndescription: forbids nothing\n")
    shutil.copy(shipped("rules") / "core" / "distillation" / "finetune-first.yaml", folder)
    return folder
