"""Images and sounds as people have them, and what is said of those that are none."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import perceived
import pytest
import soundfile
from PIL import Image

from advisor.base.errors import AdviseError
from advisor.compute.data import dataset
from advisor.compute.data.images import as_file, pixels, read_images
from advisor.compute.data.sounds import RATE, read_sounds, read_speech, samples


def load(source: Path, reader: Any = read_images, **named: str) -> dataset.TaskData:
    return dataset.load(str(source), read_rows=reader, **named)  # type: ignore[arg-type]


def png(colour: int = 0) -> bytes:
    Image.new("RGB", (3, 2), (colour, 9, 9)).save(found := io.BytesIO(), "PNG")
    return found.getvalue()


def wav(number: int = 0, rate: int = RATE, seconds: float = 0.1) -> bytes:
    sound = np.full(int(rate * seconds), number / 1000)
    soundfile.write(found := io.BytesIO(), sound, rate, format="WAV")
    return found.getvalue()


def test_a_folder_an_archive_parquet_and_a_table_give_the_same_images(tmp_path: Path) -> None:
    folder = perceived.images(tmp_path / "images", each=8)
    (folder / "red/notes.txt").write_text("not an image")
    files = sorted(folder.rglob("*.png"))
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for file in files:
            archive.write(file, file.relative_to(tmp_path))
    labels = [file.parent.name for file in files]
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["blue", "green", "red"])}
    )
    saved = datasets.Dataset.from_dict({"image": list(map(str, files)), "label": labels}, features=features)
    saved.save_to_disk(str(tmp_path / "saved"))
    saved.to_parquet(str(tmp_path / "images.parquet"))
    names = "".join(f"{file.relative_to(tmp_path)},{label}\n" for file, label in zip(files, labels, strict=True))
    (tmp_path / "images.csv").write_text(f"file_name,label\n{names}")
    found = [load(tmp_path / name) for name in ("images", "images.zip", "saved", "images.parquet", "images.csv")]
    expected = {(file.read_bytes(), label) for file, label in zip(files, labels, strict=True)}
    for data in found:
        assert data.problem_type is None
        rows = [
            *zip(data.train.texts, data.train.labels, strict=True),
            *zip(data.report.texts, data.report.labels, strict=True),
        ]
        rows += zip(data.selection.texts, data.selection.labels, strict=True)
        assert {(content, data.label_names[label]) for content, label in rows} == expected
    assert any("1 other files are left out" in note for note in found[0].notes)


def test_splits_are_folders_and_a_table_may_name_the_files_of_one(tmp_path: Path) -> None:
    for part in ("train", "test"):
        perceived.images(tmp_path / part, each=4 if part == "train" else 1)
    train = tmp_path / "train"
    lines = [f"{file.relative_to(train)},{file.parent.name}\n" for file in sorted(train.rglob("*.png"))]
    (train / "metadata.csv").write_text("file_name,label\n" + "".join(lines))
    (tmp_path / "test/metadata.csv").write_text("file_name,label\nred/0.png,red\nblue/0.png,blue\n")
    data = load(tmp_path)
    assert len(data.report) == 2 and len(data.train) + len(data.selection) == 12 - data.dropped_duplicates


def test_an_image_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("L", (4, 2)).save(tmp_path / "turned.jpg", exif=exif)
    found = pixels((tmp_path / "turned.jpg").read_bytes())
    assert (found.size, found.mode) == ((2, 4), "RGB")
    with Image.open(tmp_path / "turned.jpg") as image:
        assert pixels(as_file(image)).tobytes() == found.tobytes()


@pytest.mark.parametrize("mode", ["CMYK", "F", "LA", "P", "1"])
def test_an_image_of_pillow_may_have_any_mode(mode: str) -> None:
    assert pixels(as_file(Image.new(mode, (4, 2)))).size == (4, 2)


def test_images_have_classes_and_texts_are_no_bytes(tmp_path: Path) -> None:
    cells = [cell(png(number)) for number in range(9)]
    datasets.Dataset.from_dict({"image": cells, "label": [n / 2 for n in range(9)]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(AdviseError, match="has fractions") as error:
        load(tmp_path / "a.parquet")
    assert "problem_type" not in str(error.value)
    datasets.Dataset.from_dict({"text": [b"a", b"b"], "label": [0, 1]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(AdviseError, match="2 of 2 rows have no text in column 'text'"):
        dataset.load(str(tmp_path / "b.parquet"))


@pytest.mark.parametrize(
    ("rows", "reader", "said"),
    [
        (
            [b"no image"],
            read_images,
            "1 of 9 rows have no readable image in column 'image': the first is row 9: it is no",
        ),
        ([png()[:45]], read_images, "row 9: it cannot be read"),
        ([7], read_images, "row 9: expected a file or its bytes, got 7"),
        (["gone.png"], read_images, r"row 9 \(gone.png\): the file cannot be read: No such file"),
        ([None, b""], read_images, "2 of 10 rows have no readable image"),
    ],
)
def test_what_is_no_image_is_named_by_its_row(rows: list[Any], reader: Any, said: str, tmp_path: Path) -> None:
    cells = [*({"bytes": png(number), "path": None} for number in range(8)), *map(cell, rows)]
    check(cells, "image", reader, said, tmp_path)


def cell(value: Any) -> dict[str, Any]:
    return {"bytes": value if isinstance(value, bytes) else None, "path": value if isinstance(value, str) else None}


def check(cells: list[Any], column: str, reader: Any, said: str, folder: Path) -> None:
    from advisor.compute.data.sources import File

    own = [7 if one == cell(7) and "got 7" in said else one for one in cells]
    file = File("train", str(folder / "data.parquet"), {column: own, "label": [i % 2 for i, _ in enumerate(own)]}, {})
    with pytest.raises(AdviseError, match=said):
        reader("data", [file], dataset.Named())


def test_sounds_of_another_rate_are_resampled_and_it_is_said(tmp_path: Path) -> None:
    for label in ("low", "high"):
        (tmp_path / label).mkdir()
        for number in range(4):
            (tmp_path / label / f"{number}.wav").write_bytes(wav(number + 10 * (label == "low"), 8000))
    data = load(tmp_path, read_sounds)
    assert data.label_names == ("high", "low")
    assert any("8 sounds have 8,000 samples a second and are resampled to 16,000" in note for note in data.notes)
    time = np.arange(8000) / 8000
    soundfile.write(
        found := io.BytesIO(), np.stack([np.sin(440 * 2 * np.pi * time), 0 * time], axis=1), 8000, format="WAV"
    )
    heard = samples(found.getvalue(), RATE)
    assert heard.shape == (16000,)
    expected = np.sin(440 * 2 * np.pi * np.arange(16000) / 16000) / 2  # the mean of both channels
    assert np.abs(heard - expected)[200:-200].max() < 2e-3


def test_speech_has_a_text_for_each_sound(tmp_path: Path) -> None:
    rows = [{"file_name": f"{number}.wav", "transcription": f"word {number}"} for number in range(8)]
    (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for number in range(8):
        (tmp_path / f"{number}.wav").write_bytes(wav(number))
    data = load(tmp_path, read_speech)
    assert set(data.train.labels) | set(data.selection.labels) | set(data.report.labels) == {
        f"word {number}" for number in range(8)
    }
    (tmp_path / "7.wav").write_bytes(b"RIFF but no sound")
    with pytest.raises(
        AdviseError, match=r"1 of 8 rows have no readable audio in column 'file_name': the first is row 8"
    ):
        load(tmp_path, read_speech)
    (tmp_path / "7.wav").write_bytes(wav(7))
    rows[2]["transcription"] = " "
    (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(AdviseError, match=r"1 of 8 rows are blank in column 'transcription': the first is row 3"):
        load(tmp_path, read_speech)


@pytest.mark.parametrize(("content", "said"), [(wav(seconds=0), "it has no samples"), (b"x", "it is no sound")])
def test_what_is_no_sound_is_named_by_its_row(content: bytes, said: str, tmp_path: Path) -> None:
    check(
        [cell(wav(number)) for number in range(4)] + [cell(content)], "audio", read_sounds, f"row 5: {said}", tmp_path
    )


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images.zip").write_bytes(b"PK but no archive")
    with pytest.raises(AdviseError, match="cannot be unpacked"):
        load(tmp_path / "images.zip")
    with zipfile.ZipFile(tmp_path / "damaged.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", bytes(99_999))
    damaged = bytearray((tmp_path / "damaged.zip").read_bytes())
    damaged[40:60] = b"\xff" * 20
    (tmp_path / "damaged.zip").write_bytes(damaged)
    with pytest.raises(AdviseError, match="cannot be unpacked"):
        load(tmp_path / "damaged.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("a/readme.txt", "nothing")
    with pytest.raises(AdviseError, match="there are no images or sounds"):
        load(tmp_path / "empty.zip")


def test_a_label_that_no_training_image_has_is_refused(tmp_path: Path) -> None:
    perceived.images(tmp_path / "train", each=4)
    perceived.images(tmp_path / "test", each=1)
    (tmp_path / "test/red").rename(tmp_path / "test/purple")
    with pytest.raises(AdviseError, match="report rows have labels that no train row has: purple"):
        load(tmp_path)
