"""`advise check --fix`, `--unsafe-fixes` and `--diff`: what is written, what is shown, and what stays."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.cli import main

BAD = """version: 1
name: x  # a name
model: {source: bert, family: bert}
data: {samples: 3000}
device: cpu
steps:
  # small
  - quantization:
  - finetune: {}
  - layer_removal:
      keep: 4   # too few
  - distillation: {}
"""
SAFE = BAD.replace("  # small\n  - quantization:\n", "") + "  # small\n  - quantization:\n"
MENDED = SAFE.replace("keep: 4", "keep: 8")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(BAD)
    return Path("a.yaml")


def test_safe_fixes_only_and_the_exit_code_is_of_what_is_left(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--fix", "a.yaml"]) == 1
    assert file.read_text() == SAFE
    captured = capsys.readouterr()
    assert "a.yaml: move quantization to the end" in captured.err
    assert "small-data-few-layers" in captured.out
    assert "quantize-last" not in captured.out


def test_unsafe_fixes_are_asked_for_by_name(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--unsafe-fixes", "a.yaml"]) == 0
    assert file.read_text() == MENDED
    assert "keep: 8 (changes what the recipe does)" in capsys.readouterr().err
    assert main(["check", "--fix", "--unsafe-fixes", "a.yaml"]) == 0
    assert file.read_text() == MENDED


def test_a_diff_changes_nothing_and_patch_takes_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--diff", "--unsafe-fixes", "a.yaml"]) == 1
    shown = capsys.readouterr()
    assert file.read_text() == BAD
    assert "would move quantization to the end, keep: 8" in shown.err
    subprocess.run(["patch", "-p1", "--quiet"], input=shown.out, text=True, check=True)
    assert file.read_text() == MENDED
    assert main(["check", "--diff", "--unsafe-fixes", "a.yaml"]) == 0
    assert capsys.readouterr().out == ""


def test_stdin_is_printed_mended_and_nothing_is_written(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert main(["check", "--unsafe-fixes", "-"]) == 0
    captured = capsys.readouterr()
    assert captured.out == MENDED
    assert [one.name for one in Path().iterdir()] == ["a.yaml"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(MENDED.encode())))
    assert main(["check", "--fix", "-"]) == 0
    assert capsys.readouterr().out == MENDED


def test_an_invalid_recipe_is_mended_where_it_is_clear(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slips = MENDED.replace("finetune", "fine_tune").replace("device: cpu", "devise: cpu").replace("removal", "removl")
    file.write_text(slips + "goal: {relative_accuracy: >= 0.9}\n")
    assert main(["check", "a.yaml"]) == 2
    capsys.readouterr()
    assert main(["check", "--fix", "a.yaml"]) == 0
    assert file.read_text() == MENDED + 'goal: {relative_accuracy: ">= 0.9"}\n'
    file.write_text(BAD.replace("keep: 4", "layers: 4"))
    assert main(["check", "--fix", "a.yaml"]) == 2
    assert file.read_text() == BAD.replace("keep: 4", "layers: 4")


def test_line_ends_a_byte_order_mark_mode_and_links_survive(file: Path) -> None:
    for name, data in (
        ("crlf.yaml", BAD.replace("\n", "\r\n").encode()),
        ("bom.yaml", b"\xef\xbb\xbf" + BAD.encode()),
        ("end.yaml", BAD.rstrip("\n").encode()),
    ):
        Path(name).write_bytes(data)
        Path(name).chmod(0o640)
        Path("link.yaml").unlink(missing_ok=True)
        Path("link.yaml").symlink_to(name)
        assert main(["check", "--unsafe-fixes", "link.yaml"]) == 0
        assert Path("link.yaml").is_symlink()
        assert Path(name).stat().st_mode & 0o777 == 0o640
    assert Path("crlf.yaml").read_bytes() == MENDED.replace("\n", "\r\n").encode()
    assert Path("bom.yaml").read_bytes() == b"\xef\xbb\xbf" + MENDED.encode()
    assert Path("end.yaml").read_text() == MENDED.rstrip("\n")


def test_what_is_waived_or_known_is_not_fixed(file: Path) -> None:
    until = (date.today() + timedelta(days=60)).isoformat()
    comment = f'# advise: ignore[small-data-few-layers] until={until} owner=anna reason="trial"'
    text = BAD.replace("# too few", comment)
    file.write_text(text)
    assert main(["check", "--unsafe-fixes", "a.yaml"]) == 0
    assert "keep: 4" in file.read_text()
    file.write_text(BAD)
    assert main(["check", "--write-baseline", "known.json", "a.yaml"]) == 0
    assert main(["check", "--baseline", "known.json", "--unsafe-fixes", "a.yaml"]) == 0
    assert file.read_text() == BAD


def test_of_several_files_each_is_mended_and_the_rest_stays(file: Path) -> None:
    Path("b.yaml").write_text(MENDED)
    Path("c.yaml").write_text("steps: [")
    before = Path("b.yaml").stat().st_mtime_ns
    assert main(["check", "--unsafe-fixes", "."]) == 2
    assert file.read_text() == MENDED
    assert Path("b.yaml").stat().st_mtime_ns == before
    assert Path("c.yaml").read_text() == "steps: ["


def test_a_file_that_cannot_be_written_stays_whole(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    Path.cwd().chmod(0o500)
    try:
        assert main(["check", "--fix", "a.yaml"]) == 2
    finally:
        Path.cwd().chmod(0o700)
    assert file.read_text() == BAD


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A recipe with some characters or lines taken out, doubled, moved or replaced."""
    text = draw(st.sampled_from([BAD, MENDED, BAD.replace("\n", "\r\n")]))
    for _ in range(draw(st.integers(1, 4))):
        lines = text.splitlines(keepends=True)
        start = draw(st.integers(0, len(text)))
        if draw(st.booleans()) and lines:
            place = draw(st.integers(0, len(lines) - 1))
            line = lines.pop(place)
            lines[draw(st.integers(0, len(lines))) : 0] = [line] * draw(st.integers(0, 2))
            text = "".join(lines)
        else:
            new = draw(st.text("{}[]:,#-'\"&*!|>%@`\n\t \\aé\u2028\x85", max_size=3))
            text = text[:start] + new + text[start + draw(st.integers(0, 3)) :]
    return text


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(mangled())
def test_whatever_is_written_is_mended_or_left_alone(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as told:
        file = Path(folder) / "a.yaml"
        file.write_bytes(text.encode())
        with contextlib.redirect_stdout(io.StringIO()):
            codes = [main(["check", "--unsafe-fixes", str(file)])]
            once = file.read_bytes()
            codes.append(main(["check", "--unsafe-fixes", str(file)]))
        assert set(codes) <= {0, 1, 2}, told.getvalue()
        assert file.read_bytes() == once
        assert len(codes) == 2
        assert codes[0] == codes[1]


def test_a_diff_says_what_it_cannot_mend(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("version: 1\nname: x\n")
    assert main(["check", "--diff", "a.yaml"]) == 2
    captured = capsys.readouterr()
    assert (captured.out, "a.yaml:1:1: model is missing" in captured.err) == ("", True)


@pytest.mark.parametrize(
    ("then", "before", "after"),
    [
        ('{limit: {training.batch_size: "<= 16"}}', "", "training: {batch_size: 16}\n"),
        (
            '{limit: {training.batch_size: "<= 16"}}',
            "training: {seed: 1, batch_size: 64}  # ours\n",
            "training: {seed: 1, batch_size: 16}  # ours\n",
        ),
        (
            "{allow_only: {training.precision: [fp32]}}",
            "training: {seed: 1}\n",
            "training: {seed: 1, precision: fp32}\n",
        ),
    ],
)
def test_what_all_steps_share_is_brought_into_its_bounds(then: str, before: str, after: str, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "pack.yaml").write_text("name: own\nversion: '1'\ndescription: x\nsources: {S: ours}\n")
    (pack / "small.yaml").write_text(
        "id: small\ntitle: T\norigin: X\nseverity: error\nsince: '1'\nwhen: {device.kind: cpu}\n"
        f"then: {then}\nbecause: So.\nevidence: [{{source: S, at: p, says: so, strength: derived}}]\n"
        "confidence: low\nexamples: {fires: [{device: cpu}]}\n"
    )
    recipe = tmp_path / "a.yaml"
    text = "version: 1\nname: x\nmodel: {source: bert}\ndata: {samples: 30000}\ndevice: cpu\nsteps: [finetune]\n"
    recipe.write_text(text + before)
    assert main(["check", str(recipe), "--policy", str(pack)]) == 1
    assert main(["check", str(recipe), "--policy", str(pack), "--unsafe-fixes"]) == 0
    assert recipe.read_text() == text + after
