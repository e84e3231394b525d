"""The demo's data: real docstrings of the standard library's packages, and small packages with one fault each."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.base.errors import AdviseError
from advisor.base.install import pip_command
from advisor.execution import demo

NAMES = demo.name_pattern(["alpha"])
STANDARD = ("asyncio", "email")
# Number words keep any two docstrings of the small packages from sharing eight words in a row.
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
FIRST = {"alpha": 0, "beta": 300, "gamma": 600}


def cleaned(doc: str) -> str:
    return demo.clean(doc, NAMES)


def package(root: Path, name: str, files: int, each: int = 2) -> Path:
    """A package whose file number n holds the functions number n * each and following."""
    (root / name).mkdir(parents=True)
    for file in range(files):
        functions = [f'def f{n}():\n    """{sentence(name, n)}"""\n' for n in range(file * each, (file + 1) * each)]
        (root / name / f"m{file}.py").write_text("\n".join(functions), encoding="utf-8")
    return root / name


def sentence(name: str, number: int) -> str:
    digits = [WORDS[int(digit)] for digit in f"{FIRST[name] + number:03d}"]
    return " ".join([f"The {name} of", *digits, "holds", *digits, "and also", *digits, "in", *digits]) + "."


def fresh_python(code: str) -> list[str]:
    """The lines that code prints in an interpreter of its own, with another hash seed."""
    imports = "import sys; from pathlib import Path; from advisor.execution import demo"
    command = [sys.executable, "-c", f"{imports}; {code}"]
    root, env = Path(demo.__file__).parents[2], {**os.environ, "PYTHONHASHSEED": "7"}
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=root, env=env).stdout.splitlines()


def written(folder: Path) -> dict[str, list[dict[str, str]]]:
    files = {split: (folder / f"{split}.jsonl").read_text("utf-8").splitlines() for split in demo.SPLITS}
    return {split: [json.loads(line) for line in lines] for split, lines in files.items()}


def texts(folder: Path) -> list[str]:
    return [row["text"] for rows in written(folder).values() for row in rows]


@pytest.fixture(scope="module")
def standard() -> dict[str, Path | None]:
    return demo.package_roots(STANDARD)


@pytest.fixture(scope="module")
def real(standard: dict[str, Path | None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    demo.write_data(folder, rows=80, roots=standard)
    return folder


@pytest.mark.parametrize(
    ("doc", "text"),
    [
        pytest.param("Plain words stay.\nSo do two lines.", "Plain words stay. So do two lines.", id="prose"),
        pytest.param("See `~a.b.Thing` and :func:`a.do`.", "See Thing and do.", id="paths and roles"),
        pytest.param("See [`Thing`](https://x.org/a) and `text <a.b>`_ [1]_.", "See Thing and b.", id="links"),
        pytest.param("Go to https://x.org/a or mail me@x.org now.", "Go to or mail now.", id="addresses"),
        pytest.param("Adds two.\n\n>>> f(1, 1)\n2\n\nMore.", "Adds two.", id="example ends it"),
        pytest.param("Adds two, as\n>>> f(1, 1)\n2", "Adds two, as", id="example in a paragraph"),
        pytest.param("Adds.\n\nParameters\n----------\nx : int\n    A number.", "Adds.", id="numpydoc table"),
        pytest.param("Adds.\n\nArgs:\n    x (`int`): A number.", "Adds.", id="google table"),
        pytest.param("Adds.\n\n:param x: a number", "Adds.", id="field list"),
        pytest.param("size (`int`, *optional*): the size", "", id="field alone"),
        pytest.param("Sums.\n\n* one\n* two\n\n    code()\n\nThen stops.", "Sums. Then stops.", id="list and code"),
        pytest.param("Title\n=====\n\nWhat it does.", "What it does.", id="title first"),
        pytest.param("Copyright 2020 X.\nAll rights reserved.\n\nReads.", "Reads.", id="owner"),
        pytest.param("Größe → “size” of $x$.", "Gr e size of x.", id="ascii only"),
        pytest.param("", "", id="empty"),
    ],
)
def test_clean_leaves_prose(doc: str, text: str) -> None:
    assert cleaned(doc) == text


@pytest.mark.parametrize(
    ("doc", "text"),
    [
        pytest.param("An Alpha thing, from alpha.", "An library thing, from library.", id="name"),
        pytest.param("An AlphaGraph or to_alpha_array.", "An library or library.", id="inside a word"),
        pytest.param("Calls alpha.core.run on alpha.", "Calls run on library.", id="path"),
        pytest.param("PyTorch, NumPy and Hugging Face.", "library, library and library.", id="other libraries"),
        pytest.param("A np array, from_np, HF.", "A library array, from_library, library.", id="short forms"),
        pytest.param("The input of shelf npy.", "The input of shelf npy.", id="inside a word is no short form"),
    ],
)
def test_names_are_masked(doc: str, text: str) -> None:
    assert cleaned(doc) == text


def test_long_text_ends_with_a_sentence() -> None:
    assert cleaned("One two three. " * 30) == " ".join(["One two three."] * 20)
    assert cleaned("word " * 100).split() == ["word"] * demo.LONGEST


def test_fresh_drops_short_exact_and_near_duplicates() -> None:
    first = "Return the sum of all 3 numbers in the given list or zero."
    near = "Return the sum of  all 45 Numbers in the given table, never one of none."
    other = "Write every number of the given list to a file, one a line each."
    assert list(demo.fresh([first, "Too short.", first, near, other], set())) == [first, other]


def test_docstrings_of_modules_classes_and_methods(tmp_path: Path) -> None:
    file = tmp_path / "m.py"
    file.write_text('"""M."""\nclass C:\n    """C."""\n    def f(self):\n        """F."""\nx = "\\d"\n')
    assert [doc for doc in demo.docstrings(file) if doc] == ["M.", "C.", "F."]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(b"def (:", id="syntax"),
        pytest.param(b'"""\xff\xfe"""', id="not utf-8"),
        pytest.param(b'"""a\x00"""', id="null byte"),
        pytest.param(b"# coding: nonsense\n", id="unknown encoding"),
        pytest.param(b'"""Doc."""' + b"\n" * demo.BIGGEST, id="huge"),
    ],
)
def test_unreadable_file_has_no_docstrings(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "m.py").write_bytes(source)
    assert not any(demo.docstrings(tmp_path / "m.py"))
    assert not any(demo.docstrings(tmp_path / "missing.py"))


def test_declared_encoding_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_bytes('# coding: latin-1\n"""Größe."""'.encode("latin-1"))
    assert list(demo.docstrings(tmp_path / "m.py")) == ["Größe."]


def test_real_rows_are_balanced(real: Path) -> None:
    for split, quota in {"test": 10, "validation": 4, "train": 26}.items():
        labels = [row["label"] for row in written(real)[split]]
        assert {name: labels.count(name) for name in STANDARD} == dict.fromkeys(STANDARD, quota)
        assert labels != sorted(labels)


def test_real_rows_are_the_same_again(standard: dict[str, Path | None], real: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        demo.write_data(tmp_path / str(seed), rows=80, seed=seed, roots=standard)
    assert written(tmp_path / "0") == written(real)
    assert set(texts(tmp_path / "1")) != set(texts(real))


def test_rows_do_not_hang_on_the_hash_seed(real: Path, tmp_path: Path) -> None:
    fresh_python(f"demo.write_data(Path({str(tmp_path)!r}), rows=80, roots=demo.package_roots({STANDARD}))")
    assert written(tmp_path) == written(real)


def test_real_texts_share_no_eight_words(real: Path) -> None:
    words = [re.sub(r"[\W_]+", " ", re.sub(r"\d+", "0", text.lower())).split() for text in texts(real)]
    runs = [run for text in words for run in {tuple(text[at : at + 8]) for at in range(len(text) - 7)}]
    assert len(runs) == len(set(runs)) > 1000


def test_real_texts_name_no_library(real: Path) -> None:
    found = texts(real)
    assert not [text for text in found if re.search("|".join((*STANDARD, *demo.STEMS)), text, re.IGNORECASE)]
    assert any(demo.MASK in text.split() for text in found)
    assert all(demo.SHORTEST <= len(text.split()) <= demo.LONGEST for text in found)


def test_no_file_in_two_splits(standard: dict[str, Path | None], real: Path) -> None:
    names, places = demo.name_pattern(STANDARD), {}
    for label, root in standard.items():
        for file in root.rglob("*.py"):
            place = (label, *file.relative_to(root).parts[:2])
            places |= {(label, demo.clean(doc, names)): place for doc in demo.docstrings(file)}
    of = {split: {places[row["label"], row["text"]] for row in rows} for split, rows in written(real).items()}
    assert min(map(len, of.values())) > len(STANDARD)
    assert len(set.union(*of.values())) == sum(map(len, of.values()))


def test_tests_of_a_package_are_not_read(tmp_path: Path) -> None:
    root = package(tmp_path, "alpha", 30)
    (root / "tests").mkdir()
    (root / "tests" / "m.py").write_text('"""One two."""')
    (root / "test_m.py").write_text('"""One two."""')
    files = [file for _, files in demo.source_files(root, random.Random(0)) for file in files]
    assert len(files) == 30


def test_summary_counts_what_was_written(tmp_path: Path) -> None:
    roots = {name: package(tmp_path, name, 30) for name in ("alpha", "beta")}
    summary = demo.write_data(tmp_path / "out", rows=80, roots=roots)
    per_library = {"test": 10, "validation": 4, "train": 26}
    assert summary == demo.Summary({"alpha": per_library, "beta": per_library}, {})
    assert {split: summary.rows(split) for split in demo.SPLITS} == {"test": 20, "validation": 8, "train": 52}


def test_a_library_with_few_docstrings_shrinks_the_others(tmp_path: Path) -> None:
    roots = {"alpha": package(tmp_path, "alpha", 50), "beta": package(tmp_path, "beta", 16)}
    summary = demo.write_data(tmp_path / "out", rows=80, roots=roots)
    assert summary.counts["alpha"] == summary.counts["beta"] == {"test": 8, "validation": 3, "train": 20}


def test_a_library_with_too_few_is_left_out(tmp_path: Path) -> None:
    roots = {name: package(tmp_path, name, files) for name, files in [("alpha", 40), ("beta", 40), ("gamma", 4)]}
    summary = demo.write_data(tmp_path / "out", rows=120, roots=roots | {"delta": None})
    assert set(summary.counts) == {"alpha", "beta"}
    assert summary.left_out == {"delta": "not installed", "gamma": "8 docstrings of 20"}


def test_one_library_is_an_error(tmp_path: Path) -> None:
    roots = {"alpha": package(tmp_path, "alpha", 40), "beta": None}
    with pytest.raises(AdviseError) as error:
        demo.write_data(tmp_path / "out", rows=40, roots=roots)
    assert str(error.value) == (
        f"the demo needs docstrings of two libraries (beta: not installed)\n  try: {pip_command('demo')}"
    )
    assert not (tmp_path / "out").exists()


def test_no_library_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match="two libraries"):
        demo.write_data(tmp_path / "out", roots={})


def test_too_few_rows_is_an_error(tmp_path: Path) -> None:
    roots = {name: package(tmp_path, name, 3) for name in ("alpha", "beta")}
    with pytest.raises(AdviseError, match="rows: expected at least 40, got 30"):
        demo.write_data(tmp_path / "out", rows=30, roots=roots)


def test_missing_package_has_no_root() -> None:
    assert demo.package_roots(["no_such_package_here"]) == {"no_such_package_here": None}


def test_missing_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "MODEL", "no_such_package_here")
    with pytest.raises(AdviseError) as error:
        demo.model_folder()
    assert str(error.value) == (
        f"the demo's model is missing: package no_such_package_here is not installed\n  try: {pip_command('demo')}"
    )


@pytest.mark.skipif(importlib.util.find_spec(demo.MODEL) is None, reason="the extra [demo] is not installed")
def test_model_folder_without_importing_it() -> None:
    folder, imported = fresh_python("print(demo.model_folder()); print({demo.MODEL, 'torch'} & set(sys.modules))")
    assert json.loads((Path(folder) / "config.json").read_text("utf-8"))["model_type"] == "bert"
    assert imported == "set()"
