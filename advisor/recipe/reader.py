"""Read recipe files: text -> document -> values -> recipe; every fault at once, with its place and its remedy."""

from __future__ import annotations

from pathlib import Path

from advisor.base.errors import AdviseError
from advisor.base.validation import Mistake, faults
from advisor.base.yamlfile import Document, parse, read_bytes
from advisor.recipe.assembly import MISREAD, assemble
from advisor.recipe.common_mistakes import HINTS
from advisor.recipe.recipe import Recipe


def load(path: Path, name: str = "") -> tuple[Recipe, Document]:
    """Read and validate a recipe file.

    Raises:
        AdviseError: all that is wrong with it, each with its place.
    """
    return loads(read_bytes(path, name), name or str(path))


def loads(text: str | bytes, name: str = "recipe") -> tuple[Recipe, Document]:
    """Like `load`, from text."""
    document = parse(text, name)
    recipe, found = assemble(document.value)
    mistakes = [one for one in found if not _meant(one, document)]
    if mistakes or recipe is None:
        raise AdviseError(*faults(mistakes, document, HINTS))
    return recipe, document


def _meant(mistake: Mistake, document: Document) -> bool:
    """Whether a name that may be misread stands in YAML's own quotes, so that all within them is meant."""
    return mistake.kind == MISREAD and document.written(mistake.path).startswith(("'", '"'))
