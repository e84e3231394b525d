"""Spoilt bytes and values for each reader of data, models and runs: a result or an error in words, nothing else.

ADVISE_FUZZ=2000 pytest tests/whole/test_fuzz_readers.py looks longer than the suite does, `-m slow` at 100,000 cases,
in ten pieces.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import students
import tables
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import spoilt, trees

from advisor.base.errors import AdviseError
from advisor.base.unsafe_files import danger
from advisor.compute.data.dataset import load
from advisor.compute.structure import checkpoint
from advisor.compute.tasks.text_classification import TextClassification

COUNT = int(os.environ.get("ADVISE_FUZZ", "40"))
SECONDS, KILOBYTES = 60, 2_000_000  # of one case, and of all cases: no reader needs so much for files so small
looking = settings(
    max_examples=COUNT, deadline=timedelta(seconds=SECONDS), suppress_health_check=list(HealthCheck), database=None
)
SCHEMES = ("a.csv", "a.jsonl", "a.json", "a.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small file of each format, in order."""
    made = tmp_path_factory.mktemp("files")
    return {name: Path(tables.write(made / name, tables.reviews(40))).read_bytes() for name in SCHEMES}


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes of which some are replaced, cut out, doubled or cut off."""
    found = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place, length = draw(st.integers(0, max(0, len(found) - 1))), draw(st.integers(0, 40))
        action = draw(st.sampled_from(["replace", "cut", "double", "end", "insert"]))
        if action == "replace":
            found[place : place + length] = draw(st.binary(min_size=length, max_size=length))
        elif action == "insert":
            found[place:place] = draw(st.sampled_from([b"\0", b"\xff\xfe", b'"', b"\n", b"[{", b",", b"\r", b"NaN"]))
        elif action == "double":
            found[place:place] = found[place : place + length]
        else:
            del found[place : place + length if action == "cut" else None]
    return bytes(found)


def answers(work: Callable[[], object]) -> None:
    """Do it: whatever is wrong with the input is said in words, in time and in bounded memory."""
    begun = monotonic()
    try:
        work()
    except AdviseError as error:
        assert error.faults and all(fault.message for fault in error.faults)
    assert monotonic() - begun < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 3 * KILOBYTES


def read(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    answers(lambda: load(str(folder / name)))


@looking
@given(st.data())
def test_damaged_data(folder: Path, files: dict[str, bytes], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SCHEMES))
    read(folder, name, data.draw(damaged(files[name]) | st.binary(max_size=200)))


@looking
@given(spoilt([{"text": f"text {number}", "label": number % 2} for number in range(12)]) | trees)
def test_spoilt_rows(folder: Path, rows: Any) -> None:
    text = json.dumps(rows, default=str).encode("utf-8", "surrogatepass")
    read(folder, "b.json", text)
    lines = rows if isinstance(rows, list) else [rows]
    read(folder, "b.jsonl", b"\n".join(json.dumps(row, default=str).encode() for row in lines))


def model_of(checkpoints: dict[str, Path], folder: Path) -> Path:
    target = folder / "model"
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(checkpoints["bert"], target))


@looking
@given(st.data())
def test_a_spoilt_checkpoint(checkpoints: dict[str, Path], folder: Path, data: st.DataObject) -> None:
    model = model_of(checkpoints, folder)
    name = data.draw(st.sampled_from(["tokenizer.json", "tokenizer_config.json", "config.json"]))
    value = json.loads((model / name).read_text())
    if name == "tokenizer.json":  # its words are not what is spoilt
        value["model"]["vocab"] = dict(list(value["model"]["vocab"].items()))
    (model / name).write_text(json.dumps(data.draw(shallow(value) | trees), default=str))
    answers(lambda: checkpoint.load(model, students.family("bert"), TextClassification(("a", "b"))))


@st.composite
def shallow(draw: st.DrawFn, value: dict[str, Any]) -> dict[str, Any]:
    """A mapping of which one value, or one of a mapping in it, is another."""
    key = draw(st.sampled_from(sorted(value)))
    inner = value[key]
    if isinstance(inner, dict) and inner and draw(st.booleans()):
        return {**value, key: {**inner, draw(st.sampled_from(sorted(inner))): draw(trees)}}
    return {**value, key: draw(trees)}


@looking
@given(st.data())
def test_damaged_weights(checkpoints: dict[str, Path], folder: Path, data: st.DataObject) -> None:
    model = model_of(checkpoints, folder)
    file = model / data.draw(st.sampled_from(["model.safetensors", "model.safetensors.index.json", "tokenizer.json"]))
    content = file.read_bytes() if file.is_file() else b'{"metadata": {}, "weight_map": {"a": "x.safetensors"}}'
    head = data.draw(damaged(content[:2000]))
    if file.name.endswith("index.json"):
        (model / "model.safetensors").rename(model / "x.safetensors")
    file.write_bytes(head + content[2000:])
    answers(lambda: checkpoint.load(model, students.family("bert"), TextClassification(("a", "b"))))


@looking
@given(st.binary(max_size=300))
def test_any_bytes_are_looked_at_for_pickles(folder: Path, content: bytes) -> None:
    (folder / "x.txt").write_bytes(content)
    answers(lambda: danger(folder / "x.txt"))


@pytest.mark.slow
@pytest.mark.parametrize("piece", range(10))
def test_a_hundred_thousand_cases(piece: int, folder: Path, files: dict[str, bytes]) -> None:
    """Damaged files, by a generator that is quicker than hypothesis. A case that ends the process names its seed."""
    seed = folder / "seed"
    for number in range(piece * 10_000, (piece + 1) * 10_000):
        random_ = random.Random(number)
        seed.write_text(str(number))
        name = random_.choice(SCHEMES)
        content = bytearray(files[name])
        for _ in range(random_.randint(1, 6)):
            place = random_.randrange(len(content) + 1)
            content[place : place + random_.randint(0, 9)] = random_.randbytes(random_.randint(0, 9))
        if number % 10:
            (folder / "x").write_bytes(content)
            answers(lambda: danger(folder / "x"))
        else:
            read(folder, name, bytes(content))


def test_the_fuzzed_files_are_in_order(files: dict[str, bytes], folder: Path) -> None:
    """Else nothing would be found out but that rubbish is refused."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
        assert load(str(folder / name)).samples == 32
    assert io.BytesIO(files["a.parquet"]).read(4) == b"PAR1"
