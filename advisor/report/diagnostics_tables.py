"""Diagnostics of a run on the screen: classes, confusions, changed answers, and how the steps learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from advisor.facts.tasks import PERCEIVED
from advisor.records.diagnostics import Changed, ClassScore, Confusion, CurvePoint, Example, shortened
from advisor.records.results import RunResult, StepResult
from advisor.report.console import stdout
from advisor.report.run_tables import plain_table
from advisor.report.style import clean, plural

MOST_COLUMNS = 8  # classes of a matrix that fits on a screen
MOST_ROWS = 30  # classes that are shown, the worst first where there are more
MOST_PAIRS = 10
LONGEST_TEXT = 72


def show(result: RunResult) -> None:
    """The diagnostics on stdout; nothing for a run that has none."""
    screen = stdout()
    for part in parts(result):
        screen.print(part)


def parts(result: RunResult) -> Iterator[RenderableType]:
    """What there is to show of a run, in its order."""
    last = result.steps[-1]
    found, before = last.diagnostics, baseline(result)
    if found.classes:
        yield _classes(found.classes, before.diagnostics.classes if before else (), last.words)
    if found.confusion and found.confusion.pairs:
        yield _confusion(found.confusion, last.words)
    if found.changed:
        yield _changed(found.changed, last, asked(result.task))
    if any(step.diagnostics.curve for step in result.steps):
        yield _curves(result.steps)


def baseline(result: RunResult) -> StepResult | None:
    """The fine-tuned model, where it is another one than the last."""
    first = result.steps[0]
    return first if first.name == "finetune" and len(result.steps) > 1 else None


def ranked(classes: Sequence[ClassScore], most: int = MOST_ROWS) -> Sequence[ClassScore]:
    """All classes in their order; where there are many, those with the lowest F1."""
    return classes if len(classes) <= most else sorted(classes, key=lambda one: one.f1)[:most]


def left_out(classes: Sequence[ClassScore], most: int = MOST_ROWS) -> str:
    """What to say of the classes that are not shown; empty where all are."""
    return f"the {most} lowest F1 of {len(classes):,}" if len(classes) > most else ""


def _classes(classes: Sequence[ClassScore], before: Sequence[ClassScore], words: str) -> Table:
    was = {one.name: one.f1 for one in before}
    numbers = ("Rows", "Answered", "Precision", "Recall", "F1", *(("F1 before",) if was else ()))
    shown = _titled(f"By class: {clean(words)}", ("Class",), numbers)
    for one in ranked(classes):
        cells = [f"{one.rows:,}", f"{one.answered:,}", *(f"{v:.3f}" for v in (one.precision, one.recall, one.f1))]
        cells += [f"{was[one.name]:.3f}" if one.name in was else ""] if was else []
        shown.add_row(_text(one.name), *cells)
    shown.caption = left_out(classes)
    return shown


def _confusion(found: Confusion, words: str) -> Table:
    """The matrix where it fits, else the most frequent confusions."""
    if 0 < len(found.names) <= MOST_COLUMNS:
        names = [clean(shortened(name, 12)) for name in found.names]
        shown = _titled(f"Rows by label (down) and answer (across): {clean(words)}", ("Label",), names)
        for name, counts in zip(names, found.counts, strict=True):
            shown.add_row(Text(name), *(f"{count:,}" for count in counts))
        return shown
    shown = _titled(f"Most frequent confusions: {clean(words)}", ("Label", "Answer"), ("Rows",))
    for one in found.pairs[:MOST_PAIRS]:
        shown.add_row(_text(one.label), _text(one.answer), f"{one.rows:,}")
    return shown


def asked(task: str) -> str:
    """What a row of a task is, as the head of a column."""
    return "File" if task in PERCEIVED else "Text"


def _changed(found: Changed, last: StepResult, head: str) -> Table | Text:
    title = f"{sentence(found)}: {clean(last.words)}"
    if not found.rows:
        return Text(f"{title}\n")
    shown = _titled(title, (head, "Label", "Before", "After"), ())
    shown.add_column("Row", justify="right")
    for one in found.examples:
        before, after = answers(one)
        cells = (_text(shortened(one.text, LONGEST_TEXT)), *map(_text, (one.label, before, after)))
        shown.add_row(*cells, f"{one.row:,}")
    shown.caption = "rows are numbered as in predictions.json, from 0; first those that lost most, last those that won"
    return shown


def sentence(found: Changed) -> str:
    """How many answers changed. Example: 12 report rows have another answer, 4 better and 8 worse."""
    if not found.rows:
        return "every report row has the same answer as before"
    have = "has" if found.rows == 1 else "have"
    how = f"{found.better:,} better and {found.worse:,} worse"
    return f"{plural(found.rows, 'report row')} {have} another answer, {how}"


def answers(one: Example) -> tuple[str, str]:
    """The answers before and after: words, or the row's own metric; both where the words do not tell what is right."""
    graded = {one.value_before, one.value_after} - {0.0, 1.0}
    said = ((one.before, one.value_before), (one.after, one.value_after))
    before, after = (f"{words} ({value:.3g})".strip() if graded else words for words, value in said)
    return before, after


def _curves(steps: Sequence[StepResult]) -> Table:
    shown = _titled("How the steps learned", ("Step",), ("Epoch", "Training loss", "Selection"))
    for step in steps:
        curve = step.diagnostics.curve
        for number, point in enumerate(epochs(curve.points) if curve else ()):
            loss = "" if point.loss is None else f"{point.loss:.4f}"
            value = "" if point.selection is None or curve is None else f"{curve.chosen_by} {point.selection:.4f}"
            shown.add_row(_text("" if number else step.words), f"{point.epoch:.2f}", loss, value)
    return shown


def epochs(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """The points at the ends of epochs, and the last one, each with the mean loss since the one before."""
    found: list[CurvePoint] = []
    losses: list[tuple[int, float]] = []  # batches with their mean loss
    before = 0
    for point in points:
        losses += [] if point.loss is None else [(point.batches - before, point.loss)]
        before = point.batches
        if point.selection is not None or point is points[-1]:
            count = sum(batches for batches, _ in losses)
            mean = sum(batches * loss for batches, loss in losses) / count if count else None
            found.append(replace(point, loss=mean))
            losses = []
    return found


def _titled(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    """A table that is at least as wide as its title."""
    shown = plain_table(title, words, numbers)
    shown.min_width = min(len(title), 100)
    return shown


def _text(words: str) -> Text:
    return Text(clean(words))
