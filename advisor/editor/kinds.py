"""Which of the product's files an open YAML file is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from advisor.base.errors import AdviseError
from advisor.policy.shipped import MANIFEST
from advisor.recipe.assembly import KEYS
from advisor.review.recipe_files import WAIVERS, keys_at_top, may_be_recipe

Kind = Literal["recipe", "rule", "pack", "waivers"]


def kind_of(path: Path, text: str, begun: bool = False) -> Kind | None:
    """The kind of a file by its name, its folder and its keys; None for a file of something else.

    begun: a file with no keys but those of recipes may become one.
    """
    if path.name.endswith(WAIVERS):
        return "waivers"
    if path.name == MANIFEST:
        return "pack"
    if pack_of(path):
        return "rule"
    try:
        keys = set(keys_at_top(text.encode(errors="replace"), levels=1))
    except AdviseError:  # too large to be read
        return None
    if {"id", "when"} <= keys:
        return "rule"
    if may_be_recipe(text.encode(errors="replace")) or (begun and keys <= KEYS and (keys or "recipe" in str(path))):
        return "recipe"
    return None


def pack_of(path: Path) -> Path | None:
    """The folder of the pack that a file belongs to, up to the root of the repository."""
    for folder in path.absolute().parents:
        if (folder / MANIFEST).is_file():
            return folder
        if (folder / ".git").exists():
            return None
    return None
