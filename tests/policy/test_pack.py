"""Packs: remembered while nothing changes, read again when something does, refused with every fault at once."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from advisor.base.errors import PolicyError
from advisor.policy.pack import core, load
from advisor.policy.shipped import shipped


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped("rules") / "core", tmp_path / "pack"))


def refusal(folder: Path) -> str:
    with pytest.raises(PolicyError) as caught:
        load(folder)
    return str(caught.value)


def test_a_copy_of_a_pack_has_the_same_rules_and_hash(pack: Path) -> None:
    assert load(pack).stamp == core().stamp
    assert [rule.id for rule in load(pack).rules] == [rule.id for rule in core().rules]


def test_a_change_is_seen_though_the_pack_is_remembered(pack: Path) -> None:
    before = load(pack)
    file = pack / "data" / "t5-small-data-no-prune.yaml"
    file.write_text(file.read_text().replace("< 10000", "< 20000", 1))
    after = load(pack)
    assert after.stamp.sha256 != before.stamp.sha256
    rule = after.rule("t5-small-data-no-prune")
    assert rule is not None
    assert "20,000" in str(rule.when)


def test_a_change_that_keeps_size_and_times_is_seen(pack: Path) -> None:
    load(pack)
    file = pack / "data" / "t5-small-data-no-prune.yaml"
    before = file.stat()
    file.write_text(file.read_text().replace("< 10000", "< 20000", 1))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    rule = load(pack).rule("t5-small-data-no-prune")
    assert rule is not None
    assert "20,000" in str(rule.when)


def test_remembered_and_fresh_packs_are_the_same(pack: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, remembered = load(pack), load(pack)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert first == remembered == load(pack)


def test_a_damaged_memory_is_not_believed(pack: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    whole = load(pack)
    (memory,) = (tmp_path / "cache" / "advise" / "packs").iterdir()
    for damage in ("", "[]", "{", '{"trace": []}'):
        memory.write_text(damage)
        assert load(pack) == whole


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("data.samples", "data.smaples", "did you mean 'data.samples'?"),
        ("encoder-decoder\n  data", "encoder-decodr\n  data", "'encoder-decodr' is no value of it"),
        ('"< 10000"', '"< ten"', "is not a comparison"),
        ('"< 10000"', "null", "is no value of it"),
        ('"< 10000"', "[]", "an empty list holds for nothing"),
        ("encoder-decoder\n  data", '"> 3"\n  data', "model.kind is not a number"),
        ("matrix_pruning]", "matrix_prunning]", "did you mean 'matrix_pruning'?"),
        ("severity: error", "severity: fatal", "severity"),
        ("model.kind: encoder-decoder", "known: data.taks", "did you mean 'data.task'?"),
        ("model.kind: encoder-decoder", "known: []", "expected the names of facts"),
        ("model.kind: encoder-decoder", "model.generative: no", "'no' is no value of it\n  try: known: False, True"),
        ("model.kind: encoder-decoder", "model.generative: 1", "1 is no value of it"),
        ('data.samples: "< 10000"', "data.samples: few", "'few' is no value of it\n  try: write a number"),
        ('data.samples: "< 10000"', "data.samples: true", "True is no value of it"),
        ('data.samples: "< 10000"', "layer_removal.choose: tpo", "did you mean 'top'?"),
        ("forbid: [layer_removal, matrix_pruning]", "prefer: {distillation.epochs: many}", "distillation.epochs"),
        ("forbid: [layer_removal, matrix_pruning]", "prefer: {distillation.epochs: 0}", "greater than 0, got 0"),
        ("forbid: [layer_removal, matrix_pruning]", "allow_only: {layer_removal.choose: [tpo]}", "'tpo'"),
        ("forbid: [layer_removal, matrix_pruning]", "prefer: {layer_removal.keep_share: 1}", "it can only be limited"),
        ("because:", "becuase:", "did you mean 'because'?"),
        ("id: t5-small-data-no-prune", "id: another-id", "the file must be named another-id.yaml"),
        ("id: t5-small-data-no-prune", "id: no-masks", "the id no-masks"),
        ("strength: only-source", "strength: sure", "strength"),
    ],
)
def test_a_faulty_rule_is_refused_with_its_place(old: str, new: str, told: str, pack: Path) -> None:
    file = pack / "data" / "t5-small-data-no-prune.yaml"
    file.write_text(file.read_text().replace(old, new, 1))
    message = refusal(pack)
    assert told in message
    assert ".yaml:" in message


EXAMPLES = {
    "{samples: many}": "samples: input should be a valid integer, got 'many'",
    "{steps: [finetune, {layer_removal: {keeps: 3}}]}": "steps.1.layer_removal.keeps\n  try: did you mean 'keep'?",
    "{steps: [fintune]}": "unknown step fintune",
    "{steps: [7]}": "steps.0: expected one step with its settings",
    "{steps: {a: b}}": "steps: input should be a valid",
    "{model: 7}": "model: input should be a valid string, got 7",
    "{device: tpu}": "device: input should be",
    "{model.layers: deep}": "model.layers cannot be 'deep'",
    "{training.batch_size: many}": "batch_size: input should be a valid integer",
    "{gates.relative_accuracy: high}": "gates.relative_accuracy cannot be 'high'",
    "{device.instruction_sets: avx2}": "device.instruction_sets cannot be 'avx2'",
}


@pytest.mark.parametrize(("example", "told"), EXAMPLES.items())
def test_an_example_that_cannot_be_is_refused_with_its_place(example: str, told: str, pack: Path) -> None:
    file = pack / "data" / "t5-small-data-no-prune.yaml"
    file.write_text(file.read_text().replace("  quiet:\n", f"  quiet:\n    - {example}\n", 1))
    message = refusal(pack)
    assert told in message and re.search(r"t5-small-data-no-prune\.yaml:\d+:\d+: ", message)


def test_a_folder_without_manifest_or_rules_is_no_pack(tmp_path: Path, pack: Path) -> None:
    assert "pack.yaml is missing" in refusal(tmp_path)
    for folder in pack.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    assert "holds no rule" in refusal(pack)


def test_a_rule_can_bound_the_gates_of_recipes(pack: Path) -> None:
    file = pack / "data" / "t5-small-data-no-prune.yaml"
    text = file.read_text()
    file.write_text(text.replace("  forbid:", '  limit: {gates.relative_accuracy: ">= 0.97"}\n  forbid:', 1))
    rule = load(pack).rule("t5-small-data-no-prune")
    assert rule is not None and str(rule.limits["gates.relative_accuracy"]) == ">= 0.97"
    file.write_text(text.replace("  forbid:", '  limit: {gates.accuracy: ">= 97"}\n  forbid:', 1))
    assert "gates.relative_accuracy" in refusal(pack)
    file.write_text(text.replace("  forbid:", "  prefer: {gates.relative_accuracy: 0.9}\n  forbid:", 1))
    assert "unknown setting gates.relative_accuracy" in refusal(pack)
