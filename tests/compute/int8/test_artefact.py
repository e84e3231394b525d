"""The int8 artefact: whole or not at all, and sensitive matrices in fp32 only where int8 keeps too little."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import students
import tiny
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from advisor.base.errors import AdviseError
from advisor.base.generators import result_of
from advisor.compute.data.batches import Encoded
from advisor.compute.int8.artefact import Made, Wanted, judging, make, read
from advisor.compute.tasks.scorer import Scorer, TextScorer
from advisor.compute.training.context import Context

ANY, NEVER = Wanted(0, 1, ("onnxruntime",)), Wanted(2, 0, ("onnxruntime",))


def made(name: str, wanted: Wanted, folder: Path) -> Made:
    return finished(students.student(name), students.context(name), folder, wanted)


def finished(one: Scorer, context: Context, folder: Path, wanted: Wanted) -> Made:
    found: Made = students.finish(make(one, students.tokenizer(), context, folder, wanted))[0]
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Path]:
    """BERT with all matrices in int8, and its folder."""
    folder = tmp_path_factory.mktemp("plain") / "int8"
    return made("bert", ANY, folder), folder


@pytest.mark.parametrize("name", ["bert", "gpt2", "opt"])
def test_all_matrices_are_int8_where_that_keeps_enough(name: str, tmp_path: Path) -> None:
    result = made(name, ANY, tmp_path / "int8")
    assert result.quantized.quantized == result.quantized.matrices
    assert not any("stay in fp32" in note for note in result.notes)
    assert [file.name for file in tmp_path.iterdir()] == ["int8"]
    files = {file.relative_to(tmp_path / "int8").as_posix() for file in (tmp_path / "int8").rglob("*.*")}
    texts = {".files.json", "config.json", "tokenizer.json", "tokenizer_config.json"}
    assert files == {"onnx/model_quantized.onnx", *texts}  # as optimum and transformers.js want it
    config = json.loads((tmp_path / "int8" / "config.json").read_text())
    assert config["id2label"] == {"0": "LABEL_0", "1": "LABEL_1"}
    assert config["max_tokens"] == students.context(name).training.max_tokens


def test_the_notes_say_what_was_chosen_and_how_fast_it_is(plain: tuple[Made, Path]) -> None:
    chosen, fast, same, *_ = plain[0].notes
    assert chosen.startswith("26 of 26 matrices and 2 embedding tables are int8; ")
    assert "onnxruntime: this CPU has" in chosen
    assert "of the time of fp32 in PyTorch on this CPU, fp32 in ONNX Runtime takes" in fast
    assert "of the selection rows" in same


def test_the_most_sensitive_matrices_stay_fp32_where_int8_keeps_too_little(
    plain: tuple[Made, Path], tmp_path: Path
) -> None:
    # A bound that plain int8 misses and that the most sensitive group by itself can meet.
    bound = plain[0].agreement.mean_probability_difference * 0.95
    result = made("bert", Wanted(0, bound, ("onnxruntime",)), tmp_path / "int8")
    assert result.agreement.mean_probability_difference <= bound
    assert result.quantized.quantized < result.quantized.matrices
    told = next(note for note in result.notes if "stay in fp32 as the most sensitive" in note)
    assert told.startswith("bert.")
    assert f"({len(result.quantized.kept_fp32)} matrices)" in told


def test_each_attempt_to_keep_more_is_told_before_it_is_made(tmp_path: Path) -> None:
    arguments = students.student("bert"), students.tokenizer(), students.context("bert")
    assert students.finish(make(*arguments, tmp_path / "plain", ANY))[1] == []
    result, told = students.finish(make(*arguments, tmp_path / "int8", NEVER))
    assert [one.done for one in told] == list(range(1, result.attempts))
    assert {one.total for one in told} == {result.attempts + 1}  # and it is scored after them
    notes = [one.note for one in told]
    assert "bert.encoder.layer.0 in fp32, on trial" in notes
    assert [note.count(" and ") for note in notes if note.endswith("in fp32")] == [0, 1, 2]


def test_where_nothing_keeps_enough_the_best_attempt_is_taken_and_said_so(
    plain: tuple[Made, Path], tmp_path: Path
) -> None:
    result = made("bert", NEVER, tmp_path / "int8")
    kept = plain[0].kept
    assert result.kept is not None and kept is not None and result.kept >= kept
    assert any("did not help enough (4 attempts)" in note for note in result.notes)
    assert [file.name for file in tmp_path.iterdir()] == ["int8"]


def one_class() -> tuple[Scorer, Context]:
    """A model that answers every row alike: its Matthews is 0."""
    one = students.student("bert")
    one.model.classifier.bias.data[0] += 100
    return one, replace(students.context("bert"), metric="matthews")


def always_wrong() -> tuple[Scorer, Context]:
    """Rows that are labelled otherwise than the model answers: its Matthews is below 0."""
    one, context = students.student("bert"), students.context("bert")
    answers = students.logits(one, context, context.selection).argmax(dim=1)
    selection = Encoded(context.selection.tokens, tuple((1 - answers).tolist()))
    return one, replace(context, metric="matthews", selection=selection)


@pytest.mark.parametrize("case", [one_class, always_wrong])
def test_without_a_metric_above_0_int8_is_judged_by_its_answers(
    case: Callable[[], tuple[Scorer, Context]], tmp_path: Path
) -> None:
    """A share of nothing cannot be kept, nor missed."""
    one, context = case()
    result = finished(one, context, tmp_path / "int8", Wanted(0.99, 0.5, ("onnxruntime",)))
    assert result.kept is None
    assert result.quantized.quantized == result.quantized.matrices
    told = f"class probabilities {result.agreement.mean_probability_difference:.4f}, at most 0.5 allowed"
    assert any("fp32's matthews on the selection rows is not above 0" in note and told in note for note in result.notes)
    result = finished(one, context, tmp_path / "strict", Wanted(0, -1, ("onnxruntime",)))
    assert any("did not help enough" in note for note in result.notes)
    assert not any("of the accuracy is kept" in note for note in result.notes)


def test_scores_of_the_written_artefact_are_near_those_of_its_source(plain: tuple[Made, Path]) -> None:
    result, folder = plain
    context = students.context("bert")
    near = result_of(judging(folder, context, context.selection)).table
    source = students.logits(students.student("bert"), context, context.selection)
    difference = (torch.softmax(near, 1) - torch.softmax(source, 1)).abs().mean()
    assert float(difference) == pytest.approx(result.agreement.mean_probability_difference, abs=1e-6)
    assert float(difference) < 0.05


def test_the_backend_that_is_asked_for_makes_it(tmp_path: Path) -> None:
    result = made("gpt2", Wanted(0, 1, ("pytorch",)), tmp_path / "int8")
    assert result.backend == "pytorch"
    context = students.context("gpt2")
    judged = result_of(judging(tmp_path / "int8", context, context.selection))
    assert judged.table.shape == (len(context.selection), 2)
    assert (tmp_path / "int8" / "int8.safetensors").exists()


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("advisor.compute.int8.backends", fromlist=["NEEDS"]).NEEDS, "openvino", ("no_such",))
    with pytest.raises(AdviseError, match="openvino needs no_such, not installed"):
        made("bert", Wanted(0, 1, ("openvino",)), tmp_path / "int8")
    assert list(tmp_path.iterdir()) == []


def test_a_plain_checkpoint_is_no_int8_model(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    with pytest.raises(AdviseError, match="the folder holds no int8 model"):
        result_of(judging(tmp_path, students.context("bert"), students.context("bert").selection))


def mixtral() -> Scorer:
    """Its experts count who goes where, by an operator that ONNX lacks."""
    torch.manual_seed(0)
    sizes = {"num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2}
    more = {"vocab_size": tiny.VOCABULARY, "pad_token_id": 0, "intermediate_size": 96, "num_local_experts": 2}
    config = AutoConfig.for_model("mixtral", **sizes, **more)
    return TextScorer(AutoModelForSequenceClassification.from_config(config)).eval()


def test_a_model_that_onnx_cannot_express_is_served_by_pytorch(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = finished(mixtral(), students.context("bert"), tmp_path / "int8", Wanted(0, 1, ("onnxruntime", "pytorch")))
    assert result.backend == "pytorch" and result.quantized.quantized > 0
    assert "pytorch: the model cannot be written as ONNX: Exporting the operator 'aten::histc' to" in result.notes[0]
    assert capfd.readouterr() == ("", "")  # torch prints the whole graph
    assert [file.name for file in tmp_path.iterdir()] == ["int8"]


def test_where_onnx_runtime_has_to_serve_it_the_operator_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdviseError, match=r"ONNX: Exporting the operator 'aten::histc'.*\n.*backend: pytorch"):
        finished(mixtral(), students.context("bert"), tmp_path / "int8", ANY)
    assert not list(tmp_path.iterdir())
