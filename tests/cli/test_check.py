"""`advise check`: findings with place, rule and reason, and exit codes that CI can trust."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from advisor.cli import main

CHECKOUT = Path(__file__).parents[2]
HEAD = (
    "version: 1\nname: x\nmodel: {source: SOURCE, family: FAMILY}\ndata: {samples: SAMPLES}\ndevice: DEVICE\nsteps:\n"
)
FINETUNE = "  - finetune: {}\n"
LAYERS = "  - layer_removal: {keep: 8}\n"
DISTIL = "  - distillation: {}\n"
MATRIX = "  - matrix_pruning: {hidden_size: 448, intermediate_size: 1792}\n"
INT8 = "  - quantization: {}\n"


def found(steps: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], **facts: object) -> tuple[int, dict]:
    """Exit code of check, and line, column and message by rule."""
    text = HEAD + steps
    for name, value in {"source": "bert", "family": "bert", "samples": 25_000, "device": "cpu", **facts}.items():
        text = text.replace(name.upper(), str(value))
    file = tmp_path / "r.yaml"
    file.write_text(text)
    code = main(["check", "--format", "json", str(file)])
    findings = json.loads(capsys.readouterr().out)["findings"]
    return code, {one["rule"]: (one["place"]["line"], one["place"]["column"], one["message"]) for one in findings}


def test_the_shipped_recipes_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(CHECKOUT / "recipes")]) == 0
    assert "11 files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("steps", "facts", "rule", "place"),
    [
        (FINETUNE + LAYERS, {}, "distill-after-structure", (6, 1)),
        (FINETUNE + LAYERS, {"source": "t5", "family": "t5", "samples": 3000}, "t5-small-data-no-prune", (8, 5)),
        (FINETUNE + INT8, {"device": "cuda"}, "quantize-cpu-only", (8, 5)),
        (FINETUNE + DISTIL + MATRIX, {"source": "gpt2", "family": "gpt2"}, "gpt2-layers-only", (9, 5)),
        (FINETUNE + MATRIX + LAYERS + DISTIL, {}, "layers-before-matrix", (9, 5)),
        (INT8 + FINETUNE, {}, "quantize-last", (8, 5)),
        (FINETUNE + LAYERS.replace("8", "4") + DISTIL, {"samples": 3000}, "small-data-few-layers", (8, 27)),
        (FINETUNE + INT8.replace("{}", "{min_relative_accuracy: 0.9}"), {}, "int8-gate", (8, 43)),
        (FINETUNE + DISTIL + MATRIX.replace("448,", "448, increments: 2,"), {}, "gradual-width", (9, 52)),
    ],
)  # fmt: skip
def test_a_broken_rule_is_found_at_its_place(
    steps: str, facts: dict, rule: str, place: tuple, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, findings = found(steps, tmp_path, capsys, **facts)
    assert code == 1
    assert findings[rule][:2] == place


@pytest.mark.parametrize(
    ("steps", "facts", "told"),
    [
        (LAYERS.replace("8", "13"), {}, "cannot keep 13 of 12 encoder blocks"),
        (LAYERS.replace("keep", "encoder_keep"), {}, "BERT has encoder blocks: give only keep"),
        (LAYERS, {"source": "t5", "family": "t5"}, "give only encoder_keep and decoder_keep"),
        (MATRIX.replace("448", "450"), {}, "hidden_size 450 is not a multiple of the head size 64: try 448"),
        (MATRIX.replace("448", "448, heads: 6"), {}, "heads 6 with hidden_size 448 removes nothing in BERT"),
        (MATRIX.replace("448", "1024"), {}, "hidden_size 1024 is larger than the model's 768"),
        (MATRIX.replace("448", "768").replace("1792", "3072"), {}, "nothing becomes narrower"),
        (DISTIL, {"source": "gpt2", "family": "bert"}, "family bert, the model's config says gpt2"),
    ],
)
def test_a_shape_that_the_model_cannot_take(
    steps: str, facts: dict, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, findings = found(FINETUNE + DISTIL * (steps != DISTIL) + steps, tmp_path, capsys, **facts)
    assert code == 1
    assert told in findings["plain-checkpoint-only"][2]


def test_an_unknown_fact_counts_against_the_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "r.yaml"
    head = HEAD.replace("data: {samples: SAMPLES}\n", "").replace("SOURCE", "t5").replace("FAMILY", "t5")
    kept = LAYERS.replace("keep: 8", "encoder_keep: 8, decoder_keep: 8")
    file.write_text(head.replace("DEVICE", "cpu") + FINETUNE + kept + DISTIL)
    assert main(["check", str(file)]) == 1
    shown = capsys.readouterr().out
    assert "t5-small-data-no-prune" in shown
    assert "data.samples unknown, so the rule counts; state it in the recipe's data" in " ".join(shown.split())
    assert "it rests on the white paper alone" in shown


def test_a_model_that_is_not_here_is_judged_by_its_family(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, findings = found(FINETUNE + LAYERS + DISTIL, tmp_path, capsys, source="my-org/my-bert", samples=50_000)
    assert (code, list(findings)) == (0, ["model-not-at-hand"])
    assert findings["model-not-at-hand"][:2] == (3, 17)


def test_stdin_and_severities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (CHECKOUT / "recipes" / "bert-one-third-narrow.yaml").read_bytes()
    for fail_on, code in (("error", 0), ("warning", 1)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        assert main(["check", "-", "--fail-on", fail_on]) == code
        shown = capsys.readouterr().out
        assert shown.startswith("warning[very-deep-cut]: ")
        assert "--> stdin:9:1\n" in shown


def test_what_cannot_be_read_does_not_count_as_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: b: c")
    assert main(["check", str(CHECKOUT / "recipes" / "bert-two-thirds.yaml"), str(broken)]) == 2
    assert "2 files (1 could not be judged)," in capsys.readouterr().err


def test_a_recipe_of_another_policy_is_judged_by_this_one_and_that_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.yaml"
    assert main(["--model", "bert", "--samples", "3000", "--device", "cpu", "-o", str(file)]) == 0
    capsys.readouterr()
    assert main(["check", str(file)]) == 0
    assert "made under" not in capsys.readouterr().err
    text = file.read_text()
    start = text.index("sha256: ")
    file.write_text(text[:start] + 'sha256: "' + 64 * "0" + '"' + text[text.index("}", start) :])
    assert main(["check", str(file)]) == 0
    assert "made under core 0.1.0 (000000000000), judged under core 0.1.0 (" in capsys.readouterr().err


def test_a_recipe_may_not_lower_the_gates_that_the_policy_demands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "ours"
    pack.mkdir()
    (pack / "pack.yaml").write_text('name: ours\nversion: "1"\ndescription: x\nextends: [core]\nsources: {us: us}\n')
    (pack / "our-gate.yaml").write_text(
        "id: our-gate\ntitle: Ours keep 97 %\norigin: us\nseverity: error\nsince: '1'\n"
        'when: {device.kind: cpu}\nthen: {limit: {gates.relative_accuracy: ">= 0.97"}}\nbecause: we measured\n'
        "evidence: [{source: us, at: here, says: so, strength: measured}]\nconfidence: high\n"
        "examples: {fires: [{device: cpu}], quiet: [{device: cuda}]}\n"
    )
    file = tmp_path / "r.yaml"
    head = HEAD.replace("SOURCE", "bert").replace("FAMILY", "bert").replace("SAMPLES", "25000").replace("DEVICE", "cpu")
    file.write_text(head + FINETUNE + 'gates: {relative_accuracy: ">= 0.95"}\n')
    assert main(["check", "--policy", str(pack), "--format", "json", str(file)]) == 1
    assert "gates.relative_accuracy is 0.95, must be >= 0.97" in capsys.readouterr().out
    file.write_text(file.read_text().replace("0.95", "0.98"))
    assert main(["check", "--policy", str(pack), str(file)]) == 0


@pytest.mark.parametrize(
    "source",
    ["~nosuchuser/x", '"a\\0b"', "x" * 300, "x/" * 3000, "~", "~nosuchuser", "./" + "y" * 300, '"\\ud800"'],
)
def test_one_bad_source_does_not_lose_the_batch(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "version: 1\nname: x\nmodel: {{source: {}, family: bert}}\ndevice: cpu\nsteps: [finetune, quantization]\n"
    for name, model in (("a", "bert"), ("b", source), ("c", "bert")):
        Path(f"{name}.yaml").write_text(text.format(model))
    code = main(["check", ".", "--format", "json"])
    shown = capsys.readouterr()
    found = json.loads(shown.out)["findings"]
    assert {one["place"]["file"] for one in found} == {"./b.yaml"}
    assert all(one["place"]["line"] for one in found)
    assert shown.err.startswith("3 files")
    assert code in (0, 2)


@pytest.mark.parametrize("name", ["~nosuchuser/x.yaml", "a\0b.yaml", "x" * 300 + ".yaml"])
def test_one_bad_name_does_not_lose_the_batch(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text("steps: [x]\n")
    code = main(["check", name, "bad.yaml", "--format", "concise"])
    shown = capsys.readouterr()
    assert code == 2
    assert "Traceback" not in shown.err
    if "\0" not in name:  # which ends before anything is looked at, as no command line can hold it
        assert "bad.yaml:1:" in shown.out


def test_a_named_size_settles_rules_where_the_config_is_not_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        "version: 1\nname: x\nmodel: {source: facebook/opt-SIZE, family: opt}\n"
        "data: {samples: 30000, task: text-classification}\ndevice: cpu\nsteps: [finetune, quantization]\n"
    )
    for size, fires in (("350m", False), ("2.7b", False), ("6.7b", True), ("13b", True), ("huge", True)):
        Path("r.yaml").write_text(text.replace("SIZE", size))
        main(["check", "r.yaml", "--format", "json"])
        rules = {one["rule"] for one in json.loads(capsys.readouterr().out)["findings"]}
        assert ("outliers" in rules) is fires, size
