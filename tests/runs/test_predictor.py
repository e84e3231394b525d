"""A finished run's models are loaded with tokenizer and label names, whatever the artefact is, and label texts."""

from __future__ import annotations

import json
import math
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import students
import tiny
from transformers import AutoTokenizer

import advisor
from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.compute.int8.artefact import Wanted, make
from advisor.compute.structure import checkpoint
from advisor.compute.tasks.text_classification import TextClassification

CODE = """\
import json
from transformers import PreTrainedTokenizer


class WordTokenizer(PreTrainedTokenizer):
    vocab_files_names = {"vocab_file": "words.json"}
    model_input_names = ["input_ids", "attention_mask"]

    def __init__(self, vocab_file, **more):
        self.words = json.load(open(vocab_file))
        super().__init__(**more)

    vocab_size = property(lambda self: len(self.words))

    def get_vocab(self):
        return {word: number for number, word in enumerate(self.words)}

    def _tokenize(self, text):
        return text.split()

    def _convert_token_to_id(self, word):
        return self.words.index(word) if word in self.words else 2

    def _convert_id_to_token(self, number):
        return self.words[number]

    def save_vocabulary(self, folder, filename_prefix=None):
        json.dump(self.words, open(folder + "/words.json", "w"))
        return (folder + "/words.json",)
"""
TEXTS = ["Return the message's payload.", "Wait", "Create a task in the loop and await it until it is done, or fails."]


@pytest.fixture(scope="module")
def run(checkpoints: dict[str, Path], text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "bert.yaml").write_text(
        "version: 1\nname: bert\nmodel: {source: gone, family: bert}\ndevice: edge\n"
        'goal: {relative_accuracy: ">= 0.3"}\nsteps:\n  - finetune: {epochs: 1, learning_rate: 2.0e-3}\n'
        "  - quantization: {}\ntraining: {batch_size: 64, max_tokens: 24}\n"
    )
    arguments = [
        "--model",
        str(checkpoints["bert"]),
        "--data",
        str(text),
        "--out",
        str(folder / "out"),
        "--measure-seconds",
        "0.5",
    ]
    assert main(["run", str(folder / "bert.yaml"), *arguments]) in (0, 4)
    return folder / "out"


def configure(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize(("step", "kind"), [(None, "onnx"), ("quantization", "onnx"), ("finetune", "checkpoint")])
def test_a_run_answers_as_its_report_says(run: Path, step: str | None, kind: str) -> None:
    predictor = advisor.load(run, step, threads=1)
    assert (predictor.kind, predictor.labels, predictor.max_tokens) == (kind, ("asyncio", "email"), 24)
    answers = json.loads((run / "answers.json").read_text())
    expected = answers["scores"][step or "quantization"]
    found = predictor([row["text"] for row in answers["rows"]])
    assert [predictor.labels.index(one.label) for one in found] == [row.index(max(row)) for row in expected]
    for one in found:
        assert one.label == max(one.probabilities, key=one.probabilities.get)
        assert sum(one.probabilities.values()) == pytest.approx(1)


def test_a_recipe_beside_the_steps_that_is_no_text(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "recipe.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(AdviseError, match=r"recipe\.yaml"):
        advisor.load(tmp_path / "run" / "steps" / "0-finetune")


def test_a_steps_own_folder_can_be_given(run: Path) -> None:
    predictor = advisor.load(run / "steps" / "0-finetune")
    assert (predictor.kind, predictor.max_tokens) == ("checkpoint", 24)
    assert predictor(TEXTS) == advisor.load(run, "finetune")(TEXTS)


@pytest.mark.parametrize("step", ["0-finetune", "1-quantization"])
def test_a_copy_of_a_steps_folder_cuts_texts_as_the_run_did(step: str, run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run / "steps" / step, tmp_path / "models" / "bert")
    (tmp_path / "recipe.yaml").write_text((run / "recipe.yaml").read_text().replace("24", "12"))  # of something else
    assert AutoTokenizer.from_pretrained(folder).model_max_length == 24
    assert advisor.load(folder).max_tokens == 24


def test_a_run_from_before_tokenizers_knew_it_has_its_recipe(run: Path, tmp_path: Path) -> None:
    steps = shutil.copytree(run, tmp_path / "out") / "steps"
    (tmp_path / "out" / "manifest.json").unlink()
    configure(steps / "0-finetune" / "tokenizer_config.json", model_max_length=512)
    assert advisor.load(steps / "0-finetune").max_tokens == 24


@pytest.mark.parametrize("step", ["0-finetune", "1-quantization"])
def test_texts_are_never_longer_than_the_model_has_positions(step: str, run: Path, text: Path, tmp_path: Path) -> None:
    model, out = tiny.checkpoint("bert", tmp_path / "model", max_position_embeddings=32), tmp_path / "out"
    arguments = ["--model", str(model), "--data", str(text), "--out", str(out), "--measure-seconds", "0.5"]
    assert main(["run", str(run.parent / "bert.yaml"), *arguments]) in (0, 4)
    folder = shutil.copytree(out / "steps" / step, tmp_path / step)
    configure(folder / "tokenizer_config.json", model_max_length=10**30)
    configure(folder / "config.json", max_tokens=1000)
    predictor = advisor.load(folder)
    assert predictor.max_tokens == 32
    assert len(predictor(["wait for it " * 500])) == 1


def test_the_order_of_the_texts_is_kept_whatever_the_batches(run: Path) -> None:
    predictor = advisor.load(run, "finetune")
    together, apart = predictor(TEXTS), predictor(TEXTS, batch_size=1)
    for one, other in zip(together, apart, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5)
    assert predictor([]) == []
    assert predictor(TEXTS, pairs=TEXTS) != together


@pytest.mark.parametrize("backend", ["onnxruntime", "pytorch"])
def test_t5_int8_names_its_labels(backend: str, tmp_path: Path) -> None:
    student = students.student("t5")
    student.model.config.id2label = {0: "calm", 1: "loud"}
    tokenizer = tiny.tokenizer("t5")
    students.finish(make(student, tokenizer, students.context("t5"), tmp_path / "int8", Wanted(0, 1, (backend,))))
    checkpoint.save(student, tokenizer, tmp_path / "fp32")
    predictor = advisor.load(tmp_path / "int8")
    assert predictor.labels == ("calm", "loud")
    assert all(set(one.probabilities) == {"calm", "loud"} for one in predictor(TEXTS))
    assert advisor.load(tmp_path / "fp32").labels == ("calm", "loud")


def test_a_regression_gives_a_number(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    one = checkpoint.load(checkpoints["bert"], students.family("bert"), TextClassification(("value",)))
    checkpoint.save(*one, tmp_path / "fp32")
    found = advisor.load(tmp_path / "fp32")(TEXTS[:1])
    assert (found[0].label, found[0].probabilities) == ("", {})
    assert isinstance(found[0].value, float)


def test_what_cannot_be_loaded_is_told(run: Path, tmp_path: Path) -> None:
    for folder, step, told in (
        (tmp_path / "gone", None, "no such folder"),
        (tmp_path, None, r"no finished run: there is no manifest\.json"),
        (run, "distilation", "no step 'distilation'"),
    ):
        with pytest.raises(AdviseError, match=told):
            advisor.load(folder, step)


def test_a_model_that_was_never_fine_tuned_is_not_served(checkpoints: dict[str, Path]) -> None:
    with pytest.raises(AdviseError, match="it has not been trained for these labels") as caught:
        advisor.load(checkpoints["bert"])
    assert "fine-tune it with `advise run`" in caught.value.faults[0].hint


def test_labels_without_names_are_as_many_as_the_config_says(tmp_path: Path) -> None:
    one = students.student("bert", num_labels=3)
    checkpoint.save(one, tiny.tokenizer("bert"), tmp_path / "fp32")
    config = json.loads((tmp_path / "fp32" / "config.json").read_text())
    kept = {key: value for key, value in config.items() if key not in ("id2label", "label2id")}
    (tmp_path / "fp32" / "config.json").write_text(json.dumps({**kept, "num_labels": 3}))
    assert advisor.load(tmp_path / "fp32").labels == ("LABEL_0", "LABEL_1", "LABEL_2")


def with_code(model: Path) -> None:
    """Give a checkpoint a tokenizer that is there in Python alone."""
    special = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    names = {"tokenizer_class": "WordTokenizer", "auto_map": {"AutoTokenizer": ["own.WordTokenizer", None]}}
    (model / "own.py").write_text(CODE)
    (model / "words.json").write_text(json.dumps([*special.values(), *" ".join(TEXTS).split()]))
    (model / "tokenizer_config.json").write_text(json.dumps(special | names))
    (model / "tokenizer.json").unlink()


def test_a_tokenizer_with_code_of_its_own_is_loaded_when_it_is_trusted(
    run: Path,
    checkpoints: dict[str, Path],
    text: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    with_code(shutil.copytree(checkpoints["bert"], tmp_path / "model"))
    arguments = [
        "--model",
        str(tmp_path / "model"),
        "--data",
        str(text),
        "--out",
        str(tmp_path / "out"),
        "--measure-seconds",
        "0.5",
    ]
    assert main(["run", str(run.parent / "bert.yaml"), *arguments]) == 2
    assert "its tokenizer comes with code of its own" in " ".join(capsys.readouterr().err.split())
    assert main(["run", str(run.parent / "bert.yaml"), *arguments, "--trust-remote-code"]) in (0, 4)
    for step in ("finetune", "quantization"):
        with pytest.raises(AdviseError, match=r"load\(…, trust_remote_code=True\), if you have read that code"):
            advisor.load(tmp_path / "out", step)
        assert len(advisor.load(tmp_path / "out", step, trust_remote_code=True)(TEXTS)) == 3


def test_files_that_are_not_as_the_run_wrote_them(run: Path) -> None:
    file = run / "steps" / "1-quantization" / "onnx/model_quantized.onnx"
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:-1])
        with pytest.raises(AdviseError, match=r"onnx/model_quantized\.onnx: is not as the run wrote it"):
            advisor.load(run)
        file.unlink()
        with pytest.raises(AdviseError, match=r"onnx/model_quantized\.onnx: is missing"):
            advisor.load(run)
    finally:
        file.write_bytes(whole)


def test_a_file_that_was_added_is_told(run: Path, tmp_path: Path) -> None:
    """Else the model that somebody put beside the step's own would answer in its place."""
    out = shutil.copytree(run, tmp_path / "out")
    shutil.copytree(out / "steps" / "1-quantization" / "onnx", out / "steps" / "0-finetune" / "onnx")
    (out / "steps" / "0-finetune" / ".DS_Store").touch()
    for folder, step in ((out, "finetune"), (out / "steps" / "0-finetune", None)):
        with pytest.raises(AdviseError, match=r"0-finetune/onnx/\S+: was not written by the run") as caught:
            advisor.load(folder, step)
        assert len(caught.value.faults) == 1
    assert advisor.load(out, "quantization").kind == "onnx"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("vocab.txt", pickle.dumps({"a": 1}, protocol=0), "is a pickle"),
        ("old.bin", pickle.dumps([1], protocol=4), "is a pickle"),
        ("own.py", b"", "is code"),
        ("generation_config.json", b'{"auto_map": {"AutoModel": "own.Own"}}', "names code to run"),
    ],
)
def test_what_can_run_code_is_not_loaded(name: str, content: bytes, told: str, run: Path, tmp_path: Path) -> None:
    """In a copy of a step's folder there is no record of what the run wrote."""
    folder = Path(shutil.copytree(run / "steps" / "0-finetune", tmp_path / "copy"))
    (folder / name).write_bytes(content)
    with pytest.raises(AdviseError, match=told) as caught:
        advisor.load(folder)
    assert [fault.file for fault in caught.value.faults] == [str(folder / name)]


NO_TEXTS = {
    "one text": ("one text", "texts: expected a sequence of texts, got one text"),
    "bytes": (b"one text", "texts: expected a sequence of texts, got one text"),
    "a mapping": ({"a": "b"}, "texts: expected a sequence of texts, got dict"),
    "a set": ({"a"}, "texts: expected a sequence of texts, got set"),
    "nothing": (None, "texts: expected a sequence of texts, got NoneType"),
    "a number": (3, "texts: expected a sequence of texts, got int"),
    "None": (["a", None], "texts[1]: expected Unicode text, got None"),
    "NaN": ([math.nan, "a", 3], "texts[0]: expected Unicode text, got nan (2 of 3 are no text)"),
    "bytes in it": ([b"a"], "texts[0]: expected Unicode text, got b'a'"),
    "a mapping in it": ([{"text": "a" * 99}], "texts[0]: expected Unicode text, got {'text': 'aaaaaaaaaaaaaaa"),
    "half a character": (["a", "\ud800"], "texts[1]: expected Unicode text, got '\\ud800'"),
}


@pytest.mark.parametrize(("texts", "told"), NO_TEXTS.values(), ids=NO_TEXTS)
def test_what_is_no_sequence_of_texts_is_told(texts: Any, told: str, run: Path) -> None:
    predictor = advisor.load(run)
    with pytest.raises(AdviseError) as caught:
        predictor(texts)
    (fault,) = caught.value.faults
    assert fault.message.startswith(told) and len(fault.message) < 120
    if texts is not None:
        with pytest.raises(AdviseError) as caught:
            predictor(TEXTS, pairs=texts)
        assert caught.value.faults[0].message.startswith(told.replace("texts", "pairs", 1))


@pytest.mark.parametrize("kind", [iter, tuple, lambda texts: (text for text in texts)])
def test_any_iterable_with_an_order_will_do(kind: Any, run: Path) -> None:
    predictor = advisor.load(run)
    assert predictor(kind(TEXTS), kind(TEXTS)) == predictor(TEXTS, TEXTS)


@pytest.mark.parametrize("size", [0, -1, 2.5, "32", None, True])
def test_a_batch_of_no_whole_number_of_rows_is_told(size: Any, run: Path) -> None:
    with pytest.raises(AdviseError, match=f"batch_size: expected a whole number of at least 1, got {size!r}"):
        advisor.load(run)(TEXTS, batch_size=size)


def test_all_arguments_that_make_no_sense_are_told_at_once(run: Path) -> None:
    with pytest.raises(AdviseError) as caught:
        advisor.load(run)([None, "a"], pairs=["a", 1, "b"], batch_size="32")  # type: ignore[list-item, arg-type]
    assert [fault.message for fault in caught.value.faults] == [
        "texts[0]: expected Unicode text, got None",
        "pairs[1]: expected Unicode text, got 1",
        "pairs: expected one for each of the 2 texts, got 3",
        "batch_size: expected a whole number of at least 1, got '32'",
    ]


@pytest.mark.parametrize("step", ["finetune", "quantization"])
@pytest.mark.parametrize("threads", [0, -1, 2.5, "2", True])
def test_threads_that_make_no_sense_are_told_whatever_the_artefact(threads: Any, step: str, run: Path) -> None:
    with pytest.raises(AdviseError, match=f"threads: expected a whole number of at least 1, got {threads!r}"):
        advisor.load(run, step, threads=threads)


def test_threads_may_be_left_to_the_machine(run: Path) -> None:
    assert len(advisor.load(run, threads=None)(TEXTS)) == len(TEXTS)


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "cuda:x", None])
def test_a_device_that_is_not_here_is_told(device: Any, run: Path) -> None:
    with pytest.raises(AdviseError, match=f"device: there is no {device!r} here"):
        advisor.load(run, "finetune", device=device)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"id2label": {"a": "calm", "b": "loud"}}, "id2label: expected names by number, from 0, got"),
        ({"id2label": {"1": "calm", "2": "loud"}}, "id2label: expected names by number, from 0, got"),
        ({"id2label": ["calm", "loud"]}, "id2label: expected names by number, from 0, got"),
        ({"id2label": 2}, "id2label: expected names by number, from 0, got 2"),
        ({"id2label": {"0": "calm", "1": "calm"}}, "id2label: expected a name of its own for each class, got"),
        ({"id2label": {"0": "calm"}}, "id2label: expected 2 names, as the model gives 2 scores, got 1"),
        ({"max_tokens": "many"}, "max_tokens: expected a number of tokens, got 'many'"),
        ({"max_tokens": -1}, "max_tokens: expected a number of tokens, got -1"),
    ],
    ids=str,
)
def test_a_config_that_somebody_changed_is_told(changes: dict[str, Any], told: str, run: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run / "steps" / "1-quantization", tmp_path / "int8")
    configure(folder / "config.json", **changes)
    with pytest.raises(AdviseError, match=told) as caught:
        advisor.load(folder)
    assert caught.value.faults[0].file == str(folder / "config.json")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, advisor; print(sorted(sys.modules.keys() & {'torch', 'transformers', 'pydantic', 'numpy'}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
