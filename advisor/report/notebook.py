"""Results of the Python API as HTML for notebooks, and a run's tables as text. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from io import StringIO

from rich.console import Console

from advisor.advice.recommendation import Advice
from advisor.records.results import GateResult, Measured, RunResult
from advisor.report.advice import facts_line, reason
from advisor.report.findings import summary
from advisor.report.run_tables import gates, predictions, serving, table
from advisor.report.shares import percent
from advisor.review.findings import Finding
from advisor.review.outcome import Checked

COLUMNS = 110  # of text
MARKS = {"error": "✖", "warning": "▲", "note": "•"}


def advice_html(advice: Advice) -> str:
    """The facts, each step with its reason, and the recipes that were compared."""
    steps = [("✔" if one.kept else "–", one.step, reason(one)) for one in advice.verdicts]
    compared = []
    for one in advice.candidates:
        words = ", ".join(step.words() for step in one.recipe.steps[1:]) or "fine-tuned only"
        said = one.prediction
        ranges = [str(value) if value else "no evidence" for value in (said.accuracy, said.size, said.emissions)]
        compared.append(("✔" if one is advice.chosen else "", words, *ranges))
    return "".join(
        (
            f"<p><b>{escape(advice.chosen.recipe.name)}</b>: {escape(facts_line(advice.facts))}</p>",
            _table(("", "step", "why"), steps),
            _table(("", "recipe", "accuracy", "size", "emissions"), compared),
            *(f"<p>{escape(note)}</p>" for note in advice.notes),
        )
    )


def findings_html(checked: Checked) -> str:
    """A row for each finding, and the summary."""
    rows = [(MARKS[one.severity], one.rule, one.message, str(one.place), _standing(one)) for one in checked.findings]
    found = _table(("", "rule", "finding", "place", "what to do"), rows) if rows else ""
    return f"{found}<p>{escape(summary(checked))}</p>"


def _standing(finding: Finding) -> str:
    if finding.waiver:
        return f"waived until {finding.waiver.until}"
    if finding.known:
        return "in the baseline"
    return finding.fix.words if finding.fix else finding.allowed_if


def run_html(result: RunResult) -> str:
    """Every model beside the baseline, and the gates."""
    models = []
    for step in result.steps:
        shares = (step.relative_accuracy, Measured(step.relative_size), step.served.time, step.served.emissions)
        models.append((step.words, f"{step.parameters:,}", *map(percent, shares)))
    demanded = [(one.name, one.demanded, _number(one.measured), _state(one)) for one in result.gates]
    return "".join(
        (
            f"<p><b>{escape(result.name)}</b> on {escape(result.device)}, {result.eval_samples:,} report rows</p>",
            _table(("model", "parameters", "accuracy", "size", "time", "emissions"), models),
            _table(("gate", "demanded", "measured", ""), demanded) if demanded else "",
            f"<p>{escape(result.summary)}</p>",
        )
    )


def _state(gate: GateResult) -> str:
    return gate.state or ("passed" if gate.passed else "missed")


def _number(measured: Measured) -> str:
    return "not measured" if measured.value is None else f"{measured.value:.4g}"


def run_text(result: RunResult) -> str:
    """The tables of a run as plain text."""
    screen = Console(file=StringIO(), width=COLUMNS, highlight=False, no_color=True)
    screen.print(table(result, COLUMNS), predictions(result), *serving(result), gates(result.gates))
    if result.summary:
        screen.print(f"{result.name}: {result.summary}", soft_wrap=True, markup=False)
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue().rstrip("\n")


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th style='text-align:left'>{escape(title)}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    return f"<td style='text-align:left'>{escape(text)}</td>"
