"""Plain text as people have it: books and corpora in .txt, from which a language model learns."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tables import reviews, write

from advisor.base.errors import AdviseError
from advisor.compute.data import dataset
from advisor.compute.tasks.reading import reading

BOOK = "".join(f"Chapter {number}\nIt was a dark night,\nand {number} owls flew.\n \n\n" for number in range(40))
LINES = "".join(f"Line {number} says all.\n" for number in range(40))


def loaded(source: Path, task: str = "text-generation") -> dataset.TaskData:
    return dataset.load(str(source), task=task, read_rows=reading(task))


def texts(data: dataset.TaskData) -> set[str]:
    return {text for rows in (data.train, data.selection, data.report) for text in rows.texts}  # type: ignore[misc]


@pytest.mark.parametrize(
    ("content", "first", "parted"),
    [
        (BOOK, "Chapter 0\nIt was a dark night,\nand 0 owls flew.", "40 texts, parted by blank lines"),
        (BOOK.replace("\n", "\r\n"), "Chapter 0\nIt was a dark night,\nand 0 owls flew.", "40 texts, parted by"),
        (f"\n\n{LINES}\n\n", "Line 0 says all.", "40 texts, one a line"),
    ],
    ids=["paragraphs", "paragraphs of Windows", "lines"],
)
def test_texts_are_paragraphs_or_lines_and_that_is_said(content: str, first: str, parted: str, tmp_path: Path) -> None:
    file = tmp_path / "book.txt"
    file.write_bytes(content.encode())
    data = loaded(file)
    assert first in texts(data) and len(texts(data)) == 40
    assert data.notes[0].startswith(f"{file}: {parted}")


def test_a_folder_of_splits_and_a_packed_file(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        (tmp_path / f"{part}.txt").write_text(LINES.replace("Line", part))
    (tmp_path / "readme.txt").write_text("what this is\n")
    data = loaded(tmp_path)
    assert all(text.startswith("train ") for text in data.train.texts)  # type: ignore[union-attr]
    assert all(text.startswith("test ") for text in data.report.texts)  # type: ignore[union-attr]
    packed = tmp_path / "book.txt.gz"
    packed.write_bytes(gzip.compress(BOOK.encode()))
    assert len(texts(loaded(packed))) == 40


def test_a_folder_of_books_is_one_set_of_texts(tmp_path: Path) -> None:
    (tmp_path / "emma.txt").write_text(BOOK)
    assert len(texts(loaded(tmp_path))) == 40
    for number in range(4):
        (tmp_path / f"ulysses-{number}.txt").write_text(LINES.replace("says", f"says {number}"))
    data = loaded(tmp_path)
    assert len(texts(data)) == 200
    named = "emma.txt, ulysses-0.txt, ulysses-1.txt, ulysses-2.txt, ulysses-3.txt"
    assert data.notes[0] == f"{tmp_path}: read as one set of texts, as no name tells of a split: {named}"
    assert len(data.notes) == 4
    (tmp_path / "README.txt").write_text("what this is\n")
    assert loaded(tmp_path).notes[1] == f"{tmp_path}: left out: README.txt"
    (tmp_path / "copy.txt").write_text(BOOK)
    with pytest.raises(AdviseError, match=r"has the same content as copy\.txt, so rows would count twice"):
        loaded(tmp_path)
    (tmp_path / "copy.txt").rename(tmp_path / "train.txt")
    assert len(texts(loaded(tmp_path))) == 40  # a file is named after a split, so the others are none of them
    (tmp_path / "train.txt").rename(tmp_path / "ptb.train.txt")
    with pytest.raises(AdviseError, match="cannot tell which split these files are"):
        loaded(tmp_path)


def test_text_of_windows_is_read_and_said(tmp_path: Path) -> None:
    file = tmp_path / "old.txt"
    file.write_bytes(LINES.replace("says", "sagt für").encode("cp1252"))
    data = loaded(file)
    assert "Line 3 sagt für all." in texts(data)
    assert f"{file}: read as cp1252: it is not UTF-8" in data.notes


def test_other_tasks_refuse_texts_alone(tmp_path: Path) -> None:
    file = tmp_path / "train.txt"
    file.write_text(LINES)
    for task in ("text-classification", "token-classification", "summarization"):
        with pytest.raises(AdviseError, match="holds texts alone, without a label or an answer") as error:
            loaded(file, task)
        assert "a language model learns from texts alone: data: {task: text-generation}" in str(error.value)


def test_beside_data_a_txt_is_no_data(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", reviews(40))
    for name in ("train.txt", "labels.txt"):
        (tmp_path / name).write_text(LINES)
    data = loaded(tmp_path, "text-classification")
    assert len(data.train) + len(data.selection) + len(data.report) == 40 and not data.unlabelled_samples


def test_texts_without_labels_beside_a_table_are_distilled_on(tmp_path: Path) -> None:
    table = reviews(40)
    write(tmp_path / "train.csv", {"review": table["text"], "label": table["label"]})
    (tmp_path / "unlabelled.txt").write_text(f"{LINES}{table['text'][0]}\n")
    data = loaded(tmp_path, "text-classification")
    assert data.columns.text == "review" and "Line 7 says all." in data.unlabelled.texts
    assert f"{tmp_path}/unlabelled.txt: 41 texts, one a line" in data.notes
    write(tmp_path / "unlabelled.csv", {"review": ["one", "two"]})
    with pytest.raises(AdviseError, match=r"the unlabelled split is there as \.csv and as \.txt"):
        loaded(tmp_path, "text-classification")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\n \n", "all rows are blank in column 'text'"), (b"", "the file is empty"), (b"a\0b" * 9, "has zero bytes")],
)
def test_what_is_no_text_is_told(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(AdviseError) as error:
        loaded(tmp_path / "a.txt")
    assert told in str(error.value)


def test_a_corpus_in_one_line_is_told_how_texts_are_parted(tmp_path: Path) -> None:
    file = tmp_path / "text8.txt"
    file.write_text("anarchism originated as a term of abuse " * 100)
    with pytest.raises(AdviseError, match="needs 4 different texts, and there are 1") as told:
        loaded(file)
    assert told.value.faults[0].hint == "part its texts by blank lines, or write one a line"
