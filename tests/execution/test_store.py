"""The store: finished steps by what made them. Inputs that differ in one byte are two; damage is never taken over."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from advisor.execution.resumption import Record, cost_of, forget, record_of
from advisor.execution.store import OnSelection, Store
from advisor.records.results import Cost, Measured, StepResult
from advisor.records.run_folder import hashes

INPUTS = {
    "step": {"distillation": {"epochs": 5, "temperature": 2.0}},
    "training": {"seed": 0, "max_tokens": 128},
    "device": "cpu",
    "input": {"model.safetensors": "a" * 64},
    "teacher": {"model.safetensors": "b" * 64},
    "data": "c" * 64,
    "texts": "d" * 64,
    "versions": {"torch": "2.13.0"},
}


def made(folder: Path, inputs: dict = INPUTS, weights: bytes = b"weights") -> Record:
    """A finished step as a run leaves it."""
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / ".files.json").write_text('["model.safetensors"]')
    result = StepResult("distillation", "distilled", f"steps/{folder.name}", 1, 1, 7, 0.9, Measured(0.97), 0.5)
    return Record(inputs, hashes(folder), result, [[0.1, 0.9]])


def test_a_step_comes_back_in_another_run_under_its_number_there(tmp_path: Path) -> None:
    store, folder = Store(tmp_path / "store"), tmp_path / "run" / "steps" / "1-distillation"
    key = store.keep(made(tmp_path / "first" / "2-distillation"), tmp_path / "first" / "2-distillation")
    folder.parent.mkdir(parents=True)
    found = store.fetch(INPUTS, folder)
    assert found is not None and found.result.path == "steps/1-distillation" and found.scores == [[0.1, 0.9]]
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert record_of(folder, INPUTS)[0] == found, "the run that took it over resumes with it"
    kept = (store.folder / key / "model.safetensors").stat()
    assert kept.st_ino == (folder / "model.safetensors").stat().st_ino, "its bytes are there once"


@pytest.mark.parametrize(
    "change",
    [
        {"input": {"model.safetensors": "a" * 63 + "b"}},
        {"teacher": {"model.safetensors": "b" * 63 + "a"}},
        {"data": "c" * 63 + "d"},
        {"texts": "d" * 63 + "c"},
        {"step": {"distillation": {"epochs": 5, "temperature": 2.0000001}}},
        {"training": {"seed": 1, "max_tokens": 128}},
        {"training": {"seed": 0, "max_tokens": 128, "share": "1/9"}},
        {"versions": {"torch": "2.13.1"}},
        {"device": "cuda"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_inputs_that_differ_in_one_byte_are_two(change: dict, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.keep(made(tmp_path / "first"), tmp_path / "first")
    assert store.key({**INPUTS, **change}) != store.key(INPUTS)
    assert store.fetch({**INPUTS, **change}, tmp_path / "run") is None and not (tmp_path / "run").exists()


def test_an_entry_under_the_hash_of_other_inputs_is_not_taken(tmp_path: Path) -> None:
    """As if two inputs had the same hash: they are compared whole."""
    store, other = Store(tmp_path / "store"), {**INPUTS, "data": "e" * 64}
    key = store.keep(made(tmp_path / "first"), tmp_path / "first")
    (store.folder / key).rename(store.folder / store.key(other))
    (store.folder / f"{key}.json").rename(store.folder / f"{store.key(other)}.json")
    assert store.fetch(other, tmp_path / "run") is None


@pytest.mark.parametrize("damage", ["changed", "gone", "record"])
def test_a_damaged_entry_is_removed_and_made_again(damage: str, tmp_path: Path) -> None:
    store, first = Store(tmp_path / "store"), tmp_path / "first"
    record = made(first)
    key = store.keep(record, first)
    weights = store.folder / key / "model.safetensors"
    weights.unlink()
    if damage != "gone":
        weights.write_bytes(b"weightz" if damage == "changed" else b"weights")
    if damage == "record":
        (store.folder / f"{key}.json").write_text("{")
    assert store.fetch(INPUTS, tmp_path / "run") is None
    assert not (store.folder / key).exists()
    store.keep(record, first)
    assert store.fetch(INPUTS, tmp_path / "run") is not None


def test_a_killed_process_leaves_nothing_that_counts(tmp_path: Path) -> None:
    store, first = Store(tmp_path / "store"), tmp_path / "first"
    record = made(first)
    key = store.key(INPUTS)
    draft = store.folder / f".{key}.draft"
    draft.mkdir(parents=True)
    (draft / "model.safetensors").write_bytes(b"wei")
    (store.folder / key).mkdir()  # its folder was in place, its record was not
    (store.folder / key / ".files.json").write_text("[]")
    assert store.fetch(INPUTS, tmp_path / "run") is None
    assert store.keep(record, first) == key and cost_of(store.folder / key) == Cost()
    assert store.fetch(INPUTS, tmp_path / "run") is not None and not draft.exists()


def test_what_a_model_did_on_the_selection_rows_is_kept_and_damage_is_seen(tmp_path: Path) -> None:
    store, files = Store(tmp_path), {"model.safetensors": "a" * 64}
    assert store.on_selection("k", files) is None
    store.keep_on_selection("k", files, OnSelection([[0.25, 0.75]], 0.5))
    assert store.on_selection("k", files) == OnSelection([[0.25, 0.75]], 0.5)
    assert store.on_selection("k", {"model.safetensors": "b" * 64}) is None, "the same step in other bytes"
    (tmp_path / "k.selection.json").write_text((tmp_path / "k.selection.json").read_text().replace("0.75", "0.76"))
    assert store.on_selection("k", files) is None


def test_whoever_comes_second_with_the_same_step_finds_the_first_ones_whole(tmp_path: Path) -> None:
    """Four searches that keep the same step at the same moment, again and again, each in other bytes."""
    store, together = Store(tmp_path / "store"), Barrier(4, timeout=20)
    records = [made(tmp_path / f"{place}", weights=b"%d" % place) for place in range(4)]

    def keep_and_take(place: int) -> list[Record | None]:
        found = []
        for turn in range(3):
            together.wait()
            if not place and turn:  # as if the entry had been damaged on the disk
                (store.folder / store.key(INPUTS) / "model.safetensors").unlink()
            store.keep(records[place], tmp_path / f"{place}")
            together.wait()
            found.append(store.fetch(INPUTS, tmp_path / f"taken-{place}-{turn}"))
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(keep_and_take, range(4)))
    whole = [dict(one.files) for one in records]
    for turn in range(3):
        files = [found[turn].files for found in taken if found[turn] is not None]
        assert len(files) == 4 and files[0] in whole and all(one == files[0] for one in files), "of one process alone"
        assert all(hashes(tmp_path / f"taken-{place}-{turn}") == files[0] for place in range(4))
    assert {path.name for path in store.folder.iterdir() if path.name.startswith(".")} == {".lock"}, "nothing half done"


def test_two_processes_that_end_at_the_same_moment_share_one_step(tmp_path: Path) -> None:
    first = tmp_path / "first"
    record, go = made(first), tmp_path / "go"
    children = []
    for _ in range(2):
        if not (child := os.fork()):
            failed = 1
            try:
                while not go.exists():
                    pass
                Store(tmp_path / "store").keep(record, first)
                failed = 0
            finally:
                os._exit(failed)
        children.append(child)
    go.touch()
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert Store(tmp_path / "store").fetch(INPUTS, tmp_path / "run") is not None


def test_what_a_killed_process_was_removing_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "0-finetune"
    made(folder)
    (tmp_path / ".0-finetune.draft").mkdir()
    (tmp_path / ".0-finetune.draft" / "model.safetensors").write_bytes(b"half")
    forget(folder)
    assert not list(tmp_path.iterdir())
