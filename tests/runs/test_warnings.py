"""A worthless model is announced before every number: in the summary, on the card, on the page and with seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import small_runs

from advisor.deployment.gates import judge
from advisor.facts.facts import DataFacts
from advisor.recipe.reader import loads
from advisor.records.results import BASELINE_GATE, MODEL_GATE, Measured, RunResult
from advisor.report import card, html, seeds
from advisor.runs.finished import read
from advisor.runs.seed_statistics import gathered
from advisor.runs.summary import summary

NOTHING = Measured(0.0, source="f1 0 against 0 for always answering 'ham'", interval=(0.0, 0.0))
CLEAR = Measured(0.2, source="f1 0.9 against 0.7 for always answering 'ham'", interval=(0.15, 0.25))
UNCLEAR = Measured(0.01, source="f1 0.71 against 0.7 for always answering 'ham'", interval=(-0.01, 0.03))
RECIPE = loads(small_runs.RECIPE.format(name="r", model="m", family="bert", data="d", samples=9, keep=8, seed=0))[0]


def run(baseline: Measured, model: Measured) -> RunResult:
    """A run with its gates judged."""
    whole = small_runs.result()
    steps = [replace(one, above_constant=model) for one in whole.steps]
    steps[0] = replace(steps[0], above_constant=baseline)
    judged = replace(whole, steps=tuple(steps), gates=judge(RECIPE, steps, 872))
    return replace(judged, summary=summary(judged))


@pytest.mark.parametrize(
    ("baseline", "model", "name", "said"),
    [
        (NOTHING, NOTHING, BASELINE_GATE, "verifies nothing: the baseline is no better than a constant answer: f1 0 "),
        (CLEAR, NOTHING, MODEL_GATE, "verifies nothing: the last model is no better than a constant answer"),
        (UNCLEAR, CLEAR, BASELINE_GATE, "the baseline is not shown to be better than a constant answer: f1 0.71"),
        (CLEAR, UNCLEAR, MODEL_GATE, "the last model is not shown to be better than a constant answer"),
    ],
)
def test_it_comes_first(baseline: Measured, model: Measured, name: str, said: str, tmp_path: Path) -> None:
    found = run(baseline, model)
    states = {gate.name: gate.state for gate in found.gates}
    assert states[name] == ("missed" if "nothing" in said else "not shown")
    assert found.passed == ("nothing" not in said) or states["int8 accuracy"] == "missed"
    assert found.summary.startswith(said)
    body = card.text(found, RECIPE, DataFacts()).split("---\n", 2)[2]
    assert body.lstrip().split("\n\n")[1].startswith(f"> **Warning**: {said.replace('_', chr(92) + '_')}")
    page = html.render([read(small_runs.write(tmp_path / "run", found))])
    assert page.split('class="summary">')[1].startswith(said)
    two = html.render([read(small_runs.write(tmp_path / name, found)) for name in ("a", "b")])
    assert 'class="badge bad"' in two


def test_with_seeds_too(capsys: pytest.CaptureFixture[str]) -> None:
    one = run(NOTHING, NOTHING)
    found = gathered([one, one], [0, 1], ["seed-0", "seed-1"])
    assert not found.passed
    seeds.show(found)
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("bert-sst2: verifies nothing: the baseline is no better than a constant answer in the mean")
    some = gathered([run(CLEAR, CLEAR), one], [0, 1], ["seed-0", "seed-1"])
    assert some.summary == ("the baseline is not shown to be better than a constant answer with 1 of 2 seeds")


def test_a_sound_model_is_not_warned_of() -> None:
    assert run(CLEAR, CLEAR).summary.startswith("keeps ")
