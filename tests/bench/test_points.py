"""Points and claims of the white paper's figures, from lines of results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import claims
import pytest
from claims import CLAIMS, Seen, verdict
from points import FIRST, NARROW, TWO_THIRDS, gather, time_of


def written(folder: Path, file: str, *lines: dict[str, Any]) -> Path:
    """A folder of results with these lines."""
    (folder / f"{file}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def line(seed: int, relative: float, **more: Any) -> dict[str, Any]:
    step = {"relative": relative, "size": 0.75, "interval": [relative - 0.02, relative + 0.02], **more.pop("step", {})}
    steps = {more.pop("name", "distillation"): step}
    return {"arm": "two thirds", "task": "mrpc", "seed": seed, "baseline": 0.8, "steps": steps, **more}


def test_a_seed_counts_once_and_the_spread_is_that_of_the_seeds(tmp_path: Path) -> None:
    written(tmp_path, "targets", line(0, 0.96), line(1, 0.98))
    found = gather(written(tmp_path, "figures", line(0, 0.90)))[FIRST, "mrpc", TWO_THIRDS]
    assert found.accuracy == pytest.approx(0.97)
    assert found.ends == (0.96, 0.98)


def test_one_seed_has_the_interval_of_its_report_rows(tmp_path: Path) -> None:
    found = gather(written(tmp_path, "figures", line(0, 0.90)))
    assert found[FIRST, "mrpc", TWO_THIRDS].ends == (0.90 - 0.02, 0.90 + 0.02)


def test_time_on_a_noisy_machine_does_not_count(tmp_path: Path) -> None:
    quiet, noisy = {"step": {"time": 0.7}}, {"step": {"time": 0.2}, "time_notes": ["the machine was noisy"]}
    found = gather(written(tmp_path, "figures", line(0, 0.96, **quiet), line(1, 0.98, **noisy)))
    assert time_of(found, (FIRST, "mrpc", TWO_THIRDS)) == pytest.approx(0.7)
    assert time_of(found, (FIRST, "rte", TWO_THIRDS)) == pytest.approx(0.7)  # the same shape on other rows
    assert time_of(found, (FIRST, "mrpc", NARROW)) is None


@pytest.mark.parametrize(
    ("more", "verifies"),
    [
        ({}, True),
        ({"step": {"beyond_chance": 0.9}}, True),
        ({"step": {"beyond_chance": None}}, False),
        ({"task": "stsb", "metric": "pearson", "step": {"beyond_chance": None}}, True),
        ({"task": "cola", "baseline": 0.7066}, False),
        ({"task": "cola", "baseline": 0.73}, True),
        ({"task": "sst2-10000", "baseline": 0.5}, False),
    ],
)
def test_a_baseline_that_is_no_better_than_a_constant_answer_verifies_nothing(
    more: dict[str, Any], verifies: bool, tmp_path: Path
) -> None:
    (found,) = gather(
        written(tmp_path, "figures", line(0, 0.9) | more | {"steps": line(0, 0.9, **more)["steps"]})
    ).values()
    assert found.verifies == verifies


@pytest.mark.parametrize(
    ("seen", "said"),
    [([True, True], "reproduced"), ([False], "contradicted"), ([True, False], "not settled"), ([], "not settled")],
)
def test_a_claim_is_settled_only_where_all_observations_agree(seen: list[bool], said: str) -> None:
    assert verdict([Seen(one, "") for one in seen]) == said


def test_gpt2_loses_markedly_or_not_by_how_its_fused_matrix_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = line(0, 0.95, model="gpt2-imdb", task="imdb-2500") | {"arm": "a third of the layers"}
    right, wrong = (
        line(0, kept, name="matrix_pruning", model="gpt2-imdb", task="imdb-2500") | {"arm": arm}
        for kept, arm in ((0.93, "then by query, key and value"), (0.7, "then as one matrix"))
    )
    written(tmp_path, "gpt2-width", alone, right, wrong)
    monkeypatch.setattr(claims, "GPT2", tmp_path / "gpt2-width.jsonl")
    found = list(next(one for one in CLAIMS if "(S26)" in one.words).look({}))
    assert [one.holds for one in found] == [False, True]
    assert found[1].words == "gpt2-imdb, imdb-2500: 0.950 without layers, then as one matrix 0.700"


def test_a_cut_that_keeps_too_little_contradicts(tmp_path: Path) -> None:
    points = gather(written(tmp_path, "figures", line(0, 0.90)))
    small = next(one for one in CLAIMS if "(S19)" in one.words)
    assert verdict(list(small.look(points))) == "contradicted"
