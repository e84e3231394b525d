"""The HTML report: what a browser shows of it, wide and narrow, light and dark; nothing hostile leaves its place."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import browser
import pytest
import small_runs
from markupsafe import escape

from advisor.base.install import pip_command
from advisor.cli import main
from advisor.records.results import GateResult, Measured, Predicted, RunResult, Served
from advisor.report import chart, html
from advisor.report.chart import Figured, Line, Point
from advisor.runs.finished import read

needs_browser = pytest.mark.skipif(browser.path() is None, reason="no Chromium is installed")
GONE = Measured(why_not="this machine has no edge device")


def several(folder: Path) -> list[Path]:
    """Runs on much and on little data, on WNLI, and one without measured emissions."""
    whole = small_runs.result()
    nowhere = tuple(replace(step, served=Served(*[GONE] * 9)) for step in whole.steps)
    return [
        small_runs.write(folder / "a"),
        small_runs.write(folder / "b", replace(whole, name="bert-rte"), data="rte", samples=2_490),
        small_runs.write(folder / "c", replace(whole, name="bert-wnli"), data="glue/wnli", samples=635),
        small_runs.write(folder / "d", replace(whole, name="bert-edge", steps=nowhere), data="cola", samples=8_551),
    ]


def page(folder: Path, *folders: Path) -> Path:
    file = folder / "report.html"
    assert main(["report", *map(str, folders), "--html", str(file)]) == 0
    return file


@needs_browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_a_run(width: int, tmp_path: Path) -> None:
    seen = browser.look(page(tmp_path, small_runs.write(tmp_path / "run")), width)
    assert seen["width"] == width, "the page is wider than the screen"
    for words in (
        "keeps 97.8 % of the accuracy at 31 % of the time", "67,349 training rows", "✗ a gate missed",
        "7 of 8 numbers as predicted", "✗ worse", "95 % interval 96.8 to 98.8 %", "energy counters (RAPL",
        "after 31,000 requests", "layer_removal: {keep: 8}", "AMD EPYC, 2 threads", "embodied carbon is not stated",
        "int8 on a CPU (section 5.1)",
    ):  # fmt: skip
        assert words in seen["text"]
    assert seen["titles"] == ["Accuracy against emissions, 10,000 training examples or more"]
    assert seen["scripts"] == 0
    assert [one for one in seen["links"] if not one.startswith("#")] == []


@needs_browser
def test_light_and_dark_reach_the_drawing(tmp_path: Path) -> None:
    file = page(tmp_path, small_runs.write(tmp_path / "run"))
    light, dark = browser.look(file, 1280), browser.look(file, 1280, dark=True)
    for name in ("background", "ink", "drawing"):
        assert light[name] != dark[name]
    for seen in (light, dark):
        assert abs(_brightness(seen["background"]) - _brightness(seen["ink"])) > 0.6


def _brightness(colour: str) -> float:
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / (3 * 255)


@needs_browser
@pytest.mark.parametrize("width", [1280, 390])
def test_several_runs_are_split_by_data_size_and_means_leave_wnli_out(width: int, tmp_path: Path) -> None:
    seen = browser.look(page(tmp_path, *several(tmp_path)), width)
    assert seen["width"] == width
    assert [title.split(", ", 1)[1] for title in seen["titles"]] == [
        "10,000 training examples or more",
        "fewer than 10,000 training examples",
    ]
    text = " ".join(seen["text"].split())
    told = "mean of 3 BERT runs for cpu: 8 layers, distilled, int8 97.8 % ± 0.0 18.7 % ± 0.0 only 2 of 3 only 2 of 3"
    assert told in text
    assert "bert-wnli is left out of every mean: its development set is made to mislead" in text
    assert "Not shown: bert-edge, fine-tuned, 8 layers, distilled, int8: this machine has no edge device." in text


@needs_browser
def test_the_folder_of_several_seeds_shows_each_and_their_spread(tmp_path: Path) -> None:
    for seed in range(2):
        steps = list(small_runs.result().steps)
        steps[-1] = replace(steps[-1], relative_accuracy=Measured(0.96 + seed / 50))
        small_runs.write(tmp_path / "out" / f"seed-{seed}", small_runs.result(steps=tuple(steps)), seed=seed)
    text = " ".join(browser.look(page(tmp_path, tmp_path / "out"), 1280)["text"].split())
    assert "bert-sst2, seed 0" in text and "bert-sst2, seed 1" in text
    assert "mean of 2 BERT runs for cpu: 8 layers, distilled, int8 97.0 % ± 1.4" in text


@needs_browser
def test_it_prints(tmp_path: Path) -> None:
    browser.print_(page(tmp_path, small_runs.write(tmp_path / "run")), tmp_path / "report.pdf")
    printed = (tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF") and 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 5


HOSTILE = [
    "<script>alert(1)</script>",
    '"]]>',
    "</svg><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}",
    "$\\frac{a}{b}$",
    "_x",
    "'\"&<",
]


def hostile(name: str) -> RunResult:
    """A run in which every word comes from somebody else."""
    whole, evil = small_runs.result(), Measured(0.5, name, name)
    steps = tuple(
        replace(
            step, words=name, notes=(name,), metric=name, path=name,
            relative_accuracy=replace(evil, interval=(0.4, 0.6)),
            served=Served(*[evil] * 9), predicted=Predicted((0.4, 0.6), (0.1, 0.2), (0.4, 0.6), (0.1, 0.2)),
        )
        for step in whole.steps
    )  # fmt: skip
    gates = (replace(whole.gates[0], name=name, demanded=name, measured=evil),)
    told = {name: name, "machine": name, "versions": {name: name}}
    return replace(whole, name=name, family=name, model=name, summary=name, steps=steps, gates=gates, notes=(name,),
                   provenance=told, finished=name, payback=Measured(why_not=name))  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_leaves_its_place(name: str, tmp_path: Path) -> None:
    folder = small_runs.write(tmp_path / "run", hostile(name), name="safe", model=name, data=name)
    finding = {"rule": name, "severity": name, "message": name}
    advice = {"steps": [{"step": "finetune", "reason": name, "rules": [name], "opens": name}], "findings": [finding]}
    (folder / "advice.json").write_text(json.dumps(advice))
    made = html.render([read(folder), read(folder)])
    for tag in ("<script", "<img", "onerror=alert(1)>"):
        assert tag not in made
    # What was given is there as text, in the drawings too, which are well-formed XML.
    drawings = re.findall(r"<svg viewBox[^>]*role.*?</svg>", made, re.DOTALL)
    assert drawings
    for drawing in drawings:
        words = [text for text in ET.fromstring(drawing).itertext() if text.strip()]
        assert any(name in text for text in words)


@needs_browser
def test_a_browser_runs_nothing_of_a_hostile_run(tmp_path: Path) -> None:
    name = "".join(HOSTILE[:3])
    seen = browser.look(page(tmp_path, small_runs.write(tmp_path / "run", hostile(name), model="m")), 390)
    assert seen["scripts"] == 0 and seen["width"] == 390
    assert "<script>alert(1)</script>" in seen["text"]


def draw(lines: list[Line], papers: tuple[Point, ...] = ()) -> str:
    return chart.draw(Figured("title", lines, papers), "p")


def test_a_drawing_has_text_variables_and_ids_of_its_own() -> None:
    point = Point("int8", 0.4, 0.97, (0.38, 0.42), (0.96, 0.98))
    drawn = draw([Line("a", 0, (Point("base", 1, 1), point), ((0.3, 0.5), (0.95, 1.0)))], (Point("paper", 0.1, 0.9),))
    assert "var(--series-0)" in drawn and "var(--ink)" in drawn and "#0102" not in drawn and "#0203" not in drawn
    assert ">int8</text>" in drawn and "a: base, accuracy 100.0% at emissions 100.0%; int8" in drawn
    ids = re.findall(r'\bid=["\'](.*?)["\']', drawn)
    assert ids and all(one.startswith("p-") for one in ids)
    for used in re.findall(r'(?:url\(#|href="#)(.*?)[")]', drawn):
        assert used in ids


def test_what_is_time_under_another_name_has_no_decimal_in_a_drawing() -> None:
    derived = Point("b", 0.334, 0.97, derived=True)
    drawn = draw([Line("a", 0, (Point("a", 0.334, 0.97), derived))])
    assert "a, accuracy 97.0% at emissions 33.4%; b, accuracy 97.0% at emissions 33%" in drawn


def test_the_same_run_is_drawn_alike() -> None:
    lines = [Line("a", 0, (Point("base", 1, 1), Point("int8", 0.4, 0.97)))]
    assert draw(lines) == draw(lines)


def test_runs_differ_without_colour() -> None:
    assert len({chart.look(number)[:2] for number in range(28)}) == 28


@pytest.mark.parametrize("changes", [{"summary": ""}, {"gates": ()}, {"provenance": {}}, {"finished": ""}])
def test_what_is_missing_leaves_a_page_all_the_same(changes: dict[str, Any], tmp_path: Path) -> None:
    assert "</html>" in html.render([read(small_runs.write(tmp_path / "run", small_runs.result(**changes)))])


def test_a_missing_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    folder = small_runs.write(tmp_path / "run")
    assert main(["report", str(folder), "--html", str(tmp_path / "x.html")]) == 2
    assert pip_command("report") in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()
    assert main(["report", str(folder)]) == 0


@pytest.mark.parametrize(
    ("form", "told"),
    [("text", "│ BERT"), ("json", '"relative_size": 0.741'), ("markdown", "| int8 | 97.8% (96.8 to 98.8) |")],
)
def test_tables_without_a_page(form: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(small_runs.write(tmp_path / "run")), "--format", form]) == 0
    assert told in capsys.readouterr().out


def test_a_folder_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "x.html")]) == 2
    assert "is no finished run" in capsys.readouterr().err and not (tmp_path / "x.html").exists()


def test_what_a_gate_rests_on_is_said_once_and_a_metric_in_words(tmp_path: Path) -> None:
    told = "accuracy 0.9 against 0.5 for always answering 'no'"
    gate = GateResult("model above a constant answer", "> 0", Measured(0.4, source=told), True, "passed", told)
    step = replace(small_runs.result().steps[0], metric="answer_f1")
    run = small_runs.result(gates=(gate,), steps=(step, *small_runs.result().steps[1:]))
    text = html.render([read(small_runs.write(tmp_path / "run", run))])
    assert text.count(str(escape(told))) == 1
    assert '<th class="n">Answer f1</th>' in text


def test_characters_that_html_has_not_are_replaced(tmp_path: Path) -> None:
    text = html.render([read(small_runs.write(tmp_path / "run", small_runs.result(name="red \x1b[31m\x07")))])
    assert "red ?[31m?" in text and not set(text) & {"\x1b", "\x07"}
