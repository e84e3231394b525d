"""Every format of `check`, against files in tests/golden and against what others say that it must be.

`RENEW=1 python -m pytest tests/report/test_formats.py` writes the golden files anew; read the difference before you
commit it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped
from packs import policy, rule

from advisor.report.escape import escaped
from advisor.report.findings import summary
from advisor.report.formats import written
from advisor.report.markdown import MOST_SIGNS
from advisor.report.schema import schema
from advisor.review.baseline import Baseline, Entry
from advisor.review.batch import check
from advisor.review.findings import FORMATS
from advisor.review.outcome import Checked
from advisor.review.recipe_files import Source
from advisor.review.waivers.apply import Waiving

HERE = Path(__file__).parents[1]
GOLDEN = HERE / "golden"
ENDINGS = {"json": "json", "sarif": "sarif", "junit": "xml", "gitlab": "json", "markdown": "md"}
SMALL = {"model.kind": "encoder-decoder", "data.samples": "< 10000"}
RULES = policy(
    rule("small-data", SMALL, {"forbid": ["layer_removal", "matrix_pruning"]}),
    rule("gradual", {"recipe.steps": "matrix_pruning"}, {"limit": {"matrix_pruning.increments": ">= 4"}}),
    rule("repair", {"recipe.steps": ["layer_removal"]}, {"require": ["distillation"]}),
    rule("cpu-only", {"device.kind": ["cuda", "mps"]}, {"forbid": ["quantization"]}, "warning"),
    rule("seeds", {"data.samples": "< 10000"}, {"warn": "run it with three seeds"}, "note"),
)
NAMES = ("breaks-rules", "waived", "known", "obeys", "elsewhere", "misspelt", "missing")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the golden recipes; no model is in the Hub cache."""
    shutil.copytree(GOLDEN / "recipes", tmp_path / "recipes")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


@pytest.fixture
def checked(folder: Path) -> Checked:
    """What is found in all of them on a fixed day, with one finding in a baseline."""
    sources = [Source(f"recipes/{name}.yaml") for name in NAMES]
    how = Waiving(date(2026, 11, 24))
    first = check(RULES, sources, how)
    entries = tuple(
        Entry(one.place.file, one.rule, one.fingerprint, one.message)
        for one in first.findings
        if one.place.file == "recipes/known.yaml"
    )
    return replace(check(RULES, sources, how, known=Baseline(Path("known.json"), entries)), seconds=0.25)


def golden(name: str, text: str) -> None:
    """Compare with a golden file, or write it where RENEW is set."""
    file = GOLDEN / name
    if os.environ.get("RENEW"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_is_what_it_was(form: str, checked: Checked) -> None:
    text = written(checked, form, width=80)
    text = json.dumps(json.loads(text), indent=2) + "\n" if form == "sarif" else text
    golden(f"check-{form}.{ENDINGS.get(form, 'txt')}", text)


def test_wide_and_coloured_text_says_the_same(checked: Checked) -> None:
    golden("check-text-120.txt", written(checked, "text", width=120))
    plain = re.sub(r"\033\[[\d;]*m", "", written(checked, "text", width=80, colour=True))
    assert plain == written(checked, "text", width=80)
    golden("check-summary.txt", summary(checked) + "\n")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_text_keeps_to_the_width_but_for_what_cannot_be_cut(width: int, checked: Checked) -> None:
    long = [line for line in written(checked, "text", width=width).splitlines() if len(line) > width]
    assert long == []
    assert all(
        line.isascii()
        for line in written(checked, "text", width=width).splitlines()
        if "T5" not in line[:40] and not re.match(r"\s*\d+ \|", line)
    )


def test_json_obeys_its_own_schema(checked: Checked) -> None:
    made = json.loads(schema("findings"))
    found = json.loads(written(checked, "json"))
    jsonschema.Draft202012Validator(made).validate(found)
    assert set(found["findings"][0]) == set(made["properties"]["findings"]["items"]["properties"])
    for one in found["findings"][:1]:
        one["severity"] = "fatal"
    assert not jsonschema.Draft202012Validator(made).is_valid(found)


def test_sarif_obeys_the_published_schema(checked: Checked) -> None:
    schema = json.loads((HERE / "schemas" / "sarif-2.1.0-rtm.5.json").read_text())
    log = json.loads(written(checked, "sarif"))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
    (run,) = log["runs"]
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    for result, finding in zip(run["results"], checked.findings, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == finding.rule
        assert result["partialFingerprints"]["adviseFinding/v1"] == finding.fingerprint
        assert result["baselineState"] == ("unchanged" if finding.known else "new")
        assert bool(result["suppressions"]) == (finding.waiver is not None)
        facts = [one for one in result["relatedLocations"] if one["message"]["text"].startswith("because: ")]
        assert len(facts) == sum(cause.place is not None for cause in finding.causes)
    uris = re.findall(r'"uri": "([^"]*)"', written(checked, "sarif"))
    assert uris and not [uri for uri in uris if uri.startswith("/") or ".." in uri]
    assert run["invocations"][0]["exitCode"] == 2


def test_sarif_fingerprints_survive_that_lines_move(checked: Checked, folder: Path) -> None:
    file = folder / "recipes" / "breaks-rules.yaml"
    file.write_text("# one more line\n" + file.read_text())
    before = json.loads(written(checked, "sarif"))["runs"][0]["results"]
    again = check(RULES, [Source("recipes/breaks-rules.yaml")], Waiving(date(2026, 11, 24)))
    after = json.loads(written(again, "sarif"))["runs"][0]["results"]
    mine = [
        one for one in before if "breaks-rules" in one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    ]
    assert [one["partialFingerprints"] for one in mine] == [one["partialFingerprints"] for one in after]
    assert mine[0]["locations"] != after[0]["locations"]


def test_sarif_fixes_are_replacements_of_text(checked: Checked) -> None:
    results = json.loads(written(checked, "sarif"))["runs"][0]["results"]
    fixes = [(one["message"]["text"], fix) for one in results for fix in one.get("fixes", ())]
    assert fixes
    for _, fix in fixes:
        (change,) = fix["artifactChanges"]
        for replacement in change["replacements"]:
            region = replacement["deletedRegion"]
            line = checked.texts[change["artifactLocation"]["uri"]].splitlines()[region["startLine"] - 1]
            assert line[region["startColumn"] - 1 : region["endColumn"] - 1].strip()


def test_junit_is_read_by_a_library_that_reads_junit(checked: Checked) -> None:
    report = JUnitXml.fromstring(written(checked, "junit"))
    kinds = [kind for suite in report for case in suite for kind in map(type, case.result)]
    counting = [one for one in checked.findings if one.counts]
    assert kinds.count(Error) == sum(one.rule in ("unreadable", "invalid-recipe") for one in counting)
    assert kinds.count(Failure) == sum(one.severity != "note" for one in counting) - kinds.count(Error)
    assert kinds.count(Skipped) == len(checked.findings) - len(counting)
    assert (report.tests, report.failures, report.errors, report.skipped) == (
        sum(len(list(suite)) for suite in report),
        kinds.count(Failure),
        kinds.count(Error),
        kinds.count(Skipped),
    )
    assert [suite.name for suite in report] == list(checked.files)


def test_annotations_are_one_line_each_the_worst_first(checked: Checked) -> None:
    lines = written(checked, "github").splitlines()
    kinds = [re.match(r"::(\w+) file=[^:,]+,", line)[1] for line in lines]  # type: ignore[index]
    assert kinds == sorted(kinds, key=["error", "warning", "notice"].index)
    assert len(lines) == sum(one.counts for one in checked.findings)


@given(st.text())
def test_nobody_is_called_and_nothing_is_formatted_by_a_recipe(text: str) -> None:
    shown = escaped(text)
    assert "\n" not in shown
    assert not re.search(r"@(?!\u200b)", shown)
    assert not re.search(r"(?<!\\)[<>\[\]`*|&]", shown.replace("\\\\", ""))


def test_a_comment_fits_a_pull_request_and_says_what_it_leaves_out(checked: Checked) -> None:
    many = {f"recipes/{number}.yaml": checked.reviewed["recipes/obeys.yaml"] for number in range(500)}
    text = written(replace(checked, files=(*checked.files, *many), reviewed={**checked.reviewed, **many}), "markdown")
    assert len(text) <= MOST_SIGNS + 100
    assert re.search(r"\d+ more recipes did not fit into this comment", text)
    assert text.index("breaks-rules.yaml") < text.index("obeys.yaml")


@settings(deadline=None)  # the first example of a format imports what writes it
@given(st.text(min_size=1), st.sampled_from(FORMATS))
@example("\x1b\U00010000", "text")
@example("\uffff", "junit")
def test_any_name_in_any_format_stays_well_formed(name: str, form: str) -> None:
    recipe = f"version: 1\nname: {json.dumps(name)}\nmodel: {{source: bert}}\ndevice: cpu\nsteps: [quantization]\n"
    source = Source(f"{name}.yaml".replace("\0", ""), recipe.encode(errors="replace"))
    text = written(check(RULES, [source], Waiving(date(2026, 11, 24))), form)
    if form in ("json", "sarif"):
        json.loads(text)
    elif form == "junit":
        JUnitXml.fromstring(text)
        assert "because: <" not in text and "because: \n" not in text
    elif form in ("text", "concise", "github"):
        assert "\x1b" not in text


def test_the_schema_names_every_part_of_the_json(checked: Checked) -> None:
    assert set(json.loads(written(checked, "json"))) == set(json.loads(schema("findings"))["properties"])
