"""Images and sounds as people have them, and what is said of those that are none."""

from __future__ import annotations

import io
import json
import os
import re
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
from advisor.compute.data import dataset, media_folders
from advisor.compute.data.images import as_file, fault, pixels, read_images
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
    assert any("1 other file is left out (1 .txt)" in note for note in found[0].notes)


def test_formats_that_are_not_read_are_named_with_what_to_do(tmp_path: Path) -> None:
    folder = perceived.images(tmp_path / "images", each=8)
    (folder / "red/9.heic").write_bytes(b"phone")
    assert "(1 .heic): convert .heic files to .png, and they are read" in " ".join(load(folder).notes)
    (folder / "red/9.m4a").write_bytes(b"phone")  # a sound, which would not be read beside images
    assert "(1 .heic, 1 .m4a): convert .heic files to .png, and they are read" in " ".join(load(folder).notes)
    (tmp_path / "sounds/one").mkdir(parents=True)
    (tmp_path / "sounds/one/a.m4a").write_bytes(b"phone")
    with pytest.raises(AdviseError, match=r"no data files in this folder\n  try: convert \.m4a files to \.wav"):
        load(tmp_path / "sounds")
    (tmp_path / "sounds/one/train.csv").write_text("text,label\n")
    with pytest.raises(AdviseError, match=r"no data files in this folder\n  try: give one of its folders: one"):
        load(tmp_path / "sounds")
    (tmp_path / "images.csv").write_text("image,label\n" + "images/red/9.heic,red\nimages/red/0.png,red\n" * 9)
    with pytest.raises(AdviseError, match=r"no readable image(.|\n)*try: convert \.heic files to \.png"):
        load(tmp_path / "images.csv")


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    for number, file in enumerate(sorted(perceived.images(tmp_path / "images", each=8).rglob("*.png"))):
        (tmp_path / "flat").mkdir(exist_ok=True)
        file.rename(tmp_path / f"flat/{number}.png")
    with pytest.raises(AdviseError, match="they lie in no folders by class, and no table names them"):
        load(tmp_path / "flat")


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


def test_sixteen_bits_a_pixel_keep_their_shades(tmp_path: Path) -> None:
    """Pillow would cut all above 255 to white."""
    shades = np.array([[0, 256, 32_768, 65_535]], dtype=np.uint16)
    for kind in ("PNG", "TIFF"):
        Image.fromarray(shades).save(found := io.BytesIO(), kind)
        assert np.asarray(pixels(found.getvalue()))[0, :, 0].tolist() == [0, 1, 128, 255]
    assert np.asarray(pixels(as_file(Image.fromarray(shades))))[0, :, 0].tolist() == [0, 1, 128, 255]
    Image.fromarray(shades.astype(np.int32)).save(found := io.BytesIO(), "TIFF")
    assert "from 0 to 65535, which are no shades from 0 to 255" in fault(found.getvalue())
    with pytest.raises(AdviseError, match="no shades"):
        as_file(Image.fromarray(shades.astype(np.float32)))


def test_postscript_is_not_run() -> None:
    Image.new("L", (2, 2)).save(found := io.BytesIO(), "EPS")
    assert fault(found.getvalue()) == "it is a program in PostScript, which is not run"


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
    from advisor.compute.data.files import File

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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (wav(seconds=0), "it has no samples"),
        (b"x", "it is no sound"),
        (wav(rate=10**9, seconds=1e-8), "it has 1,000,000,000 samples a second, at most 1,000,000 are read"),
        (wav(rate=1, seconds=3601), "it lasts 3,601 seconds, at most 3,600 are read"),
    ],
)
def test_what_is_no_sound_is_named_by_its_row(content: bytes, said: str, tmp_path: Path) -> None:
    check(
        [cell(wav(number)) for number in range(4)] + [cell(content)], "audio", read_sounds, f"row 5: {said}", tmp_path
    )


def test_rows_are_known_by_the_names_of_their_files(tmp_path: Path) -> None:
    """Relative to the data, as an archive has them, or by their place in a table of bytes."""
    folder = perceived.images(tmp_path / "pets/train", each=4)
    perceived.images(tmp_path / "pets/test", each=1)
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for file in sorted(folder.parent.rglob("*.png")):
            archive.write(file, file.relative_to(tmp_path))
    for source, first in (("pets", ""), ("pets.zip", "pets/")):
        data = load(tmp_path / source)
        assert sorted(data.report.names) == [f"{first}test/{name}/0.png" for name in ("blue", "green", "red")]
        assert all(name.startswith(f"{first}train/") for name in (*data.train.names, *data.selection.names))
    table = datasets.Dataset.from_dict({"image": [png(n) for n in range(8)], "label": [0, 1] * 4})
    table.to_parquet(tmp_path / "a.parquet")
    train = load(tmp_path / "a.parquet").train
    for name, content in zip(train.names, train.texts, strict=True):
        row = re.fullmatch(r"row (\d) of a.parquet", name)
        assert row and content == png(int(row[1]) - 1)
    rows = [f"{folder}/red/0.png,a", *(f"pets/train/{one}.png,{one[0]}" for one in ("red/1", "blue/2", "blue/3"))]
    (tmp_path / "b.csv").write_text("image,label\n" + "\n".join(rows).replace(",r", ",a"))
    data = load(tmp_path / "b.csv")
    assert {*data.train.names, *data.selection.names, *data.report.names} == {
        f"pets/train/{name}.png" for name in ("red/0", "red/1", "blue/2", "blue/3")
    }


def test_splits_count_where_other_folders_hold_no_images_and_an_archive_may_hold_a_table(tmp_path: Path) -> None:
    for part in ("train", "test"):
        perceived.images(tmp_path / "pets" / part, each=4 if part == "train" else 1)
    (tmp_path / "pets/notes").mkdir()
    (tmp_path / "pets/notes/readme.md").write_text("of pets")
    assert load(tmp_path / "pets").label_names == ("blue", "green", "red")
    speech = perceived.speech(tmp_path / "speech", each=2)
    with zipfile.ZipFile(tmp_path / "speech.zip", "w") as archive:
        for file in speech.glob("**/*.*"):
            archive.write(file, Path("speech", file.name if file.name.startswith("meta") else file.relative_to(speech)))
    assert set(load(tmp_path / "speech.zip", read_speech).report.names) < {
        f"speech/{file.relative_to(speech)}" for file in speech.rglob("*.wav")
    }


def test_files_that_a_table_names_have_a_limit_each_and_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    (tmp_path / "all.csv").write_text("image,label\n" + "".join(f"{n}.png,{'ab'[n % 2]}\n" for n in range(8)))
    with (tmp_path / "3.png").open("r+b") as file:
        file.truncate(2**30 + 1)  # a hole, which takes no place on the disk
    with pytest.raises(AdviseError, match=r"row 4 \(3.png\): it has 1,073,741,825 bytes, more than the 1,073,741,824"):
        load(tmp_path / "all.csv")
    (tmp_path / "3.png").write_bytes(png(3))
    monkeypatch.setattr(media_folders, "MOST_BYTES", sum(file.stat().st_size for file in tmp_path.glob("*.png")) - 1)
    said = r"the files have \d+ bytes together, more than the \d+ that are read"
    with pytest.raises(AdviseError, match=said):
        load(tmp_path / "all.csv")
    (tmp_path / "all.csv").rename(tmp_path / "metadata.csv")
    with pytest.raises(AdviseError, match=said):
        load(tmp_path)


@pytest.mark.parametrize("name", ["/dev/zero", "pipe.png", "folder.png"])
def test_what_is_no_regular_file_is_not_opened(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "a.csv").write_text(f"image,label\n{name},a\n")
    with pytest.raises(AdviseError, match="it is no regular file"):
        load(tmp_path / "a.csv")


def test_a_table_in_an_archive_names_no_files_outside_of_it(tmp_path: Path) -> None:
    (tmp_path / "private.png").write_bytes(png())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/0.png", png())
        archive.writestr("metadata.csv", f"file_name,label\na/0.png,a\n{tmp_path}/private.png,b\n")
    with pytest.raises(AdviseError, match=r"row 2 \(.*private\.png\): it leads out of the folder of its table"):
        load(tmp_path / "a.zip")


def test_a_table_in_a_folder_may_say_where_its_files_were_before(tmp_path: Path) -> None:
    perceived.images(tmp_path / "pets", each=4)
    rows = [
        f"{file.relative_to(tmp_path / 'pets')},{file.parent.name},/before{file}" for file in tmp_path.rglob("*.png")
    ]
    (tmp_path / "pets/metadata.csv").write_text("file_name,label,original\n" + "\n".join(rows))
    assert load(tmp_path / "pets").label_names == ("blue", "green", "red")


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
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a", "a file")
        archive.writestr("a/b.png", png())
    with pytest.raises(AdviseError, match="cannot be unpacked"):
        load(tmp_path / "twice.zip")


def test_a_label_that_no_training_image_has_is_refused(tmp_path: Path) -> None:
    perceived.images(tmp_path / "train", each=4)
    perceived.images(tmp_path / "test", each=1)
    (tmp_path / "test/red").rename(tmp_path / "test/purple")
    with pytest.raises(AdviseError, match=r"no train row has: purple in test/purple/0\.png of column 'label'"):
        load(tmp_path)
