"""Which files names, folders and patterns stand for, and which of them are recipes."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest

from advisor.cli import main
from advisor.review.recipe_files import Source, may_be_recipe, sources

RECIPE = b"version: 1\nname: x\nmodel: {source: bert}\ndevice: cpu\nsteps: [finetune]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", "sub/b.yml", "sub/deep/c.yaml", "sub/d.txt", ".hidden/e.yaml", "waivers.yaml", "f[1].yaml"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(RECIPE)
    Path("empty").mkdir()


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["a.yaml"], ["a.yaml"]),
        (["a.yaml", "./a.yaml", "sub/../a.yaml"], ["a.yaml"]),
        (["sub"], ["sub/b.yml", "sub/deep/c.yaml"]),
        (["."], ["./a.yaml", "./f[1].yaml", "./sub/b.yml", "./sub/deep/c.yaml"]),
        (["**/*.yaml"], ["a.yaml", "f[1].yaml", "sub/deep/c.yaml"]),
        (["sub/*"], ["sub/b.yml"]),
        (["f[1].yaml"], ["f[1].yaml"]),
        (["sub/d.txt", "waivers.yaml"], ["sub/d.txt", "waivers.yaml"]),
        (["-", "a.yaml"], ["-", "a.yaml"]),
        (["gone.yaml"], ["gone.yaml"]),
    ],
)
def test_names_stand_for_files(names: list[str], files: list[str]) -> None:
    found, faults = sources(names)
    assert [one.name for one in found] == files
    assert faults == []


def test_only_what_was_looked_for_is_passed_over() -> None:
    found, _ = sources(["a.yaml", "sub"])
    assert found[0] == Source("a.yaml")
    assert all(one.found for one in found[1:])


@pytest.mark.parametrize(("name", "told"), [("empty", "no recipe in this folder"), ("no*.yaml", "no file matches")])
def test_a_name_that_stands_for_nothing_is_a_fault(name: str, told: str) -> None:
    found, (fault,) = sources([name, "a.yaml"])
    assert [one.name for one in found] == ["a.yaml"]
    assert told in str(fault) and name in str(fault)


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        (RECIPE, True),
        (b'{"version": 1, "steps": []}', True),
        (b"- steps:\n", True),
        (b"recipe:\n  model: {source: bert}\n", True),
        (RECIPE.decode().encode("utf-16"), True),
        (b"steps : [a", True),
        (b"    name: x\n    model: {source: bert}\n    steps: [finetune]\n", True),  # indented as a whole
        (b"? steps\n: - finetune\n", True),
        (b"? name\n: x\n? device\n: cpu\n", True),
        (b"!!str steps:\n- finetune\n", True),
        (b'"\\x73teps":\n- finetune\n', True),
        (b"name: x\rdevice: cpu\rsteps:\r- finetune\r", True),
        (b"    name: x\n    device: cpu\n    steps: [finetune\n", True),  # broken behind its keys
        (b"x: [\njobs:\n  test:\n    steps:\n", False),
        (b"name: CI\non: push\njobs:\n  test:\n    steps:\n      - run: make\n", False),
        (b"version: '3'\nservices:\n  web: {image: x}\n", False),
        (b"id: my-rule\nwhen:\n  recipe.steps: quantization\n  device.kind: cpu\n", False),
        (b"", False),
    ],
)
def test_what_may_be_a_recipe(text: bytes, may_be: bool) -> None:
    assert may_be_recipe(text) is may_be


@pytest.mark.parametrize("text", ["{" * 100_000, "a: [\n" * 100_000, "- " * 10_000])
def test_yaml_of_open_brackets_in_a_folder_is_told_at_once(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each level takes the parser more time than the one before: 60 kB took more than half a minute."""
    (tmp_path / "empty" / "x.yaml").write_text(text)
    begun = monotonic()
    assert main(["check", str(tmp_path / "empty")]) == 2
    assert monotonic() - begun < 5
    assert "invalid-recipe" in capsys.readouterr().out


def test_deep_yaml_of_something_else_is_no_recipe() -> None:
    assert not may_be_recipe(b"spec: " + b"{a: " * 200 + b"1" + b"}" * 200)
