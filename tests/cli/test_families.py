"""`advise families`, and what advice and run do with a family that cannot be executed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny

from advisor.base.errors import AdviseError
from advisor.cli import main
from advisor.execution.job import refuse_unexecutable
from advisor.facts.tasks import TASKS, refusal
from advisor.families import registry
from advisor.families.family import Family
from advisor.inspection import probe
from advisor.recipe.reader import loads
from advisor.recipe.steps.layer_removal import LayerRemoval
from advisor.recipe.steps.matrix_pruning import MatrixPruning
from advisor.recipe.steps.step import Step


def test_the_table_says_which_families_can_be_executed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["families"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("family") and len(rows) == len(registry.every()) > 30
    texts = {family.model_type for family in registry.every() if family.executable}
    run = texts | {"vit", "deit", "whisper", "granite", "marian", "pegasus"}
    assert {row.split()[0] for row in rows if row.endswith("yes")} == run > set(registry.executable())
    assert {"bert", "roberta", "distilbert", "modernbert", "gpt2", "t5"} < set(registry.executable())
    t5 = "t5 encoder-decoder google-t5/t5-base 12+12 222.9 11.1 yes"
    assert t5.split() in [row.split() for row in rows]


def test_json_has_the_exact_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["families", "--format", "json"]) == 0
    found = {one["family"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["deberta-v2"]["parameters"] == 184_423_682
    assert found["clip"]["layers"] == {"text": 12, "vision": 12}
    assert found["vit"]["embedding_share"] == 0 and found["vit"]["executable"] and not found["clip"]["executable"]
    assert found["vit"]["tasks"] == ["image-classification"] and found["clip"]["tasks"] == []
    assert found["marian"]["tasks"] == ["summarization", "translation"]
    cuts = {"layer_removal": ["encoder_keep", "decoder_keep"], "matrix_pruning": ["intermediate_size"]}
    assert found["marian"]["cuts"] == cuts and found["clip"]["cuts"]["layer_removal"] == []


@pytest.mark.parametrize("name", [family.model_type for family in registry.every()])
def test_what_json_says_of_a_family_is_what_a_run_takes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["families", "--format", "json"]) == 0
    said = next(one for one in json.loads(capsys.readouterr().out) if one["family"] == name)
    assert [task for task in TASKS if is_run(name, task)] == said["tasks"]
    family = registry.find(name)
    assert family
    shape = family.shape(family.config)
    fewer = {"hidden_size": shape.hidden_size // 2, "intermediate_size": shape.intermediate_size // 2}
    fewer["heads"] = shape.heads // 2 // shape.together * shape.together  # 0 where all share one key, as Gemma's
    if family.hidden_follows_heads:
        fewer["hidden_size"] = shape.hidden_size - shape.head_size * shape.together
    tried: dict[str, dict[str, Step]] = {
        "layer_removal": {key: LayerRemoval(**{key: 1}) for key in ("keep", "encoder_keep", "decoder_keep")},  # type: ignore[arg-type]
        "matrix_pruning": {key: MatrixPruning(**{key: size}) for key, size in fewer.items() if size},  # type: ignore[arg-type]
    }
    for name_, steps in tried.items():
        able = [key for key in said["cuts"][name_] if key in steps]
        assert sorted(key for key, step in steps.items() if fits(family, step)) == sorted(able)


def is_run(name: str, task: str) -> bool:
    """Whether `advise run` takes the base checkpoint's config for a task."""
    model = probe.model(name)
    try:
        refuse_unexecutable(model, task, None)
    except AdviseError:
        return False
    return not refusal(task, model.facts.kind)


def fits(family: Family, step: Step) -> bool:
    try:
        return bool(step.resized(family, family.config))
    except ValueError:
        return False


@pytest.mark.parametrize("name", sorted(set(registry.names()) - set(registry.executable())))
def test_advice_for_it_is_a_recipe_that_says_so_and_passes_check(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "recipe.yaml")
    assert main(["--model", name, "--samples", "20000", "--device", "cpu", "-o", file]) == 0
    told = capsys.readouterr().err
    tasks = {"vit": "image-classification", "deit": "image-classification", "whisper": "audio-classification"}
    said = f"cannot be executed without a task: --task {tasks[name]}" if name in tasks else "cannot be executed yet"
    assert said in told and "carry it out" not in told
    assert main(["check", file]) == 0


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("roberta", "8 layers, distilled 0.97-1.01 0.77 0.65-0.87"),
        ("mt5", "6+6 layers, distilled 0.93-0.99 0.94 0.75-0.87"),
        ("albert", "4 layers, distilled 0.92-0.98 1.00 0.33-0.61"),
        ("whisper", "3+3 layers, distilled no evidence 0.89 no evidence"),
    ],
)
def test_sizes_are_exact_and_ranges_are_those_of_the_evidence(
    name: str, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--model", name, "--samples", "20000", "--device", "cuda"]) == 0
    shown = capsys.readouterr()
    assert row in " ".join(shown.err.split())
    assert loads(shown.out)[0].model.family == name


@pytest.mark.parametrize(
    ("name", "said", "able"),
    [
        ("clip", "models of the kind clip can be advised on, but cannot be run yet", "albert, bart, bert, "),
        ("whisper", "text-classification cannot be run with whisper", "whisper can be run as audio-classification or "),
    ],
)
def test_run_stops_before_any_weight_is_read(
    name: str, said: str, able: str, tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family = registry.find(name)
    assert family
    (tmp_path / "config.json").write_text(json.dumps(dict(family.config)))
    recipe = tmp_path / "recipe.yaml"
    assert main(["--model", str(tmp_path), "--samples", "400", "--device", "cpu", "-o", str(recipe)]) == 0
    assert main(["run", str(recipe), "--data", str(text), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert said in told and able in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"auto_map": {"AutoModel": "code.Own"}},
            "it comes with code of its own (auto_map), so its sizes are not known",
        ),
        (
            {"quantization_config": {"bits": 4}},
            "its sizes are not known: nobody tried quantization_config = {'bits': 4}",
        ),
        ({"hidden_act": "nonsense"}, "its sizes are not known: nobody tried hidden_act = 'nonsense'"),
    ],
)
def test_advice_names_the_flag_for_which_sizes_are_not_known(
    changes: dict[str, object], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.checkpoint("bert", tmp_path / "model")
    tiny.configure(tmp_path / "model", **changes)
    assert main(["--model", str(tmp_path / "model"), "--samples", "20000", "--device", "cpu"]) == 0
    assert told in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("key", ["auto_map", "quantization_config"])
def test_weights_of_no_class_of_transformers_cannot_be_described(
    key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A description of the plain class would not speak of them."""
    tiny.checkpoint("bert", tmp_path / "model")
    tiny.configure(tmp_path / "model", **{key: {"AutoModel": "code.Own"}})
    assert main(["families", "add", str(tmp_path / "model"), "--out", str(tmp_path / "made.json")]) == 2
    told = capsys.readouterr().err
    assert f"its weights are not those of a class of transformers ({key})" in told
    assert not (tmp_path / "made.json").exists()


def test_an_activation_that_transformers_lacks_is_named_by_run(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.checkpoint("bert", tmp_path / "model")
    tiny.configure(tmp_path / "model", hidden_act="geluu")
    (tmp_path / "recipe.yaml").write_text(
        f"version: 1\nname: odd\nmodel: {{source: ./model}}\ndevice: edge\ndata: {{source: {json.dumps(str(text))}}}\n"
        "steps:\n  - finetune: {epochs: 1}\n"
    )
    assert main(["run", str(tmp_path / "recipe.yaml"), "--dry-run"]) == 2
    told = capsys.readouterr().err
    assert "hidden_act: transformers has no activation 'geluu'" in told and "'gelu'" in told


@pytest.mark.slow
def test_a_description_of_a_shipped_type_is_said_to_have_no_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["families", "add", "distilbert", "--out", str(tmp_path / "made.json")]) == 0
    assert "advise has a description of distilbert already, and takes that one" in capsys.readouterr().err
