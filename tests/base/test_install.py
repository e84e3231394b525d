"""The pip command that messages name is right for how this copy was installed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.base import install
from advisor.base.install import pip_command

ROOT = Path(__file__).parents[2]


def said(package: Path, extra: str, folder: Path) -> str:
    """What a copy of the package below this folder says, asked from another working folder."""
    code = "from advisor.base.install import pip_command; import sys; print(pip_command(sys.argv[1]))"
    command = [sys.executable, "-S", "-c", code, extra]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(package)}, text=True, capture_output=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of installed packages: the package without its project around it."""
    (tmp_path / "site").mkdir()
    shutil.copytree(ROOT / "advisor/base", tmp_path / "site/advisor/base")
    shutil.copy(ROOT / "advisor/__init__.py", tmp_path / "site/advisor/__init__.py")
    info = tmp_path / "site/model_advise-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: model-advise\nVersion: 0.1.0\n")
    return tmp_path / "site"


def test_a_checkout_is_installed_from_its_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    assert pip_command("run") == "pip install -e '.[run]'"
    monkeypatch.chdir(tmp_path)
    assert shlex.split(pip_command("run")) == ["pip", "install", "-e", f"{ROOT}[run]"]


def test_an_installed_copy_goes_by_its_own_name(installed: Path, tmp_path: Path) -> None:
    assert said(installed, "openvino", tmp_path) == "pip install 'model-advise[openvino]'"


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ({"url": "file:///home/me/advise", "dir_info": {}}, "model-advise[run] @ file:///home/me/advise"),
        (
            {"url": "https://example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "model-advise[run] @ git+https://example.org/a.git@abc",
        ),
        ({"url": "https://example.org/a.whl", "archive_info": {}}, "model-advise[run] @ https://example.org/a.whl"),
        (["no object"], "model-advise[run]"),
        ({"vcs_info": {"vcs": "git"}}, "model-advise[run]"),
    ],
)
def test_a_copy_from_a_folder_a_repository_or_an_archive_names_where_it_came_from(
    origin: object, told: str, installed: Path, tmp_path: Path
) -> None:
    (installed / "model_advise-0.1.0.dist-info/direct_url.json").write_text(json.dumps(origin))
    assert shlex.split(said(installed, "run", tmp_path)) == ["pip", "install", told]


def test_no_message_names_a_pip_command_by_itself() -> None:
    for file in (ROOT / "advisor").rglob("*.py"):
        if file.name != "install.py":
            assert not re.search(r"pip install '?-?e? ?'?\.?\w*\[|model-advise\[", file.read_text()), file


def test_a_checkout_is_upgraded_by_git_and_a_named_copy_by_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    assert install.upgrade_command() == "git pull"
    monkeypatch.setattr(install, "_checkout", lambda folder: None)
    monkeypatch.setattr(install, "_url", lambda installed: "")
    assert install.upgrade_command() == "pip install --upgrade model-advise"
