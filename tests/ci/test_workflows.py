"""The GitHub Action and the example workflows: valid by the published schemas, and their scripts run for real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML
from scratch import BAD, CHECKOUT, GOOD, call, repository

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load((CHECKOUT / name).read_text())
    return found


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", "action.yml"),
        ("vendor.github-workflows", "docs/ci/github.yml"),
        ("vendor.gitlab-ci", "docs/ci/gitlab.yml"),
        ("vendor.github-workflows", ".github/workflows/tests.yml"),
        ("vendor.github-workflows", ".github/workflows/docs.yml"),
        ("vendor.github-workflows", ".github/workflows/release.yml"),
        ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/bug.yml"),
        ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/rule.yml"),
        ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("vendor.citation-file-format", "CITATION.cff"),
    ],
)
def test_they_are_valid(schema: str, file: str) -> None:
    done = call(CHECKOUT, "check-jsonschema", "--builtin-schema", schema, file, PATH=PATH)
    assert done.returncode == 0, done.stdout


class Ended(NamedTuple):
    """What the action's check left behind."""

    code: int
    log: str
    summary: str
    outputs: dict[str, str]


def checked(folder: Path, step_id: str = "check", **inputs: str) -> Ended:
    """Run the script of one of the action's steps as a runner does, in this folder."""
    action = read("action.yml")
    (step,) = (one for one in action["runs"]["steps"] if one.get("id") == step_id)
    values = {name: one["default"] for name, one in action["inputs"].items()} | {
        name.replace("_", "-"): value for name, value in inputs.items()
    }
    given = {name: text.split("inputs.")[1].split(" ")[0] for name, text in step["env"].items()}
    temp = folder.parent / "temp"
    temp.mkdir(exist_ok=True)
    files = {name: temp / name for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    for file in files.values():
        file.write_text("")
    variables = {name: values[source] for name, source in given.items()} | {
        name: str(file) for name, file in files.items()
    }
    script = temp / "script.sh"
    script.write_text(step["run"])
    shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", str(script))
    done = call(folder, *shell, PATH=PATH, RUNNER_TEMP=str(temp), **variables)
    lines = files["GITHUB_OUTPUT"].read_text().splitlines()
    return Ended(
        done.returncode,
        done.stdout,
        files["GITHUB_STEP_SUMMARY"].read_text(),
        dict(line.split("=", 1) for line in lines),
    )


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return repository(tmp_path / "scratch")


def test_a_good_recipe_passes_with_a_summary(scratch: Path) -> None:
    ended = checked(scratch)
    assert (ended.code, ended.outputs["exit-code"]) == (0, "0")
    assert "recipes/reviews.yaml" in ended.summary
    assert json.loads(Path(ended.outputs["sarif"]).read_text())["version"] == "2.1.0"


def test_a_broken_rule_fails_with_annotation_summary_and_sarif(scratch: Path) -> None:
    (scratch / "recipes" / "reviews.yaml").write_text(BAD)
    ended = checked(scratch)
    assert (ended.code, ended.outputs["exit-code"]) == (1, "1")
    annotation = next(line for line in ended.log.splitlines() if line.startswith("::error"))
    assert "file=recipes/reviews.yaml,line=8" in annotation and "quantize-cpu-only" in annotation
    assert "quantize-cpu-only" in ended.summary
    (run,) = json.loads(Path(ended.outputs["sarif"]).read_text())["runs"]
    assert run["results"][0]["ruleId"] == "quantize-cpu-only"


def test_inputs_reach_the_command(scratch: Path) -> None:
    waived = BAD + 'waivers: [{rule: quantize-cpu-only, reason: "a trial", owner: me, until: 2999-12-31}]\n'
    (scratch / "recipes" / "reviews.yaml").write_text(waived)
    assert checked(scratch, inline_waivers="false").code == 1
    (scratch / "recipes" / "reviews.yaml").write_text(BAD)
    known = scratch / "known.json"
    done = call(scratch, "advise", "check", "recipes", "--write-baseline", str(known), PATH=PATH)
    assert done.returncode == 0, done.stdout
    assert checked(scratch, baseline=str(known)).code == 0
    assert checked(scratch, policy="rules/acme").code == 1
    (scratch / "other.yaml").write_text(GOOD)
    assert checked(scratch, recipes="other.yaml\nrecipes").code == 1
    assert checked(scratch, recipes="other.yaml").code == 0


@pytest.mark.parametrize(
    ("inputs", "code", "told"),
    [
        ({"recipes": "recipes/broken.yaml"}, 2, "did you mean 'device'?"),
        ({"policy": "acme"}, 3, "no rule pack 'acme'"),
        ({"recipes": "empty"}, 5, "no recipe"),
        ({"recipes": "x; touch hacked"}, 2, "file=x;,title=advise (unreadable)"),
        ({"fail_on": "$(touch hacked)"}, 2, "touch hacked"),
    ],
)
def test_what_cannot_be_checked_never_passes(inputs: dict[str, str], code: int, told: str, scratch: Path) -> None:
    (scratch / "empty").mkdir()
    (scratch / "recipes" / "broken.yaml").write_text(GOOD.replace("device", "devise"))
    ended = checked(scratch, **inputs)
    assert (ended.code, ended.outputs["exit-code"]) == (code, str(code))
    assert told in ended.log and f"::error title=advise::advise check ended with {code}" in ended.log
    assert not (scratch / "hacked").exists()


def test_the_projects_configuration_counts_unless_another_is_named(scratch: Path) -> None:
    (scratch / "recipes" / "reviews.yaml").write_text(BAD)
    (scratch / "advise.toml").write_text('ignore = ["quantize-cpu-only"]\n')
    (scratch / "trusted.toml").write_text("")
    assert checked(scratch).code == 0
    assert checked(scratch, config="trusted.toml").code == 1


def test_a_run_that_may_not_be_deployed_fails(scratch: Path) -> None:
    (scratch / "runs" / "empty").mkdir(parents=True)
    ended = checked(scratch, "gate", runs="runs/empty\nruns/absent", gate_options="--without-data --device cpu")
    assert (ended.code, ended.outputs["exit-code"]) == (4, "4")
    assert "gate-complete" in ended.summary
    assert "::error title=advise gate::runs/empty may not be deployed (exit code 4)" in ended.log
    assert "::error title=advise gate::runs/absent may not be deployed (exit code 2)" in ended.log
    assert checked(scratch, "gate", runs="x; touch hacked", gate_options="$(touch hacked)").code == 2
    assert not (scratch / "hacked").exists()


@pytest.mark.slow
def test_a_run_that_may_be_deployed_passes(scratch: Path, finished_run: Path) -> None:
    ended = checked(scratch, "gate", runs=str(finished_run))
    assert (ended.code, ended.outputs["exit-code"]) == (0, "0"), ended.log


def test_the_commands_of_the_examples_are_real(scratch: Path) -> None:
    """What the GitLab job and the workflow's second job run, in a repository as they expect it."""
    jobs = read("docs/ci/github.yml")["jobs"]["policy"]["steps"]
    for command in [step["run"] for step in jobs if "advise rules" in step.get("run", "")]:
        assert call(scratch, *command.split(), PATH=PATH).returncode == 0
    for command in read("docs/ci/gitlab.yml")["advise"]["script"]:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", command], cwd=scratch, check=False,
            env={**os.environ, "PATH": PATH, "PYTHONPATH": str(CHECKOUT)},
        )  # fmt: skip
        assert done.returncode == 0, command
    (command,) = read("docs/ci/gitlab.yml")["advise-gate"]["script"]
    (scratch / "runs" / "release").mkdir(parents=True)
    assert call(scratch, *command.split(), PATH=PATH).returncode == 4
    assert "gate-complete" in (scratch / "advise-gate.xml").read_text()
    assert (scratch / "advise-junit.xml").read_text().startswith("<testsuites")
    assert json.loads((scratch / "advise.sarif").read_text())["runs"]
