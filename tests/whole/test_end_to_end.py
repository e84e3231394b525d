"""The main job for all four families, on tiny models and real text: advice's steps carried out, reported, gated."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import tiny
from few_families import FEW
from jsonschema import Draft202012Validator

from advisor.cli import main
from advisor.execution.job import excused, prepare
from advisor.inspection.recipe_data import read_data
from advisor.policy.pack import core
from advisor.recipe.reader import loads
from advisor.recipe.recipe import as_yaml
from advisor.recipe.steps.quantization import MOST_DIFFERENCE
from advisor.records import run_folder
from advisor.records.measuring import TIME_DERIVED
from advisor.records.results import CONSTANT_GATES, StepResult
from advisor.report.schema import schema
from advisor.review.waivers.apply import Waiving

FINETUNE = "  - finetune: {epochs: 2, learning_rate: 2.0e-3}\n"
DISTIL = "  - distillation: {epochs: 2, learning_rate: 1.0e-3}\n"
INT8 = "  - quantization: {}\n"
NARROW = "{hidden_size: 42, intermediate_size: 72, increments: 8, epochs: 2, learning_rate: 1.0e-3}"


def recipe(folder: Path, family: str, steps: str, device: str = "cpu", batch: int = 64, tokens: int = 24) -> Path:
    file = folder / f"{family}.yaml"
    training = f"training: {{batch_size: {batch}, max_tokens: {tokens}}}\n"
    file.write_text(
        f"version: 1\nname: {family}\nmodel: {{source: gone, family: {family}}}\ndevice: {device}\n"
        f'goal: {{relative_accuracy: ">= 0.3"}}\nsteps:\n{steps}{training}'
    )
    return file


def removal(family: str) -> str:
    kept = "{encoder_keep: 3, decoder_keep: 2}" if family == "t5" else "{keep: 3}"
    return f"  - layer_removal: {kept}\n"


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25,000 short real texts, so that the rules allow matrix pruning."""
    return tiny.write_rows(tmp_path_factory.mktemp("large"), tiny.lines(31_250), shares=(8, 9))


QUICK = ("--measure-seconds", "1")


def carried_out(
    family: str, steps: str, device: str, checkpoints: dict[str, Path], text: Path, folder: Path, *more: str
) -> tuple[int, dict]:
    file, out = recipe(folder, family, steps, device), folder / "out"
    code = main(
        ["run", str(file), "--model", str(checkpoints[family]), "--data", str(text), "--out", str(out), *QUICK, *more]
    )
    return code, json.loads((out / "report.json").read_text())


def test_layers_and_int8_measured_on_the_cpu(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = FINETUNE + removal("bert") + DISTIL + INT8
    carbon = ["--country", "deu", "--pue", "1.5", "--embodied-kg", "1000", "--lifetime-years", "4"]
    code, report = carried_out("bert", steps, "cpu", checkpoints, text, tmp_path, *carbon)
    shown = capsys.readouterr()
    assert code == (0 if all(gate["passed"] for gate in report["gates"]) else 4)
    assert "% Emissions" in shown.out
    assert "│ not measured" not in shown.out.partition("Measured and predicted")[0]
    assert [step["name"] for step in report["steps"]] == ["finetune", "layer_removal", "distillation", "quantization"]
    for step in report["steps"]:
        assert step["parameters"] == step["predicted_parameters"]
        served = step["served"]
        for name in ("time", "emissions", "latency_ms", "latency_p95_ms", "throughput", "wh_per_1000", "g_per_1000"):
            assert served[name]["value"] > 0 and served[name]["source"]
        for name in ("time", "emissions"):
            low, high = served[name]["interval"]
            assert low <= served[name]["value"] <= high
        if served["emissions"]["source"].startswith(TIME_DERIVED):
            for name in ("idle_wh_per_1000", "emissions_without_idle"):
                assert served[name]["why_not"].startswith("power is not measured here")
            assert "1 thread" in served["time"]["source"] and "1 thread" in served["emissions"]["source"]
        assert served["latency_ms"]["value"] <= served["latency_p95_ms"]["value"]
        assert step["cost"]["wh"]["value"] > 0 and "this process for" in step["cost"]["wh"]["source"]
        kwh, grams = step["cost"]["wh"]["value"] / 1000, step["cost"]["g_co2"]["value"]
        assert grams == pytest.approx(kwh * 1.5 * 381, rel=0.2)  # Germany's grid, in g/kWh
        assert "grid of DEU" in served["g_per_1000"]["source"] and "PUE 1.5" in served["g_per_1000"]["source"]
    assert report["steps"][0]["served"]["time"]["value"] == 1
    rows = {one["step"]: one for one in report["fp32_in_runtime"]}
    assert list(rows) == ["finetune", "distillation"]
    for row in rows.values():
        assert row["runtime"] == "ONNX Runtime" and row["served"]["time"]["value"] > 0
    assert "fp32 in ONNX" in shown.out and TIME_DERIVED.split()[0] in shown.out
    making = sum(step["cost"]["g_co2"]["value"] for step in report["steps"][1:])
    first = report["steps"][0]["served"]["g_per_1000"]["value"]
    share = report["steps"][-1]["served"]["emissions"]
    shown = max(share["interval"]) < 1
    assert (report["payback"]["value"] is not None) is shown
    if shown:
        assert report["payback"]["value"] == pytest.approx(1000 * making / (first * (1 - share["value"])))
        assert f"making it emitted {making:.3g} g" in report["payback"]["source"]
    else:
        assert report["payback"]["why_not"].startswith(("never", "not shown to pay back"))
    assert report["sci"]["value"] > report["steps"][-1]["served"]["g_per_1000"]["value"]
    assert "keeps " in report["summary"] and "of the time" in report["summary"]
    assert report["steps"][0]["relative_size"] == 1
    finished(tmp_path / "out", report)


def finished(out: Path, report: dict) -> None:
    """The run folder holds what others read, and every number of it follows from what it holds."""
    assert json.loads(json.dumps(asdict(run_folder.read(out)))) == report
    Draft202012Validator(json.loads(schema("report"))).validate(report)
    files = json.loads((out / "manifest.json").read_text())["files"]
    assert files == {name: digest for name, digest in run_folder.hashes(out).items() if name != "manifest.json"}
    assert {"recipe.yaml", "facts.json", "report.json", "predictions.json", "answers.json"} < set(files)
    assert report["recipe_sha256"] == files["recipe.yaml"]
    kept = json.loads((out / "predictions.json").read_text())
    answers = json.loads((out / "answers.json").read_text())
    assert len(kept["labels"]) == report["eval_samples"] and len(answers["rows"]) == 8
    assert set(answers["rows"][0]) == {"text", "pair", "label"}
    for step in report["steps"]:
        scores = kept["scores"][step["name"]]
        right = [row.index(max(row)) == label for row, label in zip(scores, kept["labels"], strict=True)]
        assert step["metrics"]["accuracy"] == step["accuracy"] == pytest.approx(sum(right) / len(right))
        assert answers["scores"][step["name"]] == scores[:8]
        assert step["artefact"]["kind"] == ("onnx" if step["name"] == "quantization" else "checkpoint")
        assert step["artefact"]["files"] == run_folder.hashes(out / step["path"])
        low, high = step["predicted"]["relative_size"]
        assert low <= step["parameters"] / report["steps"][0]["parameters"] <= high or step["name"] == "quantization"


@pytest.mark.parametrize("family", FEW)
def test_int8_of_every_family_for_an_edge_device(
    family: str, checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = FINETUNE + (removal(family) + DISTIL if family != "t5" else "") + INT8
    code, report = carried_out(family, steps, "edge", checkpoints, text, tmp_path)
    assert code == (0 if all(gate["passed"] for gate in report["gates"]) else 4)
    own = {"relative_accuracy", "int8 accuracy", "int8 difference"}
    assert {gate["name"] for gate in report["gates"]} == {*own, *CONSTANT_GATES}
    fp32, int8 = report["steps"][-2:]
    assert int8["size_bytes"] < fp32["size_bytes"]
    assert int8["fp32_difference"] < MOST_DIFFERENCE
    assert "matrices" in capsys.readouterr().err


@pytest.mark.parametrize("family", [pytest.param(name, marks=pytest.mark.slow) for name in ("bert", "opt", "t5")])
def test_much_data_matrix_pruning_for_a_gpu_that_is_not_here(
    family: str, large: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = {"num_heads": 8, "d_kv": 6} if family == "t5" else {"num_attention_heads": 8}
    model = tiny.checkpoint(family, tmp_path / "model", **heads)
    narrow = NARROW.replace("}", ", heads: 7}") if family == "t5" else NARROW
    steps = FINETUNE + removal(family) + DISTIL + f"  - matrix_pruning: {narrow}\n"
    file = recipe(tmp_path, family, steps.replace("epochs: 2", "epochs: 1"), device="mps", batch=1024, tokens=8)
    out = tmp_path / "out"
    assert main(["run", str(file), "--model", str(model), "--data", str(large), "--out", str(out), *QUICK]) == 0
    assert "not measured" in capsys.readouterr().out
    last = json.loads((out / "report.json").read_text())["steps"][-1]
    assert last["name"] == "matrix_pruning"
    assert last["parameters"] == last["predicted_parameters"]
    assert last["served"]["time"]["value"] is None
    assert last["served"]["time"]["why_not"] == "this machine has no mps device"


def test_a_missed_gate_lets_the_run_finish_and_ends_with_4(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(tmp_path, "bert", FINETUNE, device="edge")
    file.write_text(
        file.read_text() + 'gates: {relative_accuracy: ">= 0.9", relative_emissions: "<= 0.5", latency_ms: "<= 9"}\n'
    )
    out = tmp_path / "out"
    assert (
        main(["run", str(file), "--model", str(checkpoints["bert"]), "--data", str(text), "--out", str(out), *QUICK])
        == 4
    )
    gates = {gate["name"]: gate for gate in json.loads((out / "report.json").read_text())["gates"]}
    assert gates["relative_accuracy"]["passed"]
    assert not gates["relative_emissions"]["passed"]
    assert not gates["latency_ms"]["passed"]
    assert "no edge device" in gates["relative_emissions"]["measured"]["why_not"]
    shown = " ".join(capsys.readouterr().out.split())
    assert "not measured" in shown
    assert "misses its gates on relative emissions and latency ms" in shown


def test_the_rules_judge_the_real_data_before_weights_load(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(tmp_path, "t5", FINETUNE + removal("t5") + DISTIL)
    (checkpoints["t5"] / "model.safetensors").rename(tmp_path / "hidden.safetensors")
    try:
        code = main(["run", str(file), "--model", str(checkpoints["t5"]), "--data", str(text), "--out", "never"])
    finally:
        (tmp_path / "hidden.safetensors").rename(checkpoints["t5"] / "model.safetensors")
    assert code == 1
    assert "t5-small-data-no-prune" in capsys.readouterr().err
    assert not Path("never").exists()


@pytest.mark.parametrize(("until", "code"), [(60, 0), (-1, 1)])
def test_a_run_takes_waivers_as_check_does(
    until: int, code: int, checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(tmp_path, "t5", FINETUNE + removal("t5") + DISTIL)
    last = (date.today() + timedelta(days=until)).isoformat()
    (tmp_path / "waivers.yaml").write_text(
        f"waivers: [{{rule: t5-small-data-no-prune, reason: trial, owner: anna, until: {last}}}]"
    )
    call = ["run", str(file), "--model", str(checkpoints["t5"]), "--data", str(text), "--dry-run"]
    assert main(call) == code
    assert ("waiver-expired" in capsys.readouterr().err) == (code == 1)


def test_a_run_keeps_the_waivers_that_stood_in_comments(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    comment = "  # advise: ignore[t5-small-data-no-prune] until=2027-01-31 owner=anna reason=trial\n"
    file = recipe(tmp_path, "t5", FINETUNE + removal("t5").replace("\n", comment) + DISTIL)
    made, document = loads(file.read_text())
    made = replace(made, model=replace(made.model, source=str(checkpoints["t5"])))
    job = prepare(core(), made, document, read_data(made, str(text)), tmp_path, "cpu")
    assert [one.severity for one in job.reviewed.findings if one.counts].count("error") == 1
    assert excused(job, core(), Waiving(date(2027, 1, 1), inline=False)).recipe == job.recipe
    job = excused(job, core(), Waiving(date(2027, 1, 1)))
    assert job.reviewed.errors == 0
    assert [(one.rule, one.where) for one in job.recipe.waivers] == [("t5-small-data-no-prune", "/steps/1")]
    assert loads(as_yaml(job.recipe))[0] == job.recipe


def test_a_dry_run_predicts_sizes_and_writes_nothing(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(tmp_path, "bert", FINETUNE + removal("bert") + DISTIL)
    before = sorted(tmp_path.iterdir())
    assert main(["run", str(file), "--model", str(checkpoints["bert"]), "--data", str(text), "--dry-run"]) == 0
    assert "3 layers" in capsys.readouterr().out
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "empty"),
        ([{"text": "one"}, {"text": "two"}], "label"),
        ([{"text": f"row {number}", "label": "same"} for number in range(20)], "one class"),
    ],
)
def test_data_that_cannot_be_used(
    rows: list[dict[str, str]], told: str, checkpoints: dict[str, Path], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    data, out = tmp_path / "data.jsonl", tmp_path / "out"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    file = recipe(tmp_path, "bert", FINETUNE)
    assert main(["run", str(file), "--model", str(checkpoints["bert"]), "--data", str(data), "--out", str(out)]) == 2
    shown = capsys.readouterr().err
    assert told in shown.lower()
    assert "Traceback" not in shown
    assert not out.exists()


def test_a_folder_that_is_taken_or_cannot_be_written(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(tmp_path, "bert", FINETUNE)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "work.txt").write_text("mine")
    for out, told in (("taken", "is not empty"), ("bert.yaml/below", "cannot be written to")):
        arguments = ["--model", str(checkpoints["bert"]), "--data", str(text), "--out", str(tmp_path / out)]
        assert main(["run", str(file), *arguments]) == 2
        assert told in capsys.readouterr().err
    assert (tmp_path / "taken" / "work.txt").read_text() == "mine"


def test_texts_are_cut_at_the_positions_of_the_model_where_the_recipe_does_not_say(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny.checkpoint("bert", tmp_path / "model", max_position_embeddings=8)
    file = recipe(tmp_path, "bert", FINETUNE, device="edge")
    text_ = "".join(line for line in file.read_text().splitlines(True) if not line.startswith("training:"))
    for stated, code, said in (("", 0, "cut at 8 tokens"), ("training: {max_tokens: 9}\n", 1, "more than the 8 posit")):
        file.write_text(text_ + stated)
        call = ["run", str(file), "--model", str(model), "--data", str(text), "--dry-run"]
        assert main(call) == code
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_baseline_that_has_learnt_nothing_is_told(
    share: float, checkpoints: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nine tenths of one label are learnt as that label for all rows; halves, by where the texts are from."""
    rows = tiny.docstrings()
    labels = [
        row["label"] if share == 0.5 else ("rare" if place % 10 == 0 else "usual") for place, row in enumerate(rows)
    ]
    data = tiny.write_rows(
        tmp_path / "data", [{**row, "label": label} for row, label in zip(rows, labels, strict=True)]
    )
    _, report = carried_out("bert", FINETUNE + removal("bert") + DISTIL, "edge", checkpoints, data, tmp_path)
    labels = json.loads((tmp_path / "out" / "predictions.json").read_text())["labels"]
    accuracy, most = report["steps"][0]["accuracy"], max(map(labels.count, labels)) / len(labels)
    assert (accuracy <= most) == report["summary"].startswith("verifies nothing: the baseline is")
    shown = capsys.readouterr()
    assert (accuracy <= most) == ("verifies nothing" in " ".join(shown.out.split()))
    assert (accuracy <= most) == ("give finetune more epochs" in " ".join(shown.err.split()))
    assert accuracy <= most or share == 0.5
    assert not any("one answer" in note for note in report["steps"][1]["notes"])


def test_weights_that_are_missing_leave_no_folder(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_bytes((checkpoints["bert"] / "config.json").read_bytes())
    file, out = recipe(tmp_path, "bert", FINETUNE), tmp_path / "out"
    assert main(["run", str(file), "--model", str(tmp_path), "--data", str(text), "--out", str(out)]) == 2
    assert "cannot be loaded" in capsys.readouterr().err
    assert not out.exists()


def test_results_never_show_nothing_measured_as_zero() -> None:
    step = StepResult("x", "x", "x", 1, 1, 1, 0.5, relative_accuracy=None, relative_size=1.0)  # type: ignore[arg-type]
    assert step.served.time.value is None
    assert step.served.time.why_not
