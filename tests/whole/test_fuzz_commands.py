"""Every command with any options, files, folders and environments: an exit code of the product's own, no traceback.

ADVISE_FUZZ=2000 pytest tests/whole/test_fuzz_commands.py looks longer than the suite does; `-m slow` at 2,000 cases.
"""

from __future__ import annotations

import os
import random
import string
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
import small_runs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from survival import survives

CHECKOUT = Path(__file__).parents[2]
COMMANDS = ("", "check", "diff", "explain", "families", "gate", "history", "report", "rules", "schema", "completion")
VERBS = ("list", "test", "verify", "diff", "docs", "show", "export", "import", "add", "recipe", "rule", "pack", "bash")
OPTIONS = (
    *(
        "--model",
        "--samples",
        "--device",
        "--task",
        "--min-accuracy",
        "--max-size-mb",
        "--name",
        "--format",
        "--policy",
    ),
    *("--history", "--select", "--ignore", "--fail-on", "--baseline", "--write-baseline", "--waivers", "--no-inline"),
    *("--diff", "--fix", "--unsafe-fixes", "--quiet", "--json", "--waiver-days", "--eval-samples", "--unlabelled"),
    *("--max-latency-ms", "--max-emissions", "--nonsense", "--"),
)
VALUES = (
    *("bert", "gpt2", "t5", "core", "beyond", "cpu", "cuda", "auto", "0", "1", "3000", "-1", "1e400", "nan", "0.95"),
    *("json", "sarif", "markdown", "text", "R01", "quantize-cpu-only", "regression", "2026-01-01", "", " ", "-", "*"),
)
FILES = (
    *("good.yaml", "empty", "binary.yaml", "list.yaml", "folder", "folder/inner.yaml", "loop.yaml", "gone.yaml"),
    *(
        "long.yaml",
        "pack",
        "model",
        "run",
        "unread",
        "known.json",
        "dangling.yaml",
        "wide\u4e2d.yaml",
        "bad\udcff.yaml",
    ),
)
ENVIRONMENTS = (
    *({}, {"COLUMNS": "1"}, {"COLUMNS": "x"}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}, {"TZ": "x/y"}),
    *(
        {"XDG_CACHE_HOME": "{folder}/good.yaml"},
        {"XDG_CACHE_HOME": ""},
        {"HOME": "{folder}/gone"},
        {"HF_HOME": "\udcff"},
    ),
    *({"ADVISE_LEDGER": "{folder}/binary.yaml"}, {"ADVISE_LEDGER": "{folder}"}, {"XDG_DATA_HOME": "{folder}/empty"}),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Files of every kind; commands run in it, and may write there."""
    made = tmp_path_factory.mktemp("commands")
    for name, content in {
        "good.yaml": (CHECKOUT / "recipes" / "bert-one-third.yaml").read_bytes(), "empty": b"",
        "binary.yaml": bytes(range(256)), "list.yaml": b"- 1\n- {a: [b, c]}\n", "long.yaml": b"a: " + b"x" * 500_000,
        "known.json": b"[1]", "wide\u4e2d.yaml": b"name: \xe4\xb8\xad\n", "bad\udcff.yaml": b"version: 1\n",
    }.items():  # fmt: skip
        (made / name).write_bytes(content)
    for name in ("folder", "pack", "model", "unread"):
        (made / name).mkdir()
    (made / "folder" / "inner.yaml").write_bytes(b"version: 1\nname: x\n")
    (made / "pack" / "pack.yaml").write_text("name: x\nversion: '1'\ndescription: x\nextends: [core]\n")
    (made / "model" / "config.json").write_text('{"model_type": "bert"}')
    (made / "loop.yaml").symlink_to(made / "loop.yaml")
    (made / "dangling.yaml").symlink_to(made / "nowhere")
    small_runs.write(made / "run")
    before = Path.cwd()
    os.chdir(made)
    yield made
    os.chdir(before)


words = (
    st.sampled_from([*OPTIONS, *VALUES, *FILES, *VERBS]) | st.text(string.printable, max_size=8) | st.text(max_size=4)
)
lines = st.lists(words, max_size=7)


def tried(folder: Path, command: str, arguments: list[str], environment: dict[str, str]) -> None:
    given_ = [one for one in (command, *arguments) if one or command]
    if given_[:1] and given_[0] in ("run", "demo", "doctor"):  # what they do is tested elsewhere, and takes long
        return
    changed = {name: value.format(folder=folder) for name, value in environment.items()}
    with patch.dict(os.environ, changed):
        try:
            survives(*given_, codes=(0, 1, 2, 3, 4, 5))
        except SystemExit as end:  # --help, --version
            assert end.code == 0


@settings(
    max_examples=int(os.environ.get("ADVISE_FUZZ", "60")), deadline=timedelta(seconds=60), database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(st.sampled_from(COMMANDS), lines, st.sampled_from(ENVIRONMENTS))
def test_any_command(folder: Path, command: str, arguments: list[str], environment: dict[str, str]) -> None:
    tried(folder, command, arguments, environment)


@pytest.mark.slow
def test_two_thousand_commands(folder: Path) -> None:
    """Beside options and files without sense, those that a command needs, so that it gets to work."""
    needed = {"check": ["good.yaml"], "diff": ["good.yaml", "good.yaml"], "gate": ["run"], "report": ["run"],
              "": ["--model", "bert", "--samples", "3000", "--device", "cpu"]}  # fmt: skip
    for number in range(2_000):
        random_ = random.Random(number)
        command = random_.choice(COMMANDS)
        pool = [*OPTIONS, *VALUES, *FILES, *VERBS]
        arguments = [*needed.get(command, []), *(random_.choice(pool) for _ in range(random_.randint(0, 4)))]
        tried(folder, command, arguments, random_.choice(ENVIRONMENTS))
