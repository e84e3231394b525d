"""advise search on a tiny real model: a whole search, kills, several processes, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import advisor
from advisor.cli import main
from advisor.execution.job import Job
from advisor.execution.store import Store
from advisor.recipe.reader import load
from advisor.recipe.recipe import Recipe
from advisor.records.search import SearchResult, Spent
from advisor.report.schema import schema
from advisor.tuning import folder
from advisor.tuning.carrier import Serial
from advisor.tuning.making import Maker
from advisor.tuning.processes import Processes
from advisor.tuning.tree import Node, Outcome

SUPPORT = Path(__file__).parents[1] / "support"


def command(model: Path, text: Path, out: Path, *more: str) -> list[str]:
    return [
        *("search", "--model", str(model), "--data", str(text), "--device", "cpu", "--out", str(out), "--yes"),
        *("--measure-seconds", "0.05", "--no-ledger", "--max-samples", "60", "--min-accuracy", "0.5"),
        *(more if "--budget" in more else ("--budget", "3trials", *more)),
    ]


@pytest.mark.slow
def test_a_whole_search_leaves_runs_recipes_and_a_record_and_a_second_one_makes_nothing_again(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code = main(command(checkpoints["bert"], text, out))
    shown = capsys.readouterr()
    found = folder.read(out)
    assert code == (0 if found.passed else 1) and "recipes tried" in shown.out and "expected: about" in shown.err
    Draft202012Validator(json.loads(schema("search"))).validate(json.loads((out / "search.json").read_text()))
    assert found.trials[0].status == "measured" and found.front and len(found.front) <= 7
    for point in found.front:
        assert len(point.seeds) == 3
        assert main(["check", str(out / point.recipe)]) == 0
        for seed in point.seeds:
            assert (out / seed.folder / "manifest.json").exists()
            capsys.readouterr()
            main(["gate", str(out / seed.folder)])
            told = capsys.readouterr().out
            assert "changed" not in told and "reload" not in told.lower().replace("reloads", "")
    records = {file.name: file.read_bytes() for file in (out / "store").glob("*.json")}
    assert main(command(checkpoints["bert"], text, out, "--resume", "--max-emissions", "0.001")) == 1
    again = folder.read(out)
    for point in again.front:
        stated = load(out / point.recipe)[0]
        assert stated.goal.relative_emissions == "<= 0.001" and main(["check", str(out / point.recipe)]) == 0
    told = capsys.readouterr().out  # so few rows teach nothing, which is said first: no bound that gives would help
    assert "nearest: " in told and ("what must give: --max-emissions" in told or "than a constant answer" in told)
    main(command(checkpoints["bert"], text, tmp_path / "other", "--store", str(out / "store")))
    assert {file.name: file.read_bytes() for file in (out / "store").glob("*.json")} == records


@pytest.mark.slow
def test_killed_at_50_random_moments_it_loses_no_finished_step(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    wanted: dict[str, Any] = {
        **{"model": str(checkpoints["bert"]), "data": str(text), "device": "cpu", "budget": "2trials"},
        **{"max_samples": 60, "measure_seconds": 0.05, "min_accuracy": 0.5},
    }
    whole = advisor.search(**wanted, out=tmp_path / "whole", progress=False, record=False)
    settings = {
        "search": wanted,
        "out": str(tmp_path / "killed"),
        "kills": 50,
        "seed": 0,
        "changes": 60,
        "seconds": 8.0,
    }
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(SUPPORT.parents[1]), str(SUPPORT)))}
    run = [sys.executable, str(SUPPORT / "killed_search.py"), json.dumps(settings)]
    ended = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = folder.read(tmp_path / "killed")
    assert _told(found) == _told(whole)


def _told(found: SearchResult) -> list[Any]:
    """What a search found, without times and measurements."""
    return [(one.choices, one.status, one.rungs, one.kept) for one in found.trials]


def square(node: Node) -> Outcome:
    """Work for a process: dies at a recipe of this name, fails at another."""
    if node.recipe.name == "dies":
        os._exit(9)
    if node.recipe.name == "long":
        time.sleep(600)
    return Outcome("failed", "as asked") if node.recipe.name == "fails" else Outcome("made", key=node.recipe.name)


def nodes(*names: str) -> list[Node]:
    from table_search import question, space_of

    from advisor.base.frozen import replace as changed

    recipe = space_of(question()).places[0].recipe
    return [Node(changed(recipe, name=name)) for name in names]


def test_one_process_makes_nodes_in_order() -> None:
    carrier = Serial(square)
    for node in nodes("a", "fails"):
        carrier.start(node)
    assert [carrier.next()[1] for _ in range(2)] == [Outcome("made", key="a"), Outcome("failed", "as asked")]


def test_what_nobody_expected_fails_its_trial_and_a_full_disk_ends_the_search(tmp_path: Path) -> None:
    def job_of(recipe: Recipe) -> Job:
        raise errors[recipe.name]

    errors = {"odd": RuntimeError("shapes cannot be multiplied"), "full": OSError(28, "No space left on device")}
    make, (odd, full) = Maker(job_of, tmp_path, Store(tmp_path / "store")), nodes("odd", "full")
    assert make(odd).why == "RuntimeError: shapes cannot be multiplied" and make(odd).status == "failed"
    with pytest.raises(OSError, match="No space"):
        make(full)


@pytest.mark.slow
def test_several_processes_make_the_same_and_a_node_that_kills_them_fails_alone() -> None:
    carrier = Processes(square, 2)
    try:
        for node in nodes("a", "dies"):
            carrier.start(node)
        found = dict([carrier.next(), carrier.next()])
        outcomes = {node.recipe.name: outcome for node, outcome in found.items()}
        assert outcomes["a"] == Outcome("made", key="a")
        assert outcomes["dies"].status == "failed" and "killed 3 times" in outcomes["dies"].why
    finally:
        carrier.close()


@pytest.mark.slow
def test_a_closed_carrier_leaves_no_process_at_work() -> None:
    import multiprocessing

    carrier = Processes(square, 2)
    carrier.start(nodes("long")[0])
    time.sleep(3)
    workers = multiprocessing.active_children()
    carrier.close()
    for one in workers:
        one.join(10)
    assert workers and not any(one.is_alive() for one in workers)


@pytest.mark.slow
def test_two_workers_find_what_one_finds(checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> None:
    wanted: dict[str, Any] = {
        **{"model": str(checkpoints["bert"]), "data": str(text), "device": "cpu", "budget": "3trials"},
        **{"max_samples": 60, "measure_seconds": 0.05, "min_accuracy": 0.5, "progress": False, "record": False},
    }
    one, two = (advisor.search(**wanted, out=tmp_path / str(count), workers=count) for count in (1, 2))
    assert [trial.choices for trial in one.trials] == [trial.choices for trial in two.trials]
    assert [len(trial.rungs) for trial in one.trials] == [len(trial.rungs) for trial in two.trials]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--budget", "soon"], "expected hours, watt-hours or trials, got 'soon'"),
        (["--budget", "0.01min"], "the shortest search, one trial and its three seeds, takes about"),
        (["--max-size-mb", "0.001"], "no recipe is as small as 0.001 MB: the smallest"),
        (["--workers", "9999"], "--workers 9999: this machine has"),
        (["--store", "/dev/null"], "/dev/null: cannot be written to: File exists"),
    ],
)
def test_what_cannot_succeed_is_refused_at_once_and_leaves_nothing(
    more: list[str], told: str, checkpoints: dict[str, Path], text: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main(command(checkpoints["bert"], text, tmp_path / "out", *more)) == 2
    shown = capsys.readouterr().err
    assert told in shown and "Traceback" not in shown and not (tmp_path / "out").exists()


def test_a_search_follows_the_project_as_a_run_does(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "advise.toml").write_text('[policies]\n"searches/**" = "house"\n')
    monkeypatch.chdir(tmp_path)
    assert main(command(checkpoints["bert"], text, Path("searches/first"))) == 3
    assert "no rule pack 'house'" in capsys.readouterr().err


def test_a_folder_is_gone_on_in_only_by_a_search_of_the_same_space(tmp_path: Path) -> None:
    found = SearchResult("bert", "reviews", "cpu", {"size_mb": "<= 9"}, {"layers": (None, 4)}, "2h", "a" * 64)
    out = tmp_path / "out"
    assert folder.opened(out, False, "a" * 64) is None
    folder.write(out, replace(found, spent=Spent(1.0, 2.0, 3.0)))
    assert folder.opened(out, True, "a" * 64) == replace(found, spent=Spent(1.0, 2.0, 3.0))
    with pytest.raises(advisor.AdviseError, match=r"another space[\s\S]*--store"):
        folder.opened(out, True, "b" * 64)
    with pytest.raises(advisor.AdviseError, match="--resume"):
        folder.opened(out, False, "a" * 64)
    (out / "search.json").write_text('{"version": 99}')
    with pytest.raises(advisor.AdviseError, match="is of version 99"):
        folder.opened(out, True, "a" * 64)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("")
    with pytest.raises(advisor.AdviseError, match="there is no search to resume here"):
        folder.opened(tmp_path / "other", True, "a" * 64)
