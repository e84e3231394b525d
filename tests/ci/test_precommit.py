"""The hooks of .pre-commit-hooks.yaml, run by the real pre-commit in a scratch repository."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from scratch import BAD, CHECKOUT, call, repository

HOOKS: list[dict[str, Any]] = YAML(typ="safe").load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A repository that uses the hooks as they are, but from this environment instead of one of their own."""
    made = repository(tmp_path / "scratch")
    hooks = [{**hook, "language": "system", "additional_dependencies": []} for hook in HOOKS]
    hooks[-1]["args"] = ["runs/release"]
    with (made / ".pre-commit-config.yaml").open("w") as file:
        YAML(typ="safe").dump({"repos": [{"repo": "local", "hooks": hooks}]}, file)
    call(made, "git", "add", ".")
    return made


def hooks(scratch: Path, *arguments: str, code: int = 0) -> dict[str, str]:
    """What each hook ended with, by id."""
    home = str(scratch.parent / "pre-commit")
    done = call(scratch, "pre-commit", "run", *arguments, "--color=never", PRE_COMMIT_HOME=home, PATH=PATH)
    assert done.returncode == code, done.stdout
    ends = {hook["id"]: hook["name"] for hook in HOOKS}
    lines = done.stdout.splitlines()
    found = {key: next(line for line in lines if line.startswith(name + ".")) for key, name in ends.items()}
    return {"shown": done.stdout, **{key: line.rsplit(".", 1)[1].split(")")[-1] for key, line in found.items()}}


def test_good_recipes_and_packs_pass(scratch: Path) -> None:
    ended = hooks(scratch, "--all-files")
    assert [ended[hook["id"]] for hook in HOOKS] == ["Passed", "Passed", "Passed", "Skipped"]


def test_a_recipe_that_breaks_a_rule_stops_the_commit(scratch: Path) -> None:
    (scratch / "recipes" / "reviews.yaml").write_text(BAD)
    call(scratch, "git", "add", "recipes")
    ended = hooks(scratch, "--files", "recipes/reviews.yaml", "compose.yaml", code=1)
    assert (ended["advise-check"], ended["advise-rules-test"]) == ("Failed", "Skipped")
    assert "quantize-cpu-only" in ended["shown"]
    assert "recipes/reviews.yaml:8:5" in ended["shown"]


def test_a_rule_whose_examples_come_out_otherwise_stops_the_commit(scratch: Path) -> None:
    rule = scratch / "rules" / "acme" / "device" / "quantize-cpu-only.yaml"
    rule.write_text(rule.read_text().replace("device.kind: [cuda, mps]", "device.kind: [cuda]"))
    call(scratch, "git", "add", "rules")
    ended = hooks(scratch, "--files", "rules/acme/device/quantize-cpu-only.yaml", code=1)
    assert (ended["advise-check"], ended["advise-rules-test"]) == ("Skipped", "Failed")


def test_a_run_that_may_not_be_deployed_stops_the_commit(scratch: Path) -> None:
    report = scratch / "runs" / "release" / "report.json"
    report.parent.mkdir(parents=True)
    report.write_text("{}")
    call(scratch, "git", "add", "runs")
    ended = hooks(scratch, "--files", "runs/release/report.json", code=1)
    assert (ended["advise-check"], ended["advise-gate"]) == ("Skipped", "Failed")
    assert "gate-complete" in ended["shown"]


def test_every_hook_calls_a_command_that_there_is() -> None:
    for hook in HOOKS:
        done = call(CHECKOUT, *hook["entry"].split(), "--help", PATH=PATH)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_hooks_install_themselves_from_the_repository(tmp_path: Path) -> None:
    """As users get them: pre-commit clones the repository and installs it with pip into an environment of its own."""
    if not (CHECKOUT / ".git").exists():
        pytest.skip("not a git checkout, so there is nothing to clone")
    made = repository(tmp_path / "scratch")
    home = str(tmp_path / "pre-commit")
    for recipe, code in (("", 0), (BAD, 1)):
        if recipe:
            (made / "recipes" / "reviews.yaml").write_text(recipe)
            call(made, "git", "add", ".")
        tried = ("pre-commit", "try-repo", str(CHECKOUT), "advise-check", "--all-files", "--color=never")
        done = call(made, *tried, PRE_COMMIT_HOME=home, PATH=PATH, PYTHONPATH="")
        assert done.returncode == code, done.stdout
        assert ("quantize-cpu-only" in done.stdout) == bool(code)
