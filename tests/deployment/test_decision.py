"""The gate on a real small run: it passes whole, and every kind of damage, swap, edit and gap is found."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import gated
import pytest
import torch

from advisor.base.errors import AdviseError
from advisor.deployment.decision import gate
from advisor.deployment.examination import Terms
from advisor.policy.pack import core
from advisor.recipe.reader import load
from advisor.records.run_folder import ANSWERS, MANIFEST, PREDICTIONS, REPORT
from advisor.review.outcome import Checked
from advisor.review.waivers.apply import Waiving

TERMS = Terms(core(), Waiving(date.today(), unused=False))
INT8 = "steps/3-quantization"


@pytest.fixture
def out(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def errors(checked: Checked) -> set[tuple[str, str]]:
    """Rule and message of each finding that fails."""
    failing = any(one.severity == "error" and one.counts for one in checked.findings)
    assert checked.exit_code == (4 if failing else 0)
    return {(one.rule, one.message) for one in checked.findings if one.severity == "error"}


def rules(checked: Checked) -> set[str]:
    return {rule for rule, _ in errors(checked)}


def test_a_whole_run_passes(finished_run: Path) -> None:
    assert errors(gate(finished_run, TERMS)) == set()


def test_a_copy_elsewhere_passes_too(out: Path) -> None:
    assert errors(gate(out, TERMS)) == set()


def test_a_folder_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match="no such folder"):
        gate(tmp_path / "gone", TERMS)


def test_an_empty_folder_misses_everything(tmp_path: Path) -> None:
    checked = gate(tmp_path, TERMS)
    assert checked.exit_code == 4
    assert {f"{name} is missing" for name in ("recipe.yaml", REPORT, PREDICTIONS, ANSWERS)} <= {
        message for _, message in errors(checked)
    }


@pytest.mark.parametrize("name", ["recipe.yaml", "facts.json", REPORT, PREDICTIONS, ANSWERS, MANIFEST])
@pytest.mark.parametrize("damage", ["gone", "empty", "half", "garbage", "another type"])
def test_a_damaged_part_is_found(name: str, damage: str, out: Path) -> None:
    file = out / name
    whole = file.read_bytes()
    broken = {"empty": b"", "half": whole[: len(whole) // 2], "garbage": b"\xff\x00{", "another type": b"[1]"}
    file.unlink() if damage == "gone" else file.write_bytes(broken[damage])
    assert rules(gate(out, TERMS)) & {"gate-complete", "gate-intact"}


@pytest.mark.parametrize("name", ["onnx/model_quantized.onnx", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["gone", "half", "one bit"])
def test_a_damaged_artefact_is_found(name: str, damage: str, out: Path) -> None:
    file = out / INT8 / name
    whole = bytearray(file.read_bytes())
    middle = len(whole) // 2
    whole[middle] ^= 1
    file.unlink() if damage == "gone" else file.write_bytes(bytes(whole if damage == "one bit" else whole[:middle]))
    assert ("gate-intact", f"{INT8}/{name} " + ("is missing" if damage == "gone" else CHANGED)) in errors(
        gate(out, TERMS)
    )


CHANGED = "was changed after it was measured: its hash is not the manifest's"


def test_a_truncated_model_does_not_load_though_the_hashes_were_made_again(out: Path) -> None:
    file = out / INT8 / "onnx/model_quantized.onnx"
    file.write_bytes(file.read_bytes()[:5000])
    gated.seal(out)
    assert "gate-loads" in rules(gate(out, TERMS))


def test_a_swapped_model_answers_otherwise_though_the_hashes_were_made_again(out: Path) -> None:
    """Another int8 model of the same shape: its weights are the first one's, halved."""
    import onnx
    from onnx import numpy_helper

    file = out / INT8 / "onnx/model_quantized.onnx"
    model = onnx.load(file)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) <= 1:
            tensor.CopyFrom(numpy_helper.from_array(-3 * numpy_helper.to_array(tensor), tensor.name))
    onnx.save(model, file)
    gated.seal(out)
    assert "gate-loads" in rules(gate(out, TERMS))


def edited(field: str, value: object) -> Callable[[dict], None]:
    def change(report: dict) -> None:
        report["steps"][-1][field] = value

    return change


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (edited("accuracy", 0.999), "gate-recomputed"),
        (edited("relative_accuracy", {"value": 0.99, "interval": [0.98, 1.0]}), "gate-recomputed"),
        (edited("relative_accuracy", {"value": None, "why_not": "no time"}), "gate-recomputed"),
        (edited("path", "../elsewhere"), "gate-device"),
        (edited("path", "steps/0-finetune"), "gate-device"),
        (lambda report: report.update(eval_samples=5_000), "gate-complete"),
        (lambda report: report.update(steps=[]), "gate-complete"),
        (lambda report: report.update(finished="yesterday"), "gate-fresh"),
        (lambda report: report.update(finished="2999-01-01T00:00:00+00:00"), "gate-fresh"),
        (lambda report: report["provenance"].update(data_sha256="0" * 64), "gate-data"),
        (lambda report: report["provenance"].pop("data_sha256"), "gate-data"),
    ],
)
def test_a_hand_edited_report_is_found_though_the_hashes_were_made_again(
    change: Callable[[dict], None], rule: str, out: Path
) -> None:
    gated.rewrite(out / REPORT, change)
    assert "gate-intact" in rules(gate(out, TERMS))
    gated.seal(out)
    assert rule in rules(gate(out, TERMS))


def test_hand_edited_predictions_are_found(out: Path) -> None:
    gated.rewrite(out / PREDICTIONS, lambda value: value["labels"].reverse())
    gated.seal(out)
    assert "gate-recomputed" in rules(gate(out, TERMS))


def test_answers_of_another_model_are_found(out: Path) -> None:
    def swap(value: dict) -> None:
        value["scores"]["quantization"] = [[-one for one in row] for row in value["scores"]["quantization"]]

    gated.rewrite(out / ANSWERS, swap)
    gated.seal(out)
    assert "gate-loads" in rules(gate(out, TERMS))


def test_a_recipe_that_was_changed_after_the_run_is_found(out: Path) -> None:
    file = out / "recipe.yaml"
    file.write_text(file.read_text().replace("0.5", "0.1"))
    assert rules(gate(out, TERMS)) == {"gate-intact", "gate-recipe", "gate-recomputed"}


def test_the_run_must_be_of_the_recipe_that_is_shipped(out: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours.yaml"
    ours.write_text((out / "recipe.yaml").read_text())
    assert errors(gate(out, TERMS._replace(recipe=load(ours)[0]))) == set()
    ours.write_text(ours.read_text().replace("keep: 3", "keep: 2"))
    ((rule, message),) = errors(gate(out, TERMS._replace(recipe=load(ours)[0])))
    assert rule == "gate-recipe" and message.endswith("than small: layer_removal.keep (2, in the run 3)")


def test_what_misses_a_bound_is_missed_and_what_only_its_estimate_keeps_is_not_shown(out: Path) -> None:
    """The bound hangs on what was measured: the run depends on the texts that this Python brings."""
    found = json.loads((out / REPORT).read_text())["steps"][-1]["relative_accuracy"]
    low = found["interval"][0]
    bound = (low + min(1, found["value"])) / 2
    gates = f'gates: {{relative_accuracy: ">= {bound:.6f}", size_mb: "<= 0.001"}}'
    text = gated.RECIPE.replace('">= 0.5"}', f'">= 0.5"}}\n{gates}')
    (out / "recipe.yaml").write_text(text.replace("data: {", f"data: {{source: {DATA(out)}, "))
    gated.seal(out)
    said = {message for rule, message in errors(gate(out, TERMS)) if rule == "gate-numbers"}
    assert any(message.startswith("size mb missed: ") for message in said)
    assert any(message.startswith("relative accuracy not shown: ") for message in said)


def DATA(out: Path) -> str:  # noqa: N802
    from advisor.recipe.reader import load

    return str(load(out / "recipe.yaml")[0].data.source)


def test_an_old_measurement_is_stale(out: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=91)
    assert rules(gate(out, TERMS, later)) == {"gate-fresh"}
    assert rules(gate(out, TERMS._replace(max_age=timedelta(days=92)), later)) == set()


def test_an_int8_artefact_never_passes_for_a_gpu(out: Path) -> None:
    told = errors(gate(out, TERMS._replace(device="cuda")))
    assert any("not for cuda" in message for rule, message in told if rule == "gate-device")


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".safetensors", ".txt"])
def test_a_pickle_is_found_whatever_its_name(suffix: str, out: Path) -> None:
    torch.save({"weight": torch.ones(2)}, out / INT8 / f"more{suffix}")
    assert "gate-weights" in rules(gate(out, TERMS))


def test_code_links_and_plain_pickles_are_found(out: Path) -> None:
    (out / "modeling.py").write_text("print(1)")
    (out / "plain.json").write_bytes(pickle.dumps({}))
    (out / "link").symlink_to("/etc/hostname")
    checked = gate(out, TERMS)
    assert len([one for one in checked.findings if one.rule == "gate-weights"]) == 3


def test_data_that_changed_or_went_away_is_found(out: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(DATA(out), tmp_path / "other"))
    assert errors(gate(out, TERMS._replace(data=str(other)))) == set()
    with (other / "test.jsonl").open("a") as file:
        file.write('{"text": "one more line at the end", "label": "ends"}\n')
    assert rules(gate(out, TERMS._replace(data=str(other)))) == {"gate-data"}
    gone = TERMS._replace(data=str(tmp_path / "gone"))
    assert rules(gate(out, gone)) == {"gate-data"}
    assert errors(gate(out, gone._replace(without_data=True))) == set()


def test_a_completed_model_card_does_not_fail(out: Path) -> None:
    (out / "README.md").write_text("# Ours\n")
    checked = gate(out, TERMS)
    assert errors(checked) == set()
    assert [one.severity for one in checked.findings if "README.md" in one.message] == ["note"]


def test_a_rule_of_today_that_the_recipe_breaks_fails_unless_it_is_waived(out: Path, tmp_path: Path) -> None:
    file = out / "recipe.yaml"
    file.write_text(
        file.read_text()
        .replace("quantization: {", "quantization: {min_relative_accuracy: 0.9, ")
        .replace(", min_relative_accuracy: 0.99", "")
    )
    gated.rewrite(out / REPORT, lambda report: report["gates"][-2].update(demanded=">= 0.9"))
    gated.seal(out)
    assert rules(gate(out, TERMS)) == {"int8-gate"}
    waivers = tmp_path / "waivers.yaml"
    until = date.today() + timedelta(days=30)
    waivers.write_text(f"waivers:\n  - {{rule: int8-gate, reason: trial, owner: us, until: {until}}}\n")
    excused = gate(out, TERMS._replace(waiving=TERMS.waiving._replace(file=waivers)))
    assert rules(excused) == {"int8-gate"} and excused.exit_code == 0
