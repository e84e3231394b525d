"""`advisor.run`, `advisor.gate` and `advisor.load` on a small real run."""

from __future__ import annotations

from pathlib import Path

import pytest

import advisor
from advisor.api.execution import Refused
from advisor.base.errors import AdviseError
from advisor.recipe.reader import loads
from advisor.records.run_folder import ATTESTATION
from advisor.runs import ledger

RECIPE = """version: 1
name: by-hand
model: {{source: {model}, family: {family}}}
data: {{source: {text}, task: text-classification}}
device: cpu
goal: {{relative_accuracy: ">= 0.01"}}
steps:
  - finetune: {{epochs: 1}}
{more}"""


@pytest.fixture(scope="module")
def result(checkpoints: dict[str, Path], text: Path, tmp_path_factory: pytest.TempPathFactory) -> advisor.RunResult:
    """A run of a recipe that is no file."""
    recipe, _ = loads(RECIPE.format(model=checkpoints["bert"], family="bert", text=text, more=""))
    return advisor.run(recipe, out=tmp_path_factory.mktemp("api") / "run", measure_seconds=0.5, progress=False)


def test_a_run_gives_its_result_and_its_folder(result: advisor.RunResult, capsys: pytest.CaptureFixture[str]) -> None:
    assert [step.name for step in result.steps] == ["finetune"]
    assert (result.folder / "report.json").is_file()
    assert "by-hand" in repr(result) and len(repr(result)) < 200
    assert "% Accuracy" in str(result) and "Gates" in str(result)
    page = result._repr_html_()
    assert page.count("<table>") == 2
    assert "by-hand" in page
    assert capsys.readouterr().out == ""
    assert "by-hand" in {one.name for one in ledger.find()}


def test_the_model_answers(result: advisor.RunResult) -> None:
    answer = advisor.load(result.folder)(["a text"])[0]
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_the_gate_decides_with_reasons(result: advisor.RunResult) -> None:
    verdict = advisor.gate(result.folder)
    assert verdict.ok == (not verdict.counting("error"))
    assert {one.rule for one in verdict} >= {"gate-enough"}  # the report has fewer rows than can verify anything
    with pytest.raises(AdviseError, match="device: expected one of cpu, cuda, mps, edge, got 'gpu'"):
        advisor.gate(result.folder, device="gpu")
    with pytest.raises(AdviseError, match="data and without_data contradict each other"):
        advisor.gate(result.folder, data="x", without_data=True)
    with pytest.raises(AdviseError, match="data and rescore contradict each other"):
        advisor.gate(result.folder, data="x", rescore="y")
    with pytest.raises(AdviseError, match="no such folder"):
        advisor.gate(result.folder / "no")


def test_a_run_is_signed_and_the_gate_wants_that_signature(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    forms = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key, private, public = ed25519.Ed25519PrivateKey.generate(), tmp_path / "key.pem", tmp_path / "public.pem"
    private.write_bytes(key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo))
    recipe, _ = loads(RECIPE.format(model=checkpoints["bert"], family="bert", text=text, more=""))
    out = tmp_path / "run"
    with pytest.raises(AdviseError, match=r"gone\.pem"):  # before any work
        advisor.run(recipe, out=out, sign=tmp_path / "gone.pem", progress=False)
    assert not out.exists()
    advisor.run(recipe, out=out, sign=private, record=False, measure_seconds=0.5, progress=False)
    verdict = advisor.gate(out, key=public)
    assert "gate-signed" not in {one.rule for one in verdict}
    assert verdict.unchecked and not any("--key" in words for words in verdict.unchecked)
    (out / ATTESTATION).unlink()
    assert "gate-signed" in {one.rule for one in advisor.gate(out, key=public)}


def test_imbalanced_labels_are_a_note_of_advice(tmp_path: Path) -> None:
    rows = [f"text number {row},{'spam' if row % 10 == 0 else 'ham'}" for row in range(400)]
    (tmp_path / "data.csv").write_text("\n".join(["text,label", *rows]))
    advice = advisor.advise("bert", data=tmp_path / "data.csv", device="cpu")
    assert [note for note in advice.notes if note.startswith("the labels are imbalanced: 'ham' has 90.0%")]


def test_the_rules_refuse_a_recipe_before_anything_is_written(
    checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    more = "  - layer_removal: {encoder_keep: 1, decoder_keep: 1}\n  - distillation: {epochs: 1}\n"
    (tmp_path / "t5.yaml").write_text(RECIPE.format(model=checkpoints["t5"], family="t5", text=text, more=more))
    with pytest.raises(Refused, match="t5-small-data-no-prune") as refusal:
        advisor.run(tmp_path / "t5.yaml", out=tmp_path / "run")
    assert "t5-small-data-no-prune" in {one.rule for one in refusal.value.findings}
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("task", "family", "says"),
    [
        ("generation", "bert", "'generation' can mean summarization, translation or text-generation"),
        ("language-modelling", "bert", "text-generation cannot be done with this model: it is an encoder"),
        ("translation", "gpt2", "it is a decoder, and the task needs an encoder-decoder"),
    ],
)
def test_a_recipe_is_run_as_its_task_or_not_at_all(
    task: str, family: str, says: str, checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    file = tmp_path / "recipe.yaml"
    written = RECIPE.format(model=checkpoints[family], family=family, text=text, more="")
    file.write_text(written.replace("task: text-classification", f"task: {task}"))
    with pytest.raises(AdviseError, match=says) as refusal:
        advisor.run(file, out=tmp_path / "run", progress=False)
    assert refusal.value.exit_code == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("data", "training", "says"),
    [
        ("prefix: 'sum: '", "beams: 1", "data.prefix: text-classification does not use it"),
        ("header: true", "image_size: 32", "training.image_size: text-classification does not use it"),
        ("header: true", "beams: 2", "training.beams: text-classification does not use it"),
    ],
)
def test_settings_of_other_tasks_are_refused_where_no_task_is_stated(
    data: str, training: str, says: str, checkpoints: dict[str, Path], text: Path, tmp_path: Path
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(
        f"version: 1\nname: x\nmodel: {{source: {checkpoints['bert']}}}\ndata: {{source: {text}, {data}}}\n"
        f"device: cpu\nsteps:\n  - finetune: {{epochs: 1}}\ntraining: {{{training}}}\n"
    )
    with pytest.raises(AdviseError, match=says) as refusal:
        advisor.run(file, out=tmp_path / "run", progress=False)
    assert "state the task" in str(refusal.value)
    assert not (tmp_path / "run").exists()


def test_arguments_that_make_no_sense_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(AdviseError) as error:
        advisor.run("recipe.yaml", out=tmp_path / "run", train_on="gpu", max_samples=0, pue=0.5)
    told = str(error.value)
    for words in (
        "train_on: expected one of auto",
        "max_samples: expected a whole",
        "pue: expected a number from 1 to 10",
    ):
        assert words in told
    with pytest.raises(AdviseError, match=r"recipe\.yaml: cannot be read"):
        advisor.run(tmp_path / "recipe.yaml", out=tmp_path / "run")
