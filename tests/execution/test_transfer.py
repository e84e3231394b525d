"""Files between machines: only what is missing is asked for, and what is not as it was told is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from advisor.base.errors import AdviseError
from advisor.execution.resumption import Record
from advisor.execution.store import OnSelection, Store
from advisor.execution.transfer import ALONE, Borrowing, Contents, Files, contents, names, packed, placed, unpacked
from advisor.records.results import Measured, StepResult
from advisor.records.run_folder import hashes
from advisor.tuning.cluster import Keeper

INPUTS = {"step": {"finetune": {"epochs": 3}}, "data": "c" * 64}


class Counted:
    """The driver's files; counts what is asked for."""

    def __init__(self, sources: dict[str, Contents], store: Store) -> None:
        self.keeper, self.asked = Keeper(sources, store), list[str]()

    def file(self, path: str, name: str) -> bytes:
        self.asked.append(name)
        return self.keeper.file(path, name)

    def entry(self, key: str) -> Files | None:
        self.asked.append(key)
        return self.keeper.entry(key)


def made(folder: Path) -> Record:
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / ".files.json").write_text('["model.safetensors"]')
    result = StepResult("finetune", "fine-tuned", f"steps/{folder.name}", 1, 1, 7, 0.9, Measured(0.97), 0.5)
    return Record(INPUTS, hashes(folder), result, [[0.1, 0.9]])


def elsewhere(found: Contents, keeper: Keeper) -> Contents:
    """The contents as a machine sees them that has nothing at that path."""
    other = found._replace(path=f"/nowhere{found.path}")
    keeper.offered[other.path] = found.files
    return other


class Moved(Counted):
    """Answers for paths that are not on this machine, from those that are."""

    def file(self, path: str, name: str) -> bytes:
        return super().file(path.removeprefix("/nowhere"), name)


def test_files_that_are_here_stay_and_others_are_asked_for_once(tmp_path: Path) -> None:
    data = tmp_path / "glue" / "sst2"
    data.mkdir(parents=True)
    (data / "train.csv").write_text("text,label\n")
    (data / "test.csv").write_text("text,label\nno,0\n")
    found = contents(data)
    source = Moved({"data": found}, Store(tmp_path / "store"))
    assert placed(found, tmp_path / "cache", source) == data
    assert source.asked == []
    other = elsewhere(found, source.keeper)
    for _ in range(2):
        copy = placed(other, tmp_path / "cache", source)
        assert (copy / "test.csv").read_text() == "text,label\nno,0\n"
    assert copy.parts[-2:] == ("glue", "sst2"), "data sets are known by their names"
    assert source.asked == ["test.csv", "train.csv"]


def test_a_file_alone_is_told_like_a_folder(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\n")
    found = contents(tmp_path / "rows.csv")
    source = Moved({"data": found}, Store(tmp_path / "store"))
    copy = placed(elsewhere(found, source.keeper), tmp_path / "cache", source)
    assert (copy.name, copy.read_text(), source.asked) == ("rows.csv", "text,label\n", [ALONE])


def test_what_changed_on_the_way_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\n")
    found = contents(file)
    source = Moved({"data": found}, Store(tmp_path / "store"))
    other = elsewhere(found, source.keeper)
    file.write_text("text,label\nno,0\n")
    with pytest.raises(AdviseError, match="changed since the search began"):
        placed(other, tmp_path / "cache", source)
    with pytest.raises(AdviseError, match="is no file of this search"):
        source.keeper.file(str(file), "../secret")


def test_a_step_goes_to_a_worker_and_what_it_makes_comes_back(tmp_path: Path) -> None:
    driver = Store(tmp_path / "driver")
    record = made(tmp_path / "run" / "0-finetune")
    key = driver.keep(record, tmp_path / "run" / "0-finetune")
    source = Counted({}, driver)
    worker = Borrowing(tmp_path / "worker", source)
    (tmp_path / "there").mkdir()
    for turn in range(2):
        fetched = worker.fetch(INPUTS, tmp_path / "there" / f"{turn}-finetune")
        assert fetched is not None and fetched.scores == record.scores
    assert (source.asked, worker.used) == ([key], {key}), "a step is carried once"
    assert source.keeper.missing({key: names(worker, key)}) == {}, "nobody has asked it on the selection rows"
    worker.keep_on_selection(key, record.files, OnSelection([[0.2, 0.8]], 0.5))
    lacking = source.keeper.missing({key: names(worker, key)})
    assert lacking == {key: [f"{key}.selection.json"]}, "its weights are not carried again"
    files = packed(worker, key, lacking[key])
    assert files is not None and list(files) == lacking[key]
    unpacked(driver, key, files)
    assert source.keeper.missing({key: names(worker, key)}) == {}
    assert driver.on_selection(key, record.files) == OnSelection([[0.2, 0.8]], 0.5)


def test_of_two_workers_of_a_machine_one_asks_for_a_step(tmp_path: Path) -> None:
    driver = Store(tmp_path / "driver")
    key = driver.keep(made(tmp_path / "run" / "0-finetune"), tmp_path / "run" / "0-finetune")
    source = Counted({}, driver)

    def fetched(place: int) -> Record | None:
        (tmp_path / f"{place}").mkdir()
        return Borrowing(tmp_path / "worker", source).fetch(INPUTS, tmp_path / f"{place}" / "0-finetune")

    with ThreadPoolExecutor(4) as pool:
        assert None not in list(pool.map(fetched, range(4)))
    assert source.asked == [key]


def test_steps_on_the_way_are_carried_once(tmp_path: Path) -> None:
    """Two nodes that part after fine-tuning: it was never asked on the selection rows, and the driver has it."""
    driver = Store(tmp_path / "driver")
    keeper = Keeper({}, driver)
    carried = []
    for _ in range(2):
        worker = Borrowing(tmp_path / "worker", Counted({}, driver))
        if worker.fetch(INPUTS, tmp_path / "0-finetune") is None:
            worker.keep(made(tmp_path / "run" / "0-finetune"), tmp_path / "run" / "0-finetune")
        (key,) = worker.used
        lacking = keeper.missing({key: names(worker, key)})
        carried.append({key: packed(worker, key, found) or {} for key, found in lacking.items()})
        for one, files in carried[-1].items():
            unpacked(driver, one, files)
    assert [sum(len(files) for files in one.values()) for one in carried] == [3, 0]


def test_a_new_step_of_a_worker_counts_in_the_drivers_store(tmp_path: Path) -> None:
    driver = Store(tmp_path / "driver")
    driver.folder.mkdir()
    worker = Borrowing(tmp_path / "worker", Counted({}, driver))
    assert worker.fetch(INPUTS, tmp_path / "0-finetune") is None
    key = worker.keep(made(tmp_path / "run" / "0-finetune"), tmp_path / "run" / "0-finetune")
    unpacked(driver, key, packed(worker, key) or {})
    assert driver.fetch(INPUTS, tmp_path / "0-finetune") is not None
    assert packed(driver, "0" * 64) is None


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "other/model.safetensors"])
def test_a_worker_writes_nothing_but_its_step(tmp_path: Path, name: str) -> None:
    with pytest.raises(AdviseError, match="none of step abc"):
        unpacked(Store(tmp_path), "abc", {name: b""})
    assert list(tmp_path.iterdir()) == []
