"""Results of the Python API as HTML for notebooks, and a run's tables as text. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from io import StringIO

from advisor.advice.recommendation import Advice
from advisor.records.results import GateResult, Measured, RunResult
from advisor.report.advice import facts_line, reason
from advisor.report.console import COLUMNS, plain
from advisor.report.findings import summary
from advisor.report.run_tables import tables
from advisor.report.shares import Row, emissions_head, gate_value, percent, rows
from advisor.report.style import clean, plural
from advisor.review.findings import Finding
from advisor.review.outcome import Checked

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
            f"<p><b>{escape(advice.chosen.recipe.name)}</b>: {escape(facts_line(advice))}</p>",
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
    if finding.fix:
        return finding.fix.words
    return f"allowed {finding.allowed_if}" if finding.allowed_if else ""


def run_html(result: RunResult) -> str:
    """Every model beside the baseline, and the gates."""
    models = [(row.words, _parameters(row), *map(_share, row[2:])) for row in rows(result)]
    titles = ("model", "parameters", "% accuracy", "% size", "% time", emissions_head([result]).lower())
    required = [(one.name, one.demanded, gate_value(one), _state(one)) for one in result.gates]
    about = f"{escape(result.device)}, {plural(result.eval_samples, 'report row')}"
    return "".join(
        (
            f"<p><b>{escape(result.name)}</b> on {about}</p>",
            _table(titles, models),
            _table(("gate", "required", "measured", ""), required) if required else "",
            f"<p>{escape(result.summary)}</p>",
        )
    )


def _parameters(row: Row) -> str:
    return f"{row.step.parameters:,}" if row.step else ""


def _share(one: Measured | None) -> str:
    return percent(one) if one else ""


def _state(gate: GateResult) -> str:
    return gate.state or ("passed" if gate.passed else "missed")


def run_text(result: RunResult) -> str:
    """The tables of a run as plain text."""
    sink = StringIO()
    screen = plain(sink, COLUMNS)
    screen.no_color = True
    screen.print(*tables(result))
    if result.summary:
        screen.print(clean(f"{result.name}: {result.summary}"), soft_wrap=True)
    return sink.getvalue().rstrip("\n")


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th style='text-align:left'>{escape(title)}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    return f"<td style='text-align:left'>{escape(text)}</td>"
