"""CoNLL's files: sentences between blank lines, the last column by default, others by name, faults with their line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from advisor.base.errors import AdviseError
from advisor.compute.data.dataset import TaskData, load
from advisor.compute.tasks.reading import reading

SENTENCE = "{} NNP B-NP B-PER\nlives VBZ B-VP O\n# IN B-PP O\n"
FILE = "-DOCSTART- -X- -X- O\n\n" + "\n".join(SENTENCE.format(f"Anna{n}") for n in range(9))
TWO = "".join(f"Anna{n}\tB-PER\n#\tO\n\n" for n in range(9)) + "\n\n"


def loaded(path: Path, label: str | None = None) -> TaskData:
    return load(str(path), label=label, task="token-classification", read_rows=reading("token-classification"))


@pytest.mark.parametrize(("name", "text"), [("a.conll", FILE), ("a.txt", FILE), ("a.bio", TWO), ("a.conll.gz", FILE)])
def test_sentences_are_read(name: str, text: str, tmp_path: Path) -> None:
    data = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = loaded(tmp_path / name)
    texts = {one for rows in (found.train, found.selection, found.report) for one in rows.texts}
    wanted = {(f"Anna{n}", "lives", "#") if text is FILE else (f"Anna{n}", "#") for n in range(9)}
    assert texts == wanted and found.label_names == ("O", "B-PER")
    assert [note.split(": ", 1)[1] for note in found.notes] == (
        ["4 columns: words in the first, tags in the last; --label column_3 names another"] if text is FILE else []
    )


def test_another_column_is_named_and_a_folder_has_splits(tmp_path: Path) -> None:
    for part in ("train", "dev", "test"):
        (tmp_path / f"{part}.txt").write_text(FILE.replace("Anna", f"Anna of {part}".replace(" ", "-")))
    (tmp_path / "README.txt").write_text("how these files were made\n")
    found = loaded(tmp_path, "column_3")
    assert found.label_names == ("O", "B-NP", "B-PP", "B-VP")
    assert (found.samples, len(found.selection), found.eval_samples) == (9, 9, 9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Anna B-PER\nlives in O\n", "line 2 has 3 fields, those before it 2: 'lives in O'"),
        ("Anna\nlives\n", "expected a word and its tag in each line"),
        ("\n\n", "expected a word and its tag in each line"),
        ("Anna PERSON\nlives O\n", "has tags that name no entity: PERSON"),
    ],
)
def test_lines_that_make_no_sense_are_told(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.conll"
    file.write_text(text)
    with pytest.raises(AdviseError) as error:
        loaded(file)
    assert said in str(error.value)


def test_other_texts_are_no_data(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words without tags\n")
    with pytest.raises(AdviseError, match="holds texts alone, without a label"):
        loaded(tmp_path / "notes.txt")
    with pytest.raises(AdviseError, match="holds texts alone, without a label"):
        loaded(tmp_path)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "train.csv").write_text("text,label\n")
    with pytest.raises(AdviseError, match=r"no data files in this folder\n  try: give one of its folders: inner"):
        loaded(tmp_path)


@pytest.mark.parametrize(("encoding", "said"), [("utf-8-sig", ""), ("utf-16", "read as utf-16"), ("cp1252", "cp1252")])
def test_files_of_other_encodings_are_read(encoding: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(TWO.replace("Anna", "Zoë").encode(encoding))
    found = loaded(tmp_path / "a.txt")
    assert ("Zoë3", "#") in {one for rows in (found.train, found.selection, found.report) for one in rows.texts}
    assert said in " ".join(found.notes)


def test_blanks_within_a_word_and_comments_are_told_from_fields(tmp_path: Path) -> None:
    sentence = "# id = {}\n# NNP B-NP O\n#go NNP B-NP O\n10\u00a0000 CD I-NP O\nAnna\u2028{} NNP B-NP B-PER\u00a0\n\n"
    (tmp_path / "a.conll").write_text("".join(sentence.format(n, n) for n in range(9)))
    for label in ("ner_tags", "column_3"):
        found = loaded(tmp_path / "a.conll", label)
        words = {one for rows in (found.train, found.selection, found.report) for one in rows.texts}
        assert words == {("#", "#go", "10\u00a0000", f"Anna\u2028{n}") for n in range(9)}
        assert found.label_names in (("O", "B-PER"), ("O", "B-NP", "I-NP"))


def test_a_comment_before_a_sentence_of_two_columns_is_no_word(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("".join(f"# doc{n}\nAnna{n}\u3000B-PER\n# O\n\n" for n in range(9)))
    found = loaded(tmp_path / "a.conll")
    assert {len(one) for one in found.train.texts} == {2}
