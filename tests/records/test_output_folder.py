"""The folder of a run: only what a run has written there is ever changed, and no moment of a start is a dead end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.execution.resumption import taken
from advisor.recipe.steps import STEPS
from advisor.records.output_folder import STEP_NAMES, clear_states, open_folder, open_folders

Capture = pytest.CaptureFixture[str]
MINE = (".git/HEAD", ".env", ".gitignore", "thesis.txt", "steps.txt")


def entries(*names: str) -> dict[str, bytes]:
    return {name: f"mine: {name}".encode() for name in names}


def write(folder: Path, *names: str) -> None:
    for name, data in entries(*names).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "names",
    [
        (".git/HEAD",),
        (".env", "thesis.txt"),
        ("recipe.yaml",),
        ("recipe.yaml", ".lock"),
        ("report.json", "seed-0/notes.txt"),
        ("report.json", "seed-corpus/.keep"),
        ("steps/prepare.py", "recipe.yaml"),
        ("recipe.yaml", "steps/.keep", "thesis.txt"),
    ],
)
@pytest.mark.parametrize("opened", [open_folder, open_folders])
def test_a_folder_of_other_things_holds_no_run(tmp_path: Path, names: tuple[str, ...], opened) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path, *names)
    with pytest.raises(AdviseError, match=r"there is no run to resume here|holds a run of one seed"):
        opened(tmp_path, resume=True)
    with pytest.raises(AdviseError) as caught:
        opened(tmp_path, resume=False)
    assert "--resume" not in str(caught.value)
    assert files(tmp_path) == entries(*names)


@pytest.mark.parametrize("opened", [open_folder, open_folders])
def test_a_file_is_no_folder(tmp_path: Path, opened) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "out").write_text("mine")
    with pytest.raises(AdviseError, match="there is no run to resume here"):
        opened(tmp_path / "out", resume=True)


@pytest.mark.parametrize(
    "names",
    [
        (),
        (".lock",),
        (".lock", ".4711"),
        (".lock", "steps/.0-finetune.draft"),
        (".lock", "recipe.yaml", "facts.json", ".advice.json.4711", "steps/0-finetune.json"),
        ("recipe.yaml", "steps/0-finetune/config.json", *MINE),
        ("recipe.yaml", ".state/0-finetune/training.json", *MINE),
    ],
)
def test_what_a_run_leaves_whenever_it_is_killed_can_be_gone_on_with(tmp_path: Path, names: tuple[str, ...]) -> None:
    write(tmp_path, *names)
    open_folder(tmp_path, resume=True)
    if names:
        with pytest.raises(AdviseError, match=r"is not empty\n  try: .*add --resume"):
            open_folder(tmp_path, resume=False)
    write(tmp_path / "several" / "seed-3", *names)
    (tmp_path / "several" / "seed-3").mkdir(parents=True, exist_ok=True)
    open_folders(tmp_path / "several", resume=True)


def test_an_empty_folder_is_no_seed_s_run(tmp_path: Path) -> None:
    write(tmp_path, "report.json")
    (tmp_path / "seed-1").mkdir()
    with pytest.raises(AdviseError, match="there is no run to resume here"):
        open_folders(tmp_path, resume=True)


def recipe(folder: Path, model: Path, text: Path) -> Path:
    file = folder / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: folder\nmodel: {{source: {json.dumps(str(model))}}}\n"
        f"data: {{source: {json.dumps(str(text))}}}\ndevice: edge\n"
        "steps:\n  - finetune: {epochs: 1}\ntraining: {max_tokens: 8}\n"
    )
    return file


def killed_while_saving(folder: Path) -> set[str]:
    """What safetensors leaves in a folder when the process dies within `save_file`, as by SIGKILL."""
    code = (
        "import sys, torch; from safetensors.torch import save_file\n"
        "import resource, signal; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"  # ends the process once a megabyte is written
        "save_file({'a': torch.zeros(1_000_000)}, sys.argv[1])"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(folder / "state-0-0.safetensors")], capture_output=True, check=False
    )
    return set(files(folder))


def test_what_a_process_leaves_that_is_killed_while_it_saves_is_the_runs_own(tmp_path: Path) -> None:
    step = tmp_path / ".state" / "0-finetune"
    step.mkdir(parents=True)
    assert killed_while_saving(step), "it left nothing"
    clear_states(tmp_path)
    assert not files(tmp_path)


def command(file: Path, out: Path) -> list[str]:
    return ["run", str(file), "--out", str(out), "--no-ledger", "--measure-seconds", "0.5"]


@pytest.fixture(scope="module")
def once(checkpoints: dict[str, Path], text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("once")
    assert main(command(recipe(folder, checkpoints["bert"], text), folder / "out")) in (0, 4)
    return folder / "out"


@pytest.fixture
def finished(once: Path, checkpoints: dict[str, Path], text: Path, tmp_path: Path) -> tuple[Path, list[str]]:
    """A copy of it in `out`, and the command that goes on with it after its recipe has changed."""
    file, out = recipe(tmp_path, checkpoints["bert"], text), Path(shutil.copytree(once, tmp_path / "out"))
    file.write_text(file.read_text().replace("epochs: 1", "epochs: 2"))
    return out, [*command(file, out), "--resume"]


def test_a_run_leaves_alone_what_others_put_into_its_folder(finished: tuple[Path, list[str]], capsys: Capture) -> None:
    out, again = finished
    mine = (*MINE, "steps/notes.txt", "steps/.keep", ".recipe.yaml.swp")
    write(out, *mine)
    assert main(again) in (0, 4)
    assert entries(*mine).items() <= files(out).items()
    (out / "thesis.txt").write_text("more of mine")
    capsys.readouterr()
    assert main(again) in (0, 4)  # they are no part of what was measured
    assert "nothing has changed since this run finished" in capsys.readouterr().err


def damage(record: Path) -> None:
    record.write_text("{")


@pytest.mark.parametrize("name", ["thesis.txt", ".env", "notes/thesis.txt"])
@pytest.mark.parametrize("spoil", [Path.exists, Path.unlink, damage])
def test_a_file_of_others_within_a_step_is_not_lost(
    finished: tuple[Path, list[str]], name: str, spoil: Callable[[Path], object], capsys: Capture
) -> None:
    """Whether the record of the step is good, missing or damaged."""
    out, again = finished
    write(out / "steps" / "0-finetune", name)
    spoil(out / "steps" / "0-finetune.json")
    before = files(out)
    assert main(again) == 2
    assert f"{name}: was not written by the run" in " ".join(capsys.readouterr().err.split())
    assert files(out) == before
    (out / "steps" / "0-finetune" / name).unlink()
    assert main(again) in (0, 4)


def test_a_hidden_file_of_others_is_no_part_of_a_step_that_is_taken_over(finished: tuple[Path, list[str]]) -> None:
    out, again = finished
    assert main(again) in (0, 4)
    write(out / "steps" / "0-finetune", ".DS_Store")
    (out / "manifest.json").unlink()
    assert main(again) in (0, 4)
    assert (out / "steps" / "0-finetune" / ".DS_Store").exists()


def test_a_file_in_the_place_of_a_step_is_not_lost(finished: tuple[Path, list[str]]) -> None:
    out, again = finished
    shutil.rmtree(out / "steps" / "0-finetune")
    write(out / "steps", "0-finetune")
    assert main(again) == 2
    assert entries("0-finetune").items() <= files(out / "steps").items()


@pytest.mark.parametrize("name", ["1-distillation/thesis.txt", "1-distillation/.env", "1-distillation"])
def test_what_others_have_put_into_a_step_that_left_the_recipe_is_not_lost(
    finished: tuple[Path, list[str]], name: str, capsys: Capture
) -> None:
    """It is told before anything is done."""
    out, again = finished
    write(out / "steps", name)
    before = files(out)
    assert main(again) == 2
    assert f"{name}: was not written by the run" in " ".join(capsys.readouterr().err.split())
    assert files(out) == before


def test_only_names_of_steps_are_removed(finished: tuple[Path, list[str]]) -> None:
    out, again = finished
    mine = ("7-my_notes/thesis.txt", "7-my_notes.json", ".7-my_notes.draft/thesis.txt")
    write(out / "steps", *mine)
    (out / "steps" / "8-finetune").mkdir()
    assert main(again) in (0, 4)
    assert entries(*mine).items() <= files(out / "steps").items()
    assert not (out / "steps" / "8-finetune").exists()
    assert "7-my_notes" not in (out / "manifest.json").read_text()
    assert set(STEP_NAMES) == set(STEPS)


def test_what_others_have_put_beside_the_state_of_training_stays(finished: tuple[Path, list[str]]) -> None:
    out, again = finished
    mine = (".state/mine.txt", ".state/0-finetune/mine.txt", ".state/notes/mine.txt")
    write(out, *mine)
    write(out, ".state/0-finetune/.training.json.4711", ".state/1-distillation/best-0-9.safetensors")
    assert main(again) in (0, 4)
    assert {name: data for name, data in files(out).items() if name.startswith(".state")} == entries(*mine)
    assert not (out / ".state" / "1-distillation").exists()


def test_a_step_s_folder_may_be_a_link(finished: tuple[Path, list[str]], tmp_path: Path) -> None:
    out, again = finished
    step, elsewhere = out / "steps" / "0-finetune", tmp_path / "elsewhere"
    step.rename(elsewhere)
    step.symlink_to(elsewhere)
    before = files(elsewhere).keys()
    assert main(again) in (0, 4)
    assert not step.is_symlink() and files(elsewhere).keys() == before


@pytest.mark.parametrize("more", [(), ("--resume",), ("--seeds", "2"), ("--seeds", "2", "--resume")])
def test_a_name_that_is_too_long_for_a_folder_is_told(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, more: tuple[str, ...], capsys: Capture
) -> None:
    file = recipe(tmp_path, checkpoints["bert"], text)
    assert main(["run", str(file), "--out", str(tmp_path / ("a" * 300)), "--no-ledger", *more]) == 2
    assert "cannot be a folder: File name too long" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("opened", [open_folder, open_folders])
def test_a_name_that_no_folder_can_have_is_told(tmp_path: Path, name: str, resume: bool, opened) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AdviseError, match="cannot be a folder: "):
        opened(tmp_path / name, resume)


@pytest.mark.parametrize("name", [".state", ".state/0-finetune", "report.json/", "manifest.json/", "recipe.yaml/"])
def test_what_is_in_the_way_of_a_run_is_told_before_anything_is_done(
    finished: tuple[Path, list[str]], name: str, capsys: Capture
) -> None:
    out, again = finished
    path = out / name
    path.unlink(missing_ok=True)
    path.mkdir() if name.endswith("/") else write(out, name)
    before = files(out)
    assert main(again) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"{path}: is " in told and "try: take it out of the folder" in told
    assert files(out) == before


@pytest.mark.parametrize("name", [".lock", ".state", ".state/0-finetune"])
def test_a_link_where_a_run_would_empty_what_it_leads_to_is_told(tmp_path: Path, name: str) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    write(elsewhere, "notes.txt")
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to(elsewhere / "notes.txt" if name == ".lock" else elsewhere)
    with pytest.raises(AdviseError, match=rf"{name}: is a link, which may lead anywhere") as caught, taken(out):
        pass
    assert len(caught.value.faults) == 1
    assert files(elsewhere) == entries("notes.txt")


def test_a_folder_in_the_way_of_the_report_of_seeds_is_told(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(AdviseError, match=r"report\.json: is a folder, where a run has a file"), taken(tmp_path):
        pass


KILLED = """
import sys
from pathlib import Path
from killed import kill_before_change
from advisor.cli import main
kill_before_change(int(sys.argv[1]), sys.argv[2])
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.slow
def test_a_first_start_may_be_killed_before_any_change(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    file = recipe(tmp_path, checkpoints["bert"], text)
    for change in range(1, 15):
        out = tmp_path / f"out-{change}"
        arguments = ["run", str(file), "--out", str(out), "--no-ledger", "--resume", "--measure-seconds", "0.5"]
        command = [sys.executable, "-c", KILLED, str(change), str(out), *arguments]
        ended = subprocess.run(command, cwd=Path(__file__).parents[1] / "support", capture_output=True, check=False)
        assert ended.returncode == -9, ended.stderr
        assert main(arguments) in (0, 4)
