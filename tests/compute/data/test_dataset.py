"""Splits of labelled text: which file gives which part, disjoint, stratified and seeded; and real data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tables import NAMES, WORDS, Table, faults, reviews, texts, write

from advisor.base.errors import AdviseError
from advisor.compute.data.dataset import Columns, TaskData, load

DATA = Path(__file__).parents[4] / "shared" / "data"


def assert_sound(data: TaskData) -> None:
    """The parts share no content, every label is one of train's, and every class is named."""
    parts = [set(rows.contents()) for rows in (data.train, data.selection, data.report)]
    assert all(parts) and len(set.union(*parts)) == sum(map(len, parts))
    assert len(set(data.train.labels)) > 1
    assert set(data.selection.labels + data.report.labels) <= set(data.train.labels)
    assert max(data.train.labels) < len(data.label_names)


GIVEN = {
    "three": (["train", "validation", "test"], (200, 40, 40), ("validation", "test")),
    "dev": (["train", "dev"], (168, 32, 40), ("train", "dev")),
    "test": (["train", "test"], (168, 32, 40), ("train", "test")),
    "one": (["train"], (160, 20, 20), ("train", "train")),
    "only-validation": (["valid"], (32, 4, 4), ("valid", "valid")),
    "with-unsupervised": (["train", "unsupervised"], (160, 20, 20), ("train", "train")),
}


@pytest.mark.parametrize(("names", "sizes", "origins"), GIVEN.values(), ids=GIVEN)
@pytest.mark.parametrize("saved", [False, True], ids=["files", "saved"])
def test_which_split_gives_which_part(
    tmp_path: Path, names: list[str], sizes: tuple[int, ...], origins: tuple[str, str], saved: bool
) -> None:
    tables = {name: reviews(200 if name == "train" else 40, 1000 * i) for i, name in enumerate(names)}
    if "unsupervised" in tables:
        tables["unsupervised"] = {"text": tables["unsupervised"]["text"]} | ({"label": [-1] * 40} if saved else {})
    if saved:
        whole = datasets.DatasetDict({name: datasets.Dataset.from_dict(table) for name, table in tables.items()})
        whole.with_format("numpy").save_to_disk(str(tmp_path))
    for name, table in tables.items():
        if not saved:
            write(tmp_path / f"{name}.parquet", table, NAMES if "label" in table else None)
    data = load(str(tmp_path))
    assert_sound(data)
    assert (data.samples, len(data.selection), data.eval_samples) == sizes
    assert texts(data.selection) <= set(tables[origins[0]]["text"])
    assert texts(data.report) <= set(tables[origins[1]]["text"])
    assert data.unlabelled_samples == (40 if "unsupervised" in names else 0)
    assert (origins[0] == names[0]) == ("selection: " in data.origin and "rows set apart from" in data.origin)


def test_origin_is_one_sentence_with_files_and_seed(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", reviews(200))
    write(tmp_path / "test.csv", reviews(40, 500))
    assert load(str(tmp_path), seed=7).origin == (
        f"train: 168 rows of {tmp_path}/train.csv; selection: 32 rows set apart from {tmp_path}/train.csv; "
        f"report: 40 rows of {tmp_path}/test.csv; seed 7; "
        "left out: 0 rows that repeat a row of another part."
    )


def test_texts_without_labels_are_there_to_distil_on_but_none_of_the_rows_that_judge(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", reviews(200))
    write(tmp_path / "test.jsonl", reviews(40, 500))
    new, known, judging = reviews(30, 900)["text"], reviews(200)["text"][:2], reviews(40, 500)["text"][:3]
    write(tmp_path / "unsupervised.jsonl", {"text": [*new, *judging, *known]})
    data = load(str(tmp_path))
    judged = {*data.report.texts, *data.selection.texts}
    assert set(data.unlabelled.texts) == {*new, *known} - judged
    assert data.unlabelled_samples == len(data.unlabelled) and data.unlabelled.pairs is None
    assert f"without labels: {len(data.unlabelled)} rows to distil on; " in data.origin
    write(tmp_path / "unsupervised.jsonl", {"text": [*new, *judging, *known, "one more text"]})
    assert load(str(tmp_path)).fingerprint != data.fingerprint


def test_pairs_without_labels_stay_pairs(tmp_path: Path) -> None:
    one, other = reviews(100)["text"], reviews(100, 500)["text"]
    write(tmp_path / "train.jsonl", {"sentence1": one, "sentence2": other, "label": [0, 1] * 50})
    write(tmp_path / "test.jsonl", {"sentence1": other, "sentence2": one, "label": [-1] * 100})
    data = load(str(tmp_path))
    assert set(data.unlabelled.contents()) == set(zip(other, one, strict=True))


@pytest.mark.parametrize("labels", [[-1] * 40, [None] * 40, None], ids=["minus-one", "missing", "no-column"])
def test_a_test_split_without_labels_is_not_the_report(tmp_path: Path, labels: list[int] | None) -> None:
    write(tmp_path / "train.jsonl", reviews(200))
    write(tmp_path / "validation.jsonl", reviews(40, 500))
    unlabelled = {"text": reviews(40, 900)["text"]}
    write(tmp_path / "test.jsonl", unlabelled | ({"label": labels} if labels else {}))
    data = load(str(tmp_path))
    assert texts(data.report) == set(reviews(40, 500)["text"])
    assert (data.samples, data.unlabelled_samples) == (168, 40)


def test_shards_are_put_together_and_rows_without_label_and_text_left_out(tmp_path: Path) -> None:
    tables = [reviews(50), reviews(50, 100)]
    tables[1]["label"][0] = -1
    tables[1]["text"][0] = None
    for i, table in enumerate(tables):
        write(tmp_path / f"train-0000{i}-of-00002.parquet", table, NAMES)
    (tmp_path / "dataset_infos.json").write_text("{}")
    data = load(str(tmp_path))
    assert data.samples + len(data.selection) + data.eval_samples == 99
    assert (data.unlabelled_samples, data.label_names) == (0, ("neg", "pos"))


def test_the_only_labelled_split_is_split(tmp_path: Path) -> None:
    write(tmp_path / "validation.parquet", reviews(40), NAMES)
    write(tmp_path / "test.parquet", reviews(40, 500) | {"label": [-1] * 40}, NAMES)
    (tmp_path / "dataset_infos.json").write_text("{}")
    data = load(str(tmp_path))
    assert (data.samples, len(data.selection), data.eval_samples, data.unlabelled_samples) == (32, 4, 4, 40)


def test_the_smallest_file_keeps_both_classes_in_train(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", {"text": ["a", "b", "c", "d", "d"], "label": [0, 0, 1, 1, 1]})
    for seed in range(8):
        data = load(source, seed=seed)
        assert_sound(data)
        assert len(data.selection) == len(data.report) == 1


def test_repeated_contents_stay_in_one_part_only(tmp_path: Path) -> None:
    train, validation, test = reviews(100), reviews(20, 200), reviews(20, 300)
    for key in train:
        validation[key][0], train[key][:3] = test[key][0], [test[key][0], test[key][0], validation[key][1]]
    for name, table in {"train": train, "validation": validation, "test": test}.items():
        write(tmp_path / f"{name}.jsonl", table)
    data = load(str(tmp_path))
    assert_sound(data)
    assert (data.samples, len(data.selection), data.eval_samples, data.dropped_duplicates) == (97, 19, 20, 4)


def test_pairs_repeat_only_when_both_texts_do(tmp_path: Path) -> None:
    pairs: Table = {
        "sentence1": ["same"] * 40,
        "sentence2": [f"other {i}" for i in range(40)],
        "label": [0, 1] * 20,
    }
    data = load(write(tmp_path / "a.jsonl", pairs))
    assert_sound(data)
    assert data.dropped_duplicates == 0 and data.train.pairs is not None and len(data.train.pairs) == 32


def test_set_apart_rows_are_stratified_and_any_prefix_is_mixed(tmp_path: Path) -> None:
    table: Table = {"text": [f"text {i}" for i in range(1000)], "label": [0] * 900 + [1] * 100}
    data = load(write(tmp_path / "a.jsonl", table))
    for rows in (data.selection, data.report):
        assert Counter(rows.labels) == {0: 90, 1: 10}
    assert 10 <= sum(data.train.labels[:200]) <= 30


def test_max_samples_limits_train_only(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", reviews(400))
    whole, few = load(source), load(source, max_samples=30)
    assert (few.selection, few.report) == (whole.selection, whole.report)
    assert Counter(few.train.labels) == {0: 15, 1: 15} and texts(few.train) < texts(whole.train)
    assert load(source, max_samples=10**6).train == whole.train
    assert faults(source, max_samples=1).startswith(f"{source}: max_samples is 1, but there are 2 classes")


def test_seed_decides_the_split(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", reviews(100))
    assert load(source) == load(source, seed=0)
    assert texts(load(source).report) != texts(load(source, seed=1).report)


one_row = st.tuples(st.integers(0, 9).map("shared text {}".format), st.integers(-1, 1))
some_rows = st.lists(one_row, min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parts=st.fixed_dictionaries({"train": some_rows}, optional={"validation": some_rows, "test": some_rows}),
    own=st.sampled_from([0, 10, 10, 40]),
    seed=st.integers(0, 3),
)
def test_parts_are_always_disjoint_and_deterministic(
    tmp_path_factory: pytest.TempPathFactory, parts: dict[str, Any], own: int, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    for name, shared in parts.items():
        rows = [(f"{name} text {i}", i % 2) for i in range(own)] + shared
        write(folder / f"{name}.jsonl", {"text": [row[0] for row in rows], "label": [row[1] for row in rows]})
    try:
        data = load(str(folder), seed=seed)
    except AdviseError as error:
        event("refused: " + error.faults[0].message[:20])
        assert all(str(folder) in fault.file and fault.hint for fault in error.faults)
        return
    event("loaded")
    assert_sound(data)
    used = data.samples + len(data.selection) + data.eval_samples
    left_out = data.dropped_duplicates + data.unlabelled_samples
    assert used + left_out == sum(own + len(shared) for shared in parts.values())
    assert load(str(folder), seed=seed) == data


ROW_FAULTS = {
    "one-class": ([1] * 20, "only one class: every train row has label '1'"),
    "one-and-unlabelled": ([-1, 1] * 10, "only one class: every train row has label '1'"),
    "unlabelled": ([-1] * 20, "no labelled rows: column 'label' is -1 or missing everywhere"),
    "repeated": (
        [0] * 18 + [1, 1],
        "too few rows to split: each class needs 2 different texts, and '1' has 1 ('words 18')",
    ),
    "single": ([1] + [0] * 19, "too few rows to split: each class needs 2 different texts, and '1' has 1 ('words 0')"),
}


@pytest.mark.parametrize(("labels", "message"), ROW_FAULTS.values(), ids=ROW_FAULTS)
def test_rows_that_cannot_be_split(tmp_path: Path, labels: list[int], message: str) -> None:
    source = write(tmp_path / "a.csv", {"text": [*WORDS[:-1], WORDS[-2]], "label": labels})
    assert faults(source).startswith(f"{source}: {message}\n  try: ")


def test_repeated_rows_do_not_eat_the_train_rows(tmp_path: Path) -> None:
    """Chat turns repeat: of 1,000 rows with 100 texts a tenth of the texts is set apart, not a tenth of the rows."""
    texts = [f"what was said {number % 100}" for number in range(1_000)]
    source = write(tmp_path / "a.csv", {"text": texts, "label": [number % 2 for number in range(1_000)]})
    data = load(str(source), seed=0)
    assert_sound(data)
    assert (data.samples, len(data.selection), data.eval_samples) == (800, 10, 10)


def test_minus_one_beside_numbered_classes_is_told(tmp_path: Path) -> None:
    labels = [number % 3 - 1 for number in range(60)]
    source = write(tmp_path / "a.csv", {"text": [f"words {number}" for number in range(60)], "label": labels})
    told = f"{source}: 20 of 60 rows have -1 in column 'label' and count as unlabelled; number the classes from 0"
    assert any(note.startswith(told) for note in load(str(source)).notes)


def test_faults_between_splits(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", reviews(40))
    test = write(tmp_path / "test.csv", {"text": ["x", "y"], "label": [1, 2]})
    assert faults(tmp_path).startswith(
        f"{test}: report rows have labels that no train row has: 2 in row 2 of column 'label'\n  try: "
    )
    write(Path(test), reviews(40))
    assert f"{tmp_path}/train.csv: no train rows are left: all of them equal rows of another" in faults(tmp_path)
    write(Path(test), {"sentence": ["x", "y"], "label": [1, 0]})
    assert faults(tmp_path).startswith(f"{test}: no column 'text'\n  try: name its columns as in the train split")
    write(tmp_path / "train.parquet", reviews(40))
    assert "the train split is there as .csv and as .parquet, so rows would count twice" in faults(tmp_path)


REAL = {
    "mrpc": ("sentence1 sentence2", "not_equivalent equivalent", (3668, 408, 1725), 0),
    "sst2": ("sentence -", "negative positive", (66341, 1000, 872), 0),
    "imdb": ("text -", "neg pos", (23872, 1000, 25000), 50000 - 281),  # 281 texts are report or selection rows too
    "cola": ("sentence -", "unacceptable acceptable", (7677, 853, 1043), 0),
    "rte": ("sentence1 sentence2", "entailment not_entailment", (2240, 249, 277), 0),
    "qnli": ("question sentence", "entailment not_entailment", (4371, 546, 546), 0),
}


@pytest.mark.parametrize("task", REAL)
def test_real_data(task: str) -> None:
    if not (DATA / task).is_dir():
        pytest.skip(f"no real data: {DATA / task} is not there")
    columns, names, sizes, unlabelled = REAL[task]
    data = load(str(DATA / task))
    assert_sound(data)
    text, pair = columns.split()
    assert data.columns == Columns(text, None if pair == "-" else pair, "label")
    assert data.label_names == tuple(names.split())
    assert (data.samples, len(data.selection), data.eval_samples) == sizes
    assert data.unlabelled_samples == unlabelled


def test_real_regression() -> None:
    if not (DATA / "stsb").is_dir():
        pytest.skip(f"no real data: {DATA / 'stsb'} is not there")
    data = load(str(DATA / "stsb"))
    assert (data.problem_type, data.label_names, data.eval_samples) == ("regression", ("label",), 1500)
    assert data.columns == Columns("sentence1", "sentence2", "label")
    assert (min(data.report.labels), max(data.report.labels)) == (0.0, 5.0)


def test_a_test_file_without_labels_is_said_not_to_be_reported_on(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", reviews(40))
    write(tmp_path / "test.csv", {"text": reviews(8, 100)["text"], "id": list(range(8))})
    data = load(str(tmp_path))
    said = "no column 'label': its 8 rows are used without labels, and no report is on them"
    assert data.notes == (f"{tmp_path / 'test.csv'}: {said}",)
    assert data.unlabelled_samples == 8


@pytest.mark.parametrize("name", ["Label", "labels", "LABEL "])
def test_a_label_of_a_similar_name_in_the_test_file_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path / "train.csv", reviews(40))
    write(tmp_path / "test.csv", {"text": reviews(8, 100)["text"], name: reviews(8, 100)["label"]})
    found = faults(tmp_path)
    assert f"{tmp_path / 'test.csv'}: no column 'label'" in found
    assert f"name column {name!r} as in the train split" in found


@pytest.mark.parametrize("name", ["table", "source"])
def test_another_column_in_the_test_file_is_no_label(tmp_path: Path, name: str) -> None:
    write(tmp_path / "train.csv", reviews(40))
    write(tmp_path / "test.csv", {"text": reviews(8, 100)["text"], name: reviews(8, 100)["label"]})
    assert load(str(tmp_path)).unlabelled_samples == 8


def test_a_test_file_without_texts_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", reviews(40))
    write(tmp_path / "test.csv", {"body": reviews(8, 100)["text"]})
    assert f"{tmp_path / 'test.csv'}: no column 'text'" in faults(tmp_path)


@pytest.mark.parametrize("blank", ["\u200b\u200b", "\u00ad", " \u200d\ufeff"])
def test_a_text_without_width_is_refused_with_its_row(tmp_path: Path, blank: str) -> None:
    table = reviews(40)
    table["text"][6] = blank
    found = faults(write(tmp_path / "a.jsonl", table))
    assert f"1 of 40 rows have no text in column 'text': the first is row 7 with {blank!r}" in found
