"""`advise server` as an editor meets it: a real client over stdin and stdout, on real files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from refused import RECIPE
from refused import RULE as BROKEN

from advisor.cli import main

pytest.importorskip("pygls", reason="the extra [editor] is not installed")
from editing import Editor
from pygls.exceptions import JsonRpcException

MISSPELT = RECIPE.replace("device: cpu", "device: CPU").replace("finetune: {}", "finetune: {epochs: three}")
SMALL = RECIPE.replace("distillation: {}", "distillation: {epoch: 3}")
RULE_FILE = """id: {id}
title: Keep enough layers
origin: X1
severity: error
since: "1"
when: {{data.samples: "< {samples}"}}
then: {{limit: {{layer_removal.keep: ">= 6"}}}}
because: Ours need them.
evidence: [{{source: S, at: p. 1, says: so, strength: derived}}]
confidence: low
examples:
  fires: [{{samples: 3000}}]
  quiet: [{{samples: 90000}}]
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("workspace")
    for folder in (".git", "recipes", "recipes/old", "rules/own"):
        (made / folder).mkdir(parents=True)
    (made / "recipes" / "a.yaml").write_text(RECIPE)
    (made / "rules" / "own" / "pack.yaml").write_text(
        "name: own\nversion: '1'\ndescription: ours\nextends: [core]\nsources: {S: ours}\n"
    )
    (made / "rules" / "own" / "keep-enough.yaml").write_text(RULE_FILE.format(id="keep-enough", samples=5000))
    (made / "advise.toml").write_text('exclude = ["recipes/old/**"]\nfail-on = "warning"\n')
    return made


@pytest.fixture(scope="module")
def editor(workspace: Path) -> Iterator[Editor]:
    made = Editor(workspace)
    yield made
    assert made.quit() == 0


def place(text: str, word: str) -> tuple[int, int]:
    before = text[: text.index(word)]
    return before.count("\n"), len(before) - before.rfind("\n") - 1


def test_an_open_recipe_shows_what_check_finds(
    editor: Editor, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    for text in (RECIPE, MISSPELT, SMALL, "steps: [\n", RECIPE.replace("name: x", 'name: "\U0001f642 ä"')):
        (workspace / "recipes" / "b.yaml").write_text(text)
        main(["check", "recipes/b.yaml", "--format", "json"])
        found = json.loads(capsys.readouterr().out)["findings"]
        assert found
        shown = editor.open("recipes/b.yaml")
        assert sorted((str(one.code), one.range.start.line + 1) for one in shown) == sorted(
            (one["rule"], one["place"]["line"]) for one in found
        )
        assert all(one["message"] in " ".join(d.message for d in shown) for one in found)


def test_findings_follow_what_is_typed(editor: Editor) -> None:
    assert BROKEN in [one.code for one in editor.open("recipes/a.yaml")]
    assert BROKEN not in [one.code for one in editor.type("recipes/a.yaml", RECIPE.replace("keep: 4", "keep: 11"))]
    assert BROKEN in [one.code for one in editor.type("recipes/a.yaml", RECIPE)]


def test_a_place_counts_in_the_editors_units(editor: Editor) -> None:
    text = RECIPE.replace("finetune: {}", 'finetune: {epochs: "\U0001f642", leaning_rate: 1}')
    (wrong,) = (one for one in editor.open("recipes/a.yaml", text) if "leaning_rate" in one.message)
    line, column = place(text, "leaning_rate")
    start, end = wrong.range.start, wrong.range.end
    assert (start.line, start.character) == (line, column + 1)  # the smiley is two units of UTF-16
    assert end.character - start.character == len("leaning_rate")


def test_hover_shows_the_rules_page_and_the_fields_meaning(editor: Editor) -> None:
    editor.open("recipes/a.yaml")
    shown = editor.hover("recipes/a.yaml", *place(RECIPE, "keep"))
    assert "Blocks that stay" in shown and "A whole number > 0" in shown
    assert f"error[{BROKEN}]" in shown and "## Why" in shown and "## Evidence" in shown
    shown = editor.hover("recipes/a.yaml", *place(RECIPE, "distillation"))
    assert "teacher" in shown
    waivers = f"waivers:\n  - rule: {BROKEN}\n"
    editor.open("recipes/waivers.yaml", waivers)
    assert "## How to waive" in editor.hover("recipes/waivers.yaml", *place(waivers, "few-layers"))


def test_a_safe_fix_is_preferred_and_leaves_a_recipe_that_check_takes(editor: Editor, workspace: Path) -> None:
    text = "version: 1\nname: x\nmodel: {source: bert, family: bert}\ndata: {samples: 30000}\ndevice: cpu\n"
    text += "goal: {relative_accuracy: >= 0.9}  # as agreed\nsteps:\n  - finetune: {}\n  - quantization: {}\n"
    (wrong,) = editor.open("recipes/c.yaml", text)
    (fix,) = editor.fixes("recipes/c.yaml", wrong)
    assert fix.is_preferred and fix.edit and fix.edit.changes
    ((edit,),) = fix.edit.changes.values()
    lines = text.splitlines(keepends=True)
    at = edit.range.start.line
    assert (at, edit.range.end.line) == (5, 5)
    lines[at] = lines[at][: edit.range.start.character] + edit.new_text + lines[at][edit.range.end.character :]
    assert lines[5] == 'goal: {relative_accuracy: ">= 0.9"}  # as agreed\n'
    assert not [one for one in editor.type("recipes/c.yaml", "".join(lines)) if one.severity == 1]


def test_a_fix_that_changes_the_recipe_says_so(editor: Editor) -> None:
    (broken,) = (one for one in editor.open("recipes/a.yaml") if one.code == BROKEN)
    (fix,) = editor.fixes("recipes/a.yaml", broken)
    assert not fix.is_preferred
    assert fix.title.endswith("(changes what the recipe does)")


@pytest.mark.parametrize(
    ("name", "text", "offered"),
    [
        ("recipes/d.yaml", "version: 1\ndev|", {"device", "steps", "model"}),
        ("recipes/d.yaml", "steps:\n  - |", {"finetune", "layer_removal", "quantization"}),
        ("recipes/d.yaml", "steps:\n  - distillation: {ep|", {"epochs", "temperature"}),
        ("recipes/d.yaml", "steps:\n  - quantization:\n      |", {"bits", "backend"}),
        ("recipes/d.yaml", "steps: []\ndevice: |", {"cpu", "edge"}),
        ("recipes/d.yaml", "steps: []\ntraining: {precision: |", {"auto", "bf16"}),
        ("recipes/d.yaml", "steps: []\nmodel: {source: |", {"bert", "t5"}),
        ("recipes/d.yaml", "steps: []  # advise: ignore[small|", {BROKEN}),
        ("recipes/waivers.yaml", "waivers:\n  - ru|", {"rule", "until"}),
        ("recipes/waivers.yaml", "waivers:\n  - {rule: small-d|", {BROKEN}),
        ("rules/own/pack.yaml", "disable:\n  |", {BROKEN}),
        ("rules/own/new.yaml", "id: new\nwhen:\n  data.|", {"data.samples", "data.task", "all"}),
        ("rules/own/new.yaml", "id: new\nwhen: {device.kind: |", {"cpu"}),
        ("rules/own/new.yaml", "id: new\nthen:\n  forbid: [|", {"quantization"}),
        ("rules/own/new.yaml", "id: new\nthen:\n  limit: {layer|", {"layer_removal.keep"}),
    ],
)
def test_keys_words_and_rules_are_completed(editor: Editor, name: str, text: str, offered: set[str]) -> None:
    before = text.replace("|", "")
    editor.open(name, before)
    found = editor.complete(name, *place(text, "|"))
    assert offered <= set(found)
    word = re.split(r"[\s{\[]", before)[-1]
    for label in offered:
        edit = found[label].text_edit
        assert edit and edit.range.end.character - edit.range.start.character == len(word)
        assert edit.new_text.removeprefix("- ").startswith(label)


def test_rules_packs_and_waivers_are_read_as_their_commands_read_them(editor: Editor, workspace: Path) -> None:
    rule, pack = "rules/own/keep-enough.yaml", "rules/own/pack.yaml"
    assert editor.open(rule) == []
    (wrong,) = editor.type(rule, RULE_FILE.format(id="keep-enough", samples="2000"))
    assert wrong.code == "rule-example" and "should fire" in wrong.message
    (wrong,) = editor.type(rule, RULE_FILE.format(id="other", samples="5000"))
    assert "must be named other.yaml" in wrong.message
    (wrong,) = editor.type(
        rule, RULE_FILE.format(id="keep-enough", samples="5000").replace("data.samples:", "data.sample:")
    )
    assert "did you mean 'data.samples'?" in wrong.message
    assert editor.open(pack) == []
    text = (workspace / pack).read_text() + "disable: {no-such-rule: because}\n"
    assert editor.type(pack, text) == []  # what a pack extends is read once it is saved
    (workspace / pack).write_text(text)
    (wrong,) = editor.save(pack)
    assert "no rule no-such-rule" in wrong.message
    (workspace / pack).write_text(text.replace("disable", "# disable"))
    waivers = "waivers:\n  - {rule: small-data-few-layer, reason: x, owner: a, until: 2026-13-01}\n"
    (wrong,) = editor.open("recipes/waivers.yaml", waivers)
    assert (wrong.code, "did you mean" in wrong.message) == ("waiver-unknown-rule", True)
    (wrong,) = editor.type("recipes/waivers.yaml", waivers.replace("layer,", "layers,"))
    assert (wrong.code, "'2026-13-01' is not a date" in wrong.message) == ("waiver-malformed", True)


def test_the_configuration_of_the_project_counts(editor: Editor, workspace: Path) -> None:
    assert editor.open("recipes/old/x.yaml", RECIPE) == []  # excluded
    assert editor.open("compose.yaml", "services: {}\n") == []  # something else
    file = workspace / "advise.toml"
    before = file.read_text()
    try:
        file.write_text("fail-no = 1\n")
        assert "did you mean 'fail-on'?" in editor.open("recipes/a.yaml")[0].message
    finally:
        file.write_text(before)
    until = date.today() + timedelta(days=30)
    comment = f'# advise: ignore[{BROKEN}] until={until} owner=anna reason="x"'
    waived = RECIPE.replace("{keep: 4}", f"{{keep: 4}}  {comment}")
    (excused,) = (one for one in editor.open("recipes/a.yaml", waived) if one.code == BROKEN)
    assert (excused.severity, excused.message[:7]) == (4, "waived:")


def test_without_pygls_the_command_says_what_to_install(tmp_path: Path) -> None:
    hidden = "import importlib.util as u, sys; u.find_spec = lambda name: None"
    script = f"{hidden}\nfrom advisor.cli import main\nsys.exit(main(['server']))"
    called = [sys.executable, "-c", script]
    done = subprocess.run(called, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "pygls, not installed" in done.stderr and "[editor]" in done.stderr


def test_a_file_that_is_not_open_is_no_reason_to_read_the_disk(editor: Editor, workspace: Path) -> None:
    """A pipe would never end."""
    os.mkfifo(workspace / "recipes" / "waits.yaml")
    with pytest.raises(JsonRpcException, match=r"waits\.yaml is not open"):
        editor.hover("recipes/waits.yaml", 0, 0)
    (workspace / "recipes" / "waits.yaml").unlink()
