"""Folders of finished runs: whatever a damaged one holds, the answer is a clear error or a page, never a crash."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import small_runs
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.base.errors import AdviseError
from advisor.report import card, html
from advisor.runs import finished, record

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner)
)
ADVICE = {
    "steps": [{"step": "finetune", "kept": True, "reason": "the baseline", "rules": ["finetune-first"], "opens": ""}],
    "findings": [{"rule": "very-deep-cut", "severity": "warning", "message": "deep"}],
}
FILES = ("report.json", "facts.json", "advice.json")


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for name, one in inner for path in paths(one, (*at, name)))]


def changed(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """The value with another one at a place."""
    if not at:
        return new
    made = copy.copy(value)
    made[at[0]] = changed(value[at[0]], at[1:], new)
    return made


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_file_is_an_error_or_a_page(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = small_runs.write(Path(parent) / "run")
        (folder / "advice.json").write_text(json.dumps(ADVICE))
        file = folder / data.draw(st.sampled_from(FILES))
        whole = json.loads(file.read_text())
        file.write_text(json.dumps(changed(whole, data.draw(st.sampled_from(paths(whole))), data.draw(ANYTHING))))
        for use in (record.of, lambda run: html.render([run, run]), lambda run: card.section(run.result)):
            try:
                use(finished.read(folder))  # type: ignore[operator]
            except AdviseError as error:
                assert "run" in str(error)


@pytest.mark.parametrize("advice", [{"steps": 5}, {"findings": ["x"]}, {"steps": [{"rules": 1}]}, []])
def test_misshapen_reasons_are_told(advice: Any, tmp_path: Path) -> None:
    folder = small_runs.write(tmp_path / "run")
    (folder / "advice.json").write_text(json.dumps(advice))
    with pytest.raises(AdviseError, match=r"advice\.json"):
        finished.read(folder)


def test_the_folder_of_several_seeds_stands_for_its_runs(tmp_path: Path) -> None:
    one = small_runs.write(tmp_path / "one")
    seeds = [small_runs.write(tmp_path / "many" / f"seed-{seed}") for seed in (0, 1)]
    assert finished.folders([one, tmp_path / "many"]) == [one, *seeds]
