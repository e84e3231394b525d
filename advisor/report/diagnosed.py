"""Diagnostics of a run on the HTML page: classes, confusions and changed answers of the last model, training curves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from advisor.records.diagnostics import Confusion
from advisor.records.results import RunResult
from advisor.report import curves
from advisor.report.diagnostics_tables import answers, asked, baseline, left_out, ranked, sentence


def view(result: RunResult, prefix: str) -> dict[str, Any]:
    """All that the template shows of a run's diagnostics. prefix: keeps the drawings' ids apart."""
    last, first = result.steps[-1], baseline(result)
    found, changed = last.diagnostics, last.diagnostics.changed
    confusion = found.confusion or Confusion()
    return {
        "words": last.words,
        "classes": ranked(found.classes),
        "left_out": left_out(found.classes),
        "before": {one.name: one.f1 for one in first.diagnostics.classes} if first else {},
        "names": confusion.names,
        "matrix": list(_matrix(confusion)),
        "pairs": confusion.pairs,
        "changed": sentence(changed) if changed else "",
        "asked": asked(result.task),
        "examples": [(one, *answers(one)) for one in changed.examples] if changed else [],
        "curves": list(_curves(result, prefix)),
    }


def _matrix(found: Confusion) -> Iterator[tuple[str, list[tuple[int, float, bool]]]]:
    """Each label with its cells: rows, their share of the label's, and whether they are right."""
    for place, (name, counts) in enumerate(zip(found.names, found.counts, strict=True)):
        total = sum(counts) or 1
        yield name, [(count, round(count / total, 3), place == other) for other, count in enumerate(counts)]


def _curves(result: RunResult, prefix: str) -> Iterator[tuple[str, Markup]]:
    for number, step in enumerate(result.steps):
        if step.diagnostics.curve:
            # The drawing escapes its own text; the template has to take it as it is.
            yield step.words, Markup(curves.draw(step.diagnostics.curve, step.words, f"{prefix}-{number}"))
