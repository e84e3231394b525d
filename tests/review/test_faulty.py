"""Two hundred faulty recipes, as people get them wrong: each is caught, at its place, with a remedy (tests/faulty)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faulty_cases import HERE, Case, read

from advisor.cli import main

CASES = list(read())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every faulty recipe and the models that they name."""
    made = tmp_path_factory.mktemp("faulty")
    shutil.copytree(HERE / "models", made / "models")
    for number, case in enumerate(CASES):
        (made / f"{number:03}.yaml").write_bytes(case.data)
    return made


def test_there_are_two_hundred_of_them() -> None:
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)
    assert len({case.data for case in CASES}) == len(CASES)


@pytest.mark.parametrize(("number", "case"), enumerate(CASES), ids=[case.name for case in CASES])
def test_a_faulty_recipe_is_caught(
    number: int, case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    code = main(["check", f"{number:03}.yaml", "--format", "json", "--fail-on", "warning"])
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    found = [one for one in json.loads(shown.out)["findings"] if one["severity"] != "note"]
    assert [_key(one) for one in found] == [(one.rule, *one.place) for one in case.expected]
    for one, expected in zip(found, case.expected, strict=True):
        assert expected.says in one["message"]
        assert expected.remedy in json.dumps(one, ensure_ascii=False).replace('\\"', '"')
    assert code == (2 if any(one.rule == "invalid-recipe" for one in case.expected) else 1)


def _key(finding: dict[str, Any]) -> tuple[str, int, int]:
    return finding["rule"], finding["place"]["line"], finding["place"]["column"]


def test_all_are_caught_before_a_weight_is_loaded(folder: Path) -> None:
    """In a process of its own: none of the libraries that load weights is imported, and every file has a finding."""
    program = (
        "import sys, json, io, contextlib, glob\n"
        "from advisor.cli import main\n"
        "out = io.StringIO()\n"
        "with contextlib.redirect_stdout(out):\n"
        "    code = main(['check', *sorted(glob.glob('*.yaml')), '--format', 'json'])\n"
        "found = {one['place']['file'] for one in json.loads(out.getvalue())['findings']}\n"
        "heavy = {'torch', 'transformers', 'safetensors', 'onnx', 'onnxruntime', 'openvino'} & set(sys.modules)\n"
        "print(json.dumps([code, len(found), sorted(heavy)]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [2, len(CASES), []]
