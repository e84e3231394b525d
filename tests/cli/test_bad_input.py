"""What a careless user types: a message with place and remedy, the right exit code, no half file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from advisor.cli import main
from advisor.families import registry

FACTS = ["--samples", "3000", "--device", "cpu"]
RECIPE = "version: 1\nname: x\nmodel: {source: bert, family: bert}\ndevice: cpu\nsteps:\n  - finetune: {}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "brt", *FACTS], "did you mean 'bert'?"),
        (["--model", "nobody/knows-this", *FACTS], "unknown model 'nobody/knows-this'"),
        (["--model", "./nowhere", *FACTS], "no such checkpoint folder"),
        (
            ["--model", "bert", "--samples", "-5", "--device", "cpu"],
            "expected a whole number of at least 1, got -5",
        ),
        (["--model", "bert", "--samples", "many", "--device", "cpu"], "got 'many'"),
        (["--model", "bert", "--samples", "10", "--device", "gpu"], "cuda"),
        (["--model", "bert", "--samples", "10"], "--device"),
        (["--model", "bert", *FACTS, "--min-accuracy", "95"], "at most 1, got 95"),
        (["--model", "bert", *FACTS, "--smaples", "3"], "--smaples"),
        (["--model", "bert", *FACTS, "--max-emissions", "0"], "expected a number above 0 and at most 1e+12, got 0"),
        (["--model", "bert", *FACTS, "-o", "/nowhere/at/all.yaml"], "the folder does not exist"),
        (["chekc", "x.yaml"], "did you mean 'check'?"),
        (["run", "nowhere.yaml", "--out", "o"], "cannot be read"),
        (["run", "a\0b.yaml", "--out", "o"], "'a\\x00b.yaml' holds a NUL character"),
        (["gate", "a" * 300], "its name is too long"),
        (["--model", "bert", *FACTS, "-o", "a" * 300], "its name is too long"),
    ],
)
def test_wrong_use_ends_with_2(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in shown.err
    assert "Traceback" not in shown.err


def test_a_misspelt_choice_is_told_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--model", "bert", "--samples", "5", "--device", "cpu", "--task", "text-clasification"]
    assert main(given) == 2
    assert "did you mean text-classification?" in capsys.readouterr().err


def test_all_faults_of_a_command_line_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--model", "bert", "--samples", "-5", "--device", "gpu", "--min-accuracy", "95", "--smaples", "3"]
    assert main(given) == 2
    shown = capsys.readouterr().err
    for told in (
        "--samples: expected",
        "--device: invalid choice: 'gpu'",
        "use cuda for an NVIDIA GPU, mps for a Mac",
        "at most 1, got 95",
        "unknown option --smaples",
    ):
        assert shown.count(told) == 1
    assert shown.count("try: advise --help") == 1


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("{", "config.json:1:2: not JSON"),
        ("[]", "model_type is missing"),
        ('{"hidden_size": 3}', "model_type is missing"),
        ('{"model_type": "bert"}', "num_hidden_layers is missing"),
        ('{"model_type": "bert", "num_hidden_layers": -2, "hidden_size": 64, "num_attention_heads": 4, '
         '"vocab_size": 10}', "num_hidden_layers: expected a whole number from 1 to 9,999,999, got -2"),
        ('{"model_type": "bert", "num_hidden_layers": 2, "hidden_size": 65, "num_attention_heads": 4, '
         '"vocab_size": 10}', "hidden_size 65 cannot be divided by num_attention_heads 4"),
        ('{"model_type": "clip", "vision_config": {}, "text_config": 3}', "text_config: expected a mapping, got 3"),
        ('{"model_type": "clip", "projection_dim": 8, "text_config": {"num_hidden_layers": 1, "hidden_size": 8, '
         '"num_attention_heads": 1, "intermediate_size": 8, "vocab_size": 9, "max_position_embeddings": "many"}, '
         '"vision_config": {"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 1, "intermediate_size": 8,'
         ' "image_size": 8, "patch_size": 8, "num_channels": 3}}', "text_config.max_position_embeddings: expected"),
        ('{"model_type": "vit", "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, '
         '"image_size": "large"}', "image_size"),
        ('{"": {}, "model_type": "bert", "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 3, '
         '"vocab_size": 10}', "hidden_size 64 cannot be divided by num_attention_heads 3"),
        ('{"model_type": "gpt2", "n_layer": 2, "n_embd": 1e12, "n_head": 4, "vocab_size": "x"}', "vocab_size"),
    ],
)  # fmt: skip
def test_a_config_that_makes_no_sense(
    config: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text(config)
    assert main(["--model", str(tmp_path), *FACTS]) == 2
    assert told in capsys.readouterr().err


def test_a_folder_without_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", str(tmp_path), *FACTS]) == 2
    assert "no config.json here" in capsys.readouterr().err
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "config.json").write_text("{}")
    assert main(["--model", str(tmp_path), *FACTS]) == 2
    assert f"try: give a transformers checkpoint folder, such as {tmp_path.name}/v1" in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "config"), [
    ("other-encoder", {"model_type": "new-thing", "architectures": ["NewThingModel"]}),
    ("other-decoder", {"model_type": "new-thing", "architectures": ["NewThingForCausalLM"]}),
    ("other-encoder-decoder", {"model_type": "new-thing", "is_encoder_decoder": True}),
    ("other-encoder", {"model_type": "new-thing", "architectures": [3]}),
    ("other-encoder", {"model_type": "new-thing", "architectures": 3}),
])  # fmt: skip
def test_an_unknown_model_type_is_advised_on_by_its_kind(
    kind: str, config: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert main(["--model", str(tmp_path / "config.json"), *FACTS, "--format", "json"]) == 0
    advice = json.loads(capsys.readouterr().out)
    assert advice["facts"]["model"]["family"] == kind
    assert [next(iter(step)) for step in advice["recipe"]["steps"]] == ["finetune", "quantization"]


def test_a_goal_out_of_reach_emits_nothing_and_says_what_must_give(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--model", "bert", "--samples", "25000", "--device", "cuda", "--max-emissions", "0.05"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "nearest: fine-tuned, 8 layers, distilled" in shown.err
    assert "--max-emissions" in shown.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RECIPE.replace("family: bert", "family: brt"), "did you mean 'bert'?"),
        (
            RECIPE.replace("source: bert,", "source: ./gone,").replace("family: bert", "family: null"),
            "no such",
        ),
        (RECIPE + "  - quantization: {bits: 4}\n", "bits"),
        ("a: > 10", "quotes"),
        ("\x00", "not YAML"),
    ],
)
def test_check_refuses_what_is_no_recipe(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    assert main(["check", str(file)]) == 2
    shown = capsys.readouterr().out
    assert told in shown
    assert str(file) in shown


def test_an_empty_folder_is_not_a_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 5
    assert "no recipe in this folder" in capsys.readouterr().err


@pytest.mark.parametrize("missing", [("encoder_ffn_dim",), ("encoder_ffn_dim", "decoder_ffn_dim")])
def test_a_config_may_leave_its_usual_widths_out(
    missing: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family = registry.find("bart")
    assert family is not None
    config = {key: value for key, value in family.config.items() if key not in missing}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert main(["--model", str(tmp_path), "--samples", "50000", "--device", "cpu"]) == 0
    assert "layer_removal" in capsys.readouterr().out
