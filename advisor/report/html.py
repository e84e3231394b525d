"""The report of finished runs as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from advisor.records.measuring import is_time_derived
from advisor.records.results import Measured, RunResult, StepResult
from advisor.report import chart, compare, diagnosed, shares
from advisor.report.chart import Figured, Line, Point
from advisor.report.frontmatter import data_name, making
from advisor.report.template import filled
from advisor.runs.comparison import Compared, compared
from advisor.runs.finished import Finished
from advisor.runs.summary import warning

TEMPLATE = "report.html.j2"
# The two points that the white paper gives as numbers; those of its Figures 4 to 6 are in images only.
S21 = Point("white paper: the most compressed models, IMDb (section 5.2)", 0.10, 0.90)
S15 = Point("white paper: int8 on a CPU (section 5.1)", 0.50, 0.99)
BETTER = {
    "relative_accuracy": "above",
    "relative_size": "below",
    "relative_time": "below",
    "relative_emissions": "below",
}


def render(runs: Sequence[Finished]) -> str:
    """The page for one run or several."""
    views = [_view(place, run, compare.label(run, runs)) for place, run in enumerate(runs)]
    return filled(
        TEMPLATE,
        runs=views,
        emissions_head=shares.emissions_head([run.result for run in runs]),
        means=compare.means(runs),
        figures=list(_figures(runs)),
        absent=list(_absent(runs)),
    )


class Row(NamedTuple):
    """A predicted range and what came out. verdict: inside, better or worse than predicted, "" if not measured.

    bar: the range's ends and the measured value in percent of the scale.
    """

    step: str
    quantity: str
    predicted: tuple[float, float]
    measured: Measured
    verdict: str
    bar: tuple[float, float, float | None]


def _view(place: int, run: Finished, label: str) -> dict[str, Any]:
    """All that the template shows of a run."""
    result, last = run.result, run.result.steps[-1]
    marker, _, _ = chart.look(place)
    return {
        "id": f"run-{place + 1}",
        "label": label,
        "run": run,
        "result": result,
        "last": last,
        "series": place % chart.SERIES,
        "mark": SIGNS[marker],
        "data": data_name(run.recipe),
        "samples": compare.samples(run),
        "left_out": compare.misleads(run),
        "tiles": list(_tiles(run)),
        "rows": list(shares.rows(result)),
        "emissions_head": shares.emissions_head([result]),
        "state": _state(result),
        "warning": warning(result.gates),
        "compared": [one for step in result.steps for one in _rows(step)],
        "making": making(result),
        "reasons": list(_reasons(run)),
        "findings": list(_findings(run)),
        "provenance": _provenance(run),
        "notes": list(dict.fromkeys(_notes(run))),
        "inside": _count(result.steps),
        "diagnosed": diagnosed.view(result, f"curve{place}"),
    }


SIGNS = {"o": "●", "s": "■", "D": "◆", "^": "▲", "v": "▼", "P": "✚", "X": "✖"}


def _tiles(run: Finished) -> Iterator[dict[str, Any]]:
    said = {one.name: one for one in compared(run.result.steps[-1])}
    for name, measured in compare.shares(run).items():
        one = said[f"relative_{name}"]
        yield {"name": name, "measured": measured, "predicted": one.predicted, "verdict": _verdict(one)}


def _verdict(one: Compared) -> str:
    if one.where in ("", "inside"):
        return one.where
    return "better" if one.where == BETTER[one.name] else "worse"


def _rows(step: StepResult) -> Iterator[Row]:
    """Each predicted range beside what came out; the baseline is the measure of all and predicts nothing."""
    for one in compared(step):
        if one.predicted is None or step.name == "finetune":
            continue
        value = one.measured.value
        top = max(1.05, one.predicted[1], value or 0) * 1.02
        low, high = (100 * end / top for end in one.predicted)
        bar = (low, high, None if value is None else 100 * value / top)
        words = one.name.removeprefix("relative_")
        yield Row(step.words, words, one.predicted, one.measured, _verdict(one), bar)


def _count(steps: Sequence[StepResult]) -> tuple[int, int]:
    """How many measured numbers fell inside their range, of how many."""
    judged = [one.verdict for step in steps for one in _rows(step) if one.verdict]
    return judged.count("inside"), len(judged)


def _state(result: RunResult) -> str:
    """What all gates together say: passed, missed, or not proved."""
    if not result.passed:
        return "missed"
    return "passed" if all(gate.state in ("", "passed") for gate in result.gates) else "not proved"


def _reasons(run: Finished) -> Iterator[dict[str, Any]]:
    """Every kind of step, in the recipe or not, with the reason that the run was begun with."""
    verdicts = {str(one.get("step")): one for one in run.advice.get("steps") or [] if isinstance(one, dict)}
    settings = {step.name: step for step in run.recipe.steps}
    for name in dict.fromkeys([*settings, *verdicts]):
        one = verdicts.get(name, {})
        reason = one.get("reason") or "the run's folder does not tell why"
        rules = [str(rule) for rule in one.get("rules") or []]
        words = settings[name].words() if name in settings else name.replace("_", " ")
        yield {
            "kept": name in settings,
            "words": words,
            "reason": reason,
            "rules": rules,
            "opens": one.get("opens", ""),
        }


def _findings(run: Finished) -> Iterator[dict[str, str]]:
    """What the rules remarked before the run, as far as the folder tells."""
    for one in run.advice.get("findings") or []:
        yield {name: str(one.get(name, "")) for name in ("severity", "rule", "message")}


def _provenance(run: Finished) -> dict[str, Any]:
    result, policy = run.result, run.recipe.policy
    apart = ("versions", "assumed", "measuring")
    known = {name.replace("_", " "): value for name, value in result.provenance.items() if name not in apart}
    assumed: Mapping[str, Any] = result.provenance.get("assumed") or {}
    versions: Mapping[str, Any] = result.provenance.get("versions") or {}
    return {
        "finished": result.finished,
        "model": result.model,
        "trained on": result.train_on,
        "report rows": f"{result.eval_samples:,}",
        "took": f"{result.seconds:,.0f} s",
        "policy": f"{policy.name} {policy.version}, SHA-256 {policy.sha256}" if policy else "not stated in the recipe",
        "recipe": f"SHA-256 {result.recipe_sha256}" if result.recipe_sha256 else "",
        **known,
        "assumed": ", ".join(f"{name} {value}" for name, value in assumed.items() if value is not None),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }


def _notes(run: Finished) -> Iterator[str]:
    yield from run.result.notes
    for step in run.result.steps:
        yield from (f"{step.words}: {note}" for note in step.notes)


def _figures(runs: Sequence[Finished]) -> Iterator[dict[str, Any]]:
    """One drawing for each data size, as the white paper has them."""
    groups: dict[str, list[tuple[int, Finished]]] = {}
    for place, run in enumerate(runs):
        if any(_placed(step) for step in run.result.steps):
            groups.setdefault(compare.regime(run), []).append((place, run))
    for nth, (title, members) in enumerate(groups.items()):
        boxed = len(runs) <= 3
        lines = [_line(place, run, compare.label(run, runs), boxed) for place, run in members]
        papers = [S21] if "or more" in title else []
        papers += [S15] if any(run.result.device in ("cpu", "edge") for _, run in members) else []
        emissions = shares.emissions_head([run.result for _, run in members]).removeprefix("% ").lower()
        drawn = chart.draw(Figured(f"Accuracy against {emissions}, {title}", lines, papers), f"figure{nth}")
        # The drawing escapes its own text; the template has to take it as it is.
        yield {
            "title": f"{title}{emissions.removeprefix('emissions')}",
            "svg": Markup(drawn),
            "papers": list(zip(chart.LETTERS, papers, strict=False)),
        }


def _placed(step: StepResult) -> bool:
    return step.relative_accuracy.value is not None and step.served.emissions.value is not None


def _line(place: int, run: Finished, label: str, boxed: bool) -> Line:
    points = tuple(_point(step) for step in run.result.steps if _placed(step))
    said = run.result.steps[-1].predicted
    predicted = (said.relative_emissions, said.relative_accuracy)
    box = predicted if boxed and predicted[0] and predicted[1] else None
    return Line(f"{label} ({run.result.family})", place, points, box)  # type: ignore[arg-type]


def _point(step: StepResult) -> Point:
    accuracy, emissions = step.relative_accuracy, step.served.emissions
    assert accuracy.value is not None and emissions.value is not None
    ends = accuracy.interval or accuracy.spread
    spread = emissions.interval or emissions.spread
    return Point(step.words, emissions.value, accuracy.value, spread, ends, is_time_derived(emissions))


def _absent(runs: Sequence[Finished]) -> Iterator[tuple[str, str, str]]:
    """Models that no drawing can show, by run and reason."""
    for run in runs:
        reasons: dict[str, list[str]] = {}
        for step in run.result.steps:
            if not _placed(step):
                why = step.relative_accuracy.why_not or step.served.emissions.why_not
                reasons.setdefault(why, []).append(step.words)
        label = compare.label(run, runs)
        yield from ((label, ", ".join(words), why) for why, words in reasons.items())
