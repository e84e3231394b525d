"""A given student: sizes are exact, offline; one that cannot be the student is refused before any weights are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.families import registry
from advisor.inspection import given_student, probe
from advisor.recipe.plan import plan
from advisor.recipe.reader import loads
from advisor.recipe.recipe import Recipe

HEAD = "version: 1\nname: given\nmodel: {source: bert}\ndata: {samples: 3000, labels: 2, task: classification}\n"
STEPS = "device: cpu\nsteps:\n  - finetune\n  - distillation: {student: SOURCE}\n"
TINYBERT = {
    "model_type": "bert", "num_hidden_layers": 4, "hidden_size": 312, "num_attention_heads": 12, "vocab_size": 30522,
    "intermediate_size": 1200, "max_position_embeddings": 512, "type_vocab_size": 2, "architectures": ["BertModel"],
}  # fmt: skip


def config(folder: Path, **changes: Any) -> Path:
    """The config.json of a student, without weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**TINYBERT, **changes}))
    return folder


def written(folder: Path, source: str, more: str = "", before: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    steps = STEPS.replace("SOURCE", json.dumps(source)).replace("  - distillation", f"{before}  - distillation")
    (folder / "recipe.yaml").write_text(HEAD + steps + more)
    return folder / "recipe.yaml"


def recipe(more: str = "", before: str = "") -> Recipe:
    steps = STEPS.replace("SOURCE", "distilbert").replace("  - distillation", f"{before}  - distillation")
    return loads(HEAD + steps + more)[0]


def test_sizes_go_on_with_the_student_s() -> None:
    bert, distilbert = (registry.find(name) for name in ("bert", "distilbert"))
    assert bert and distilbert
    found = plan(recipe("  - quantization\n"), bert.config, 2, distilbert.config)
    assert found and not found.problems
    sizes = [109_483_778, 66_955_010, 66_955_010]  # of transformers' own BERT and DistilBERT with two labels
    assert [one.parameters for one in found.steps] == sizes
    assert [one.family for one in found.steps] == [bert, distilbert, distilbert]
    assert found.baseline_parameters == 109_483_778 and found.teacher == dict(bert.config)
    assert found.measures["recipe.removed_share"] == 0  # nothing of the student was removed
    assert plan(recipe(), bert.config, 2) is None  # without the student's config no size is known


def test_cuts_before_it_and_of_another_family_are_refused() -> None:
    bert, distilbert = (registry.find(name) for name in ("bert", "distilbert"))
    assert bert and distilbert
    narrow = "  - matrix_pruning: {hidden_size: 384}\n"
    found = plan(recipe(narrow, "  - layer_removal: {keep: 8}\n"), bert.config, 2, distilbert.config)
    assert found
    assert [(one.step, one.text.partition(":")[0]) for one in found.problems] == [
        ("layer_removal", "what it removes is lost, as distillation goes on with a given student"),
        ("matrix_pruning", "the rules judge cuts of BERT, and the given student is a DistilBERT"),
    ]
    smaller = {**bert.config, "num_hidden_layers": 6}
    found = plan(recipe(narrow), bert.config, 2, smaller)
    assert found and not found.problems and found.steps[-1].after["hidden_size"] == 384


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"architectures": ["BertForSequenceClassification"], "num_labels": 3},
            "its head has 3 labels, the task has 2",
        ),
        ({"model_type": "nobodys"}, "its size is not known: transformers knows no model type 'nobodys'"),
        ({"auto_map": {"AutoModel": "own.Own"}}, "it comes with code of its own (auto_map), which is not run"),
        ({"num_hidden_layers": 40, "hidden_size": 768}, "parameters, not fewer than its teacher's 109,483,778"),
        ({"max_position_embeddings": 64}, "max_tokens 128 is more than its 64 positions"),
    ],
)
def test_what_cannot_be_the_student_is_refused_with_its_place(
    changes: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = config(tmp_path / "student", **changes)
    file = written(tmp_path, str(folder))
    assert main(["check", str(file), "--no-cache"]) == 2
    said = " ".join(capsys.readouterr().out.split())
    assert "cannot be the student: " in said and message in said and "recipe.yaml:8:29" in said
    assert main(["--model", "bert", "--samples", "3000", "--device", "cpu", "--student", str(folder)]) == (
        0 if "labels" in message or "max_tokens" in message else 2  # advice is told no labels, and sets max_tokens
    )


def test_a_student_that_is_not_here_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(written(tmp_path, "./gone")), "--no-cache"]) == 2
    assert "no such checkpoint folder" in capsys.readouterr().out


def test_a_student_beside_the_recipe_is_found_and_checked_anew_when_it_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config(tmp_path / "student")
    file = written(tmp_path, "student")
    assert [main(["check", str(file)]) for _ in range(2)] == [0, 0]
    config(tmp_path / "student", model_type="nobodys")
    assert main(["check", str(file)]) == 2


def test_diff_knows_the_student_s_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = written(tmp_path / "old", "distilbert")
    new = written(tmp_path / "new", str(config(tmp_path / "student")))
    main(["diff", str(old), str(new)])
    said = capsys.readouterr().out
    assert "distillation.student" in said and "66,955,010" in said and "14,350,874" in said


def test_advice_compares_it_with_cutting(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", "bert", "--samples", "20000", "--device", "cpu", "--student", "distilbert"]
    assert main(options) == 0
    shown, said = capsys.readouterr()
    assert "student" not in shown  # its accuracy is not known, so it is not chosen
    assert "distilled into distilbert-base-uncased        no evidence  0.61" in said
    assert "66,955,010 parameters (61.2%), 50.0% of the multiplications" in " ".join(said.split())


def test_explain_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(written(tmp_path, "distilbert"))]) == 0
    assert "given: fine-tuned, distilled into distilbert" in capsys.readouterr().out


def test_the_rule_for_little_data_is_kept_by_a_given_student(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It asks for a pre-distilled model where less than 60 % of BERT remains, and this is one."""
    main(["check", str(written(tmp_path, str(config(tmp_path / "student")))), "--no-cache"])
    assert "prefer-predistilled-on-small" not in capsys.readouterr().out


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    wrong = {"architectures": ["BertForSequenceClassification"], "num_labels": 5, "num_hidden_layers": 90}
    folder = config(tmp_path, **wrong, hidden_size=768)
    with pytest.raises(AdviseError) as caught:
        given_student.fitted(probe.model("bert"), probe.model(str(folder)), 2, 1_000)
    assert len(caught.value.faults) == 3
