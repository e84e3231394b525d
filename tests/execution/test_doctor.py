"""What the doctor sees: counters that can or cannot be read, limits of containers, extras, and a bare install."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from advisor.base.install import pip_command
from advisor.cli import main
from advisor.execution import doctor
from advisor.report.doctor import text

CHECKOUT = Path(__file__).parents[2]


def zone(folder: Path, name: str, readable: bool) -> None:
    """A RAPL zone; one that cannot be read has a folder in place of the counter, as root may read any file."""
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text("123456\n") if readable else (folder / "energy_uj").mkdir()


def found(lines: object, name: str) -> doctor.Line:
    return next(line for line in lines if line.name == name)  # type: ignore[attr-defined]


def test_counters_that_can_be_read_are_counted_with(tmp_path: Path) -> None:
    zone(tmp_path / "intel-rapl:0", "package-0", readable=True)
    rapl = found(doctor.energy(tmp_path), "RAPL")
    assert rapl.good and rapl.found == "package-0: readable" and "counted" in rapl.follows


def test_counters_without_permission_say_how_to_get_it(tmp_path: Path) -> None:
    zone(tmp_path / "intel-rapl:0", "package-0", readable=False)
    rapl = found(doctor.energy(tmp_path), "RAPL")
    assert rapl.good is False and "not readable" in rapl.found
    assert "derived from processor time" in rapl.follows and f"sudo chmod -R a+r {tmp_path}" in rapl.follows


@pytest.mark.skipif(sys.platform != "linux", reason="RAPL is Linux's")
def test_without_counters_no_power_is_measured(tmp_path: Path) -> None:
    assert "derived from processor time" in found(doctor.energy(tmp_path / "none"), "RAPL").follows


@pytest.mark.parametrize(("limit", "cpus"), [("150000 100000", 1.5), ("max 100000", None), ("", None)])
def test_the_cpus_of_a_container(limit: str, cpus: float | None, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(limit)
    assert doctor.quota(tmp_path) == cpus


def test_free_memory_bounds_what_can_be_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.execution.memory.available", lambda: 4_000_000_000)
    (line,) = doctor.free_memory()
    assert line.found == "4.0 GB free" and "above 250 M parameters" in line.follows


def test_missing_extras_name_the_pip_command() -> None:
    lines = list(doctor.extras(lambda package: "" if package in ("torch", "nncf") else "1.0"))
    assert [(line.name, line.good, line.follows) for line in lines] == [
        ("[run]", False, pip_command("run")),
        ("[report]", True, ""),
        ("[openvino]", False, pip_command("openvino")),
        ("[generation]", True, ""),
        ("[audio]", True, ""),
        ("[search]", True, ""),
    ]
    assert lines[0].found == "missing: torch"


def test_the_extras_are_those_of_the_package() -> None:
    declared = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra, packages in doctor.EXTRAS.items():
        names = {one.split(">")[0].split("=")[0] for one in declared[extra] if not one.startswith("model-advise[")}
        assert names == set(packages)


def test_text_and_json_tell_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--format", "json"]) == 0
    lines = [doctor.Line(**one) for one in json.loads(capsys.readouterr().out)]
    assert {line.topic for line in lines} == {"cpu", "memory", "gpu", "int8", "energy", "folders", "extras"}
    for width in (80, 120):
        shown = text(lines, width)
        assert all(len(line) <= width for line in shown.splitlines() if "/" not in line)
        assert all(line.name in shown for line in lines)


def test_a_ledger_that_cannot_be_used_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ledger").write_text("no database " * 99)
    monkeypatch.setenv("ADVISE_LEDGER", str(tmp_path / "ledger"))
    ledger = found(doctor.folders(), "ledger")
    assert ledger.good is False and "runs are not recorded" in ledger.follows


def test_it_works_without_any_extra() -> None:
    script = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'datasets', 'codecarbon', 'onnxruntime', 'openvino', 'accelerate'):\n"
        "    sys.modules[name] = None\n"  # as if it were not installed: importing it fails, find_spec finds nothing
        "from advisor.cli import main\n"
        "sys.exit(main(['doctor']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "torch is not installed, so nothing more is known" in " ".join(done.stdout.split())
