"""`advise diff`: what changed in effect, what it comes to, and which rules are newly broken."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.cli import main
from advisor.policy.pack import core
from advisor.recipe.reader import loads
from advisor.recipe.recipe import as_yaml
from advisor.review.difference import difference
from advisor.review.outcome import Reviewed
from advisor.review.review import review_document

CHECKOUT = Path(__file__).parents[2]
RECIPES = CHECKOUT / "recipes"
OLD = """version: 1
name: x
model: {source: bert, family: bert}
data: {samples: 25000}
device: cpu
goal: {relative_accuracy: ">= 0.9"}
steps:
  - finetune: {}
  - layer_removal: {keep: 8}
  - distillation: {}
"""
INT8 = "  - quantization: {}\n"


@pytest.fixture
def diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Compare two texts: the exit code and what JSON says."""

    def run(old: str, new: str, *options: str) -> tuple[int, dict[str, Any]]:
        for name, text in (("old", old), ("new", new)):
            (tmp_path / f"{name}.yaml").write_text(text)
        files = [str(tmp_path / f"{name}.yaml") for name in ("old", "new")]
        code = main(["diff", "--format", "json", *files, *options])
        found = json.loads(capsys.readouterr().out)
        assert found["exit"] == code
        return code, found

    return run


def changes(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(one["kind"], one["part"], one["before"], one["after"]) for one in found["changes"]]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("samples: 25000", "samples: 3000", ("changed", "data.samples", "25,000", "3,000")),
        ("samples: 25000", "samples: 25000, labels: 3", ("added", "data.labels", "", "3")),
        ("device: cpu", "device: edge", ("changed", "device", "cpu", "edge")),
        (">= 0.9", ">= 0.95", ("changed", "goal.relative_accuracy", ">= 0.9", ">= 0.95")),
        ("keep: 8", "keep: 9", ("changed", "layer_removal.keep", "8", "9")),
        ("keep: 8", "keep: 8, choose: top", ("changed", "layer_removal.choose", "alternate", "top")),
        ("distillation: {}", "distillation: {epochs: 9}", ("changed", "distillation.epochs", "5", "9")),
        ("steps:", "training: {seed: 1}\nsteps:", ("changed", "training.seed", "0", "1")),
        ("steps:", 'gates: {size_mb: "<= 200"}\nsteps:', ("added", "gates.size_mb", "", "<= 200")),
        ("  - finetune: {}\n", "", ("removed", "finetune", "epochs 3, learning_rate 5e-05", "")),
        ("source: bert", "source: gpt2", ("changed", "model.family", "bert", "gpt2")),
    ],
)
def test_a_change_in_effect(diff: Any, old: str, new: str, expected: tuple[str, ...]) -> None:
    _, found = diff(
        OLD, OLD.replace(old, new).replace("family: bert}", "family: gpt2}" if "gpt2" in new else "family: bert}")
    )
    assert expected in changes(found)
    assert found["in_effect"]


def test_an_added_step_is_told_with_all_its_settings(diff: Any) -> None:
    _, found = diff(OLD, OLD + INT8)
    ((kind, part, before, after),) = changes(found)
    assert (kind, part, before) == ("added", "quantization", "")
    assert "bits 8" in after
    assert "min_relative_accuracy 0.99" in after


def test_an_order_of_steps(diff: Any) -> None:
    swapped = OLD.replace("  - layer_removal: {keep: 8}\n", "") + "  - layer_removal: {keep: 8}\n"
    code, found = diff(OLD, swapped)
    order = (
        "moved",
        "order of steps",
        "finetune, layer_removal, distillation",
        "finetune, distillation, layer_removal",
    )
    assert (code, changes(found)) == (1, [order])
    assert [one["rule"] for one in found["broken"]] == ["distil-between"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{keep: 8}", "{choose: 'alternate', keep: 8}  # as before"),
        ("{keep: 8}", "\n      keep: 8"),
        ("finetune: {}", "finetune:"),
        ("- finetune: {}", "- finetune"),
        ("finetune: {}", "finetune: {epochs: 3, learning_rate: 0.00005}"),
        ("samples: 25000", "samples: 25_000"),
        ("source: bert,", "source: google-bert/bert-base-uncased,"),  # the base checkpoint of that name
        ("source: bert, family: bert", "source: bert"),
        (">= 0.9", ">=0.90"),
        ("steps:", 'gates: {relative_accuracy: ">= 0.9"}\nsteps:'),  # the goal, said again
        ("name: x", "name: y"),
    ],
)
def test_another_way_to_write_it_is_no_change_in_effect(diff: Any, old: str, new: str) -> None:
    code, found = diff(OLD, OLD.replace(old, new))
    assert (code, found["in_effect"]) == (0, False)
    assert not [one for one in found["changes"] if one["effect"]]


def test_sizes_are_exact_and_predictions_are_ranges(diff: Any) -> None:
    _, found = diff(OLD, OLD.replace("keep: 8", "keep: 4") + INT8)
    before, after = found["predicted"]["before"], found["predicted"]["after"]
    assert before["parameters"] / before["baseline_parameters"] == pytest.approx(0.741, abs=0.001)
    assert after["parameters"] < before["parameters"]
    assert before["size_mb"]["low"] == before["size_mb"]["high"] == before["parameters"] * 4 / 1e6
    assert after["size_mb"]["low"] < after["size_mb"]["high"] < before["size_mb"]["low"]
    for name in ("accuracy", "time", "emissions"):
        assert after[name]["low"] < after[name]["high"]
        assert after[name]["low"] < before[name]["low"]


def test_rules_newly_broken_and_satisfied(diff: Any) -> None:
    bad = OLD.replace("samples: 25000", "samples: 3000").replace("keep: 8", "keep: 4")
    code, found = diff(OLD, bad)
    assert code == 1
    assert [one["rule"] for one in found["broken"] if one["severity"] == "error"] == ["small-data-few-layers"]
    code, found = diff(bad, OLD)
    assert (code, found["broken"]) == (0, [])
    assert "small-data-few-layers" in [one["rule"] for one in found["satisfied"]]


def test_what_was_broken_before_is_not_newly_broken_wherever_it_moved(diff: Any) -> None:
    bad = OLD.replace("samples: 25000", "samples: 3000").replace("keep: 8", "keep: 4")
    code, found = diff(bad, bad.replace("keep: 4", "keep: 3").replace("  - finetune: {}\n", ""))
    assert (code, [one["rule"] for one in found["broken"]]) == (1, ["finetune-first"])
    assert found["satisfied"] == []


def test_fail_on(diff: Any) -> None:
    fewer = OLD.replace("samples: 25000", "samples: 9000")
    assert diff(OLD, fewer)[0] == 0
    assert diff(OLD, fewer, "--fail-on", "warning")[0] == 1
    assert diff(fewer, OLD, "--fail-on", "note")[0] == 0


def test_waivers(diff: Any) -> None:
    until = (date.today() + timedelta(days=90)).isoformat()
    waiver = f"waivers: [{{rule: small-data-few-layers, reason: trial, owner: anna, until: {until}}}]\n"
    bad = OLD.replace("samples: 25000", "samples: 3000").replace("keep: 8", "keep: 4")
    code, found = diff(bad, bad + waiver)
    assert (code, found["in_effect"]) == (0, True)
    assert [one["rule"] for one in found["waived"]] == ["small-data-few-layers"]
    assert ("added", "waiver", "", f"small-data-few-layers until {until} (anna: trial)") in changes(found)
    code, found = diff(bad + waiver, bad)
    assert (code, [one["rule"] for one in found["broken"]]) == (1, ["small-data-few-layers"])


def test_text_and_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(RECIPES / f"bert-{name}.yaml") for name in ("two-thirds", "one-third-narrow")]
    assert main(["diff", *files]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "~ layer_removal.keep 8 -> 4" in shown
    assert "parameters 81,132,290 23,764,162 -70.7 %" in shown
    assert "broken warning[very-deep-cut]" in shown
    assert "1 newly broken, nothing newly satisfied" in shown
    assert main(["diff", "--format", "markdown", *files]) == 0
    shown = capsys.readouterr().out
    assert "| ~ | `layer_removal.keep` | 8 | 4 |" in shown
    assert all(line.count("|") >= 4 for line in shown.splitlines() if line.startswith("|"))
    assert main(["diff", files[0], files[0]]) == 0
    assert "no change in effect" in capsys.readouterr().out


def test_stdin_stands_for_another_version_of_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": "bert", **BERT}))
    text = OLD.replace("source: bert, family: bert", "source: model").replace("keep: 8", "keep: 2")
    file = tmp_path / "a.yaml"
    file.write_text(text)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["diff", "-", str(file)]) == 0  # the model is found from the file's own folder
    assert "no change in effect" in capsys.readouterr().out


BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "vocab_size": 99,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
}


def test_as_git_users_call_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OLD)
    call = f"cat a.yaml | {sys.executable} {CHECKOUT / 'cli.py'} diff /dev/stdin a.yaml"
    done = subprocess.run(["bash", "-c", call], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "no change in effect" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("names", [["-", "-"], ["a.yaml"], ["a.yaml", "missing.yaml"], ["a.yaml", "broken.yaml"]])
def test_wrong_use(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(OLD)
    (tmp_path / "broken.yaml").write_text(OLD.replace("cpu", "gpu"))
    assert main(["diff", *names]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "advise: " in captured.err


def test_the_faults_of_both_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text(OLD.replace("cpu", f"{name}pu"))
    assert main(["diff", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]) == 2
    told = capsys.readouterr().err
    assert "a.yaml:5:9" in told
    assert "b.yaml:5:9" in told


def reviewed(text: str) -> Reviewed:
    recipe, document = loads(text, "r.yaml")
    return review_document(core(), recipe, document, Path())


SHIPPED = sorted(RECIPES.glob("*.yaml"))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SHIPPED), st.sampled_from(SHIPPED))
def test_there_and_back_mirror_each_other(one: Path, other: Path) -> None:
    old, new = reviewed(one.read_text()), reviewed(other.read_text())
    there, back = difference(old, new), difference(new, old)
    assert (there.before, there.after) == (back.after, back.before)
    assert (there.broken, there.satisfied) == (back.satisfied, back.broken)
    assert {(x.part, x.before, x.after) for x in there.changes} == {(x.part, x.after, x.before) for x in back.changes}
    assert there.in_effect == (one != other)
    assert not difference(old, reviewed(as_yaml(old.recipe))).in_effect


def test_a_comment_calls_nobody_and_links_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, said in (("old", "x"), ("new", '"@team [y](http://z.example) <!-- a | b"')):
        (tmp_path / f"{name}.yaml").write_text(OLD.replace("name: x", f"name: {said}"))
    main(["diff", "--format", "markdown", *(str(tmp_path / f"{name}.yaml") for name in ("old", "new"))])
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "team" in line]
    assert "@\u200bteam \\[y\\](http://z.example) \\<!-- a \\| b" in row


def test_a_cut_that_nothing_repairs_is_promised_no_accuracy(diff: Any) -> None:
    bare = OLD.replace("  - distillation: {}\n", "")
    for new in (bare, bare + INT8):
        _, found = diff(OLD, new)
        assert found["predicted"]["before"]["accuracy"] and not found["predicted"]["after"].get("accuracy")
    _, found = diff(OLD, OLD + INT8)
    assert found["predicted"]["after"]["accuracy"]
