"""Packs that build on others: extends, disable and override, each with its reason; every fault with its place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from advisor.base.errors import AdviseError, PolicyError
from advisor.policy.pack import core, find, load
from advisor.policy.shipped import shipped
from advisor.proofs.pack_differences import differences

HEAD = 'name: ours\nversion: "2"\ndescription: our own\n'
RULE = """id: {id}
title: A rule of ours
origin: ours
severity: error
since: "2"
when: {{data.samples: "< 500"}}
then: {{forbid: [distillation]}}
because: we say so
evidence: [{{source: ours, at: p. 1, says: so, strength: measured}}]
confidence: low
examples: {{fires: [{{samples: 499}}], quiet: [{{samples: 500}}]}}
"""


def pack(folder: Path, manifest: str = "", rules: tuple[str, ...] = (), head: str = HEAD) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.yaml").write_text(head + manifest)
    for name in rules:
        (folder / f"{name}.yaml").write_text(RULE.format(id=name))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(PolicyError) as caught:
        load(folder)
    return str(caught.value)


def test_a_pack_adds_disables_and_overrides(tmp_path: Path) -> None:
    ours = load(
        pack(
            tmp_path / "ours",
            "extends: [core]\ndisable: {opt-follows-bert: we have measured OPT}\n"
            "override:\n  int8-gate:\n    severity: warning\n    reason: trial\n"
            '    limit: {quantization.min_relative_accuracy: ">= 0.98"}\n',
            ("no-tiny-data",),
        )
    )
    names = {rule.id for rule in ours.rules}
    assert names == ({rule.id for rule in core().rules} | {"no-tiny-data"}) - {"opt-follows-bert"}
    assert dict(ours.disabled) == {"opt-follows-bert": "we have measured OPT"}
    gate = ours.rule("int8-gate")
    assert gate is not None and gate.severity == "warning" and "Overridden: trial" in gate.because
    assert str(gate.limits["quantization.min_relative_accuracy"]) == ">= 0.98"
    assert (ours.stamp.name, ours.stamp.version) == ("ours", "2") and ours.stamp.sha256 != core().stamp.sha256
    with pytest.raises(AdviseError, match="we have measured OPT"):
        ours.rules_of("opt-follows-bert")


def test_packs_stand_on_packs_and_the_hash_covers_them_all(tmp_path: Path) -> None:
    base = pack(tmp_path / "base", "extends: [core]\n", ("one",), HEAD.replace("ours", "base"))
    ours = pack(tmp_path / "ours", "extends: [../base]\ndisable: {one: no}\n", ("two",))
    first = load(ours)
    assert first.rule("two") and not first.rule("one") and first.rule("gpt2-layers-only")
    (base / "one.yaml").write_text(RULE.format(id="one").replace("500", "600").replace("499", "599"))
    assert load(ours).stamp.sha256 != first.stamp.sha256


def test_a_shipped_pack_is_found_by_its_name_and_a_folder_by_its_path(tmp_path: Path) -> None:
    assert find("core") == core() == find(str(shipped("rules") / "core"))
    with pytest.raises(PolicyError, match="did you mean 'core'"):
        find("cores")


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("extends: [cor]\n", "there is no pack cor\n  try: did you mean 'core'?"),
        ("extends: [../ours]\n", "extends itself in the end"),
        ("extends: [core]\ndisable: {gpt2-layer-only: x}\n", "did you mean 'gpt2-layers-only'?"),
        ("extends: [core]\ndisable: {gpt2-layers-only: ''}\n", "disable.gpt2-layers-only"),
        ("extends: [core]\noverride: {gpt2-layers-only: {severity: note}}\n", "reason is missing"),
        ("extends: [core]\noverride: {gpt2-layers-only: {severity: fatal, reason: x}}\n", "severity"),
        (
            'extends: [core]\noverride: {gradual-width: {reason: x, limit: {matrix_pruning.epochs: "> 1"}}}\n',
            "gradual-width does not limit matrix_pruning.epochs",
        ),
        (
            "extends: [core]\noverride: {gradual-width: {reason: x, limit: {matrix_pruning.increments: many}}}\n",
            "'many' is not a comparison",
        ),
        (
            "extends: [core]\ndisable: {no-masks: x}\noverride: {no-masks: {reason: y}}\n",
            "no-masks is disabled and overridden",
        ),
        ("extend: [core]\n", "did you mean 'extends'?"),
        ("", "the pack holds no rule"),
    ],
)
def test_a_faulty_manifest_is_refused_with_its_place(manifest: str, told: str, tmp_path: Path) -> None:
    folder = pack(tmp_path / "ours", manifest)
    message = refusal(folder)
    assert told in message
    assert str(folder) in message


def test_the_same_id_twice_names_both_files(tmp_path: Path) -> None:
    folder = pack(tmp_path / "ours", "extends: [core]\n")
    (folder / "no-masks.yaml").write_text(RULE.format(id="no-masks"))
    message = refusal(folder)
    assert str(folder / "no-masks.yaml") in message and "execution/no-masks.yaml" in message


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    folder = pack(tmp_path / "ours", "", ("one",))
    os.mkfifo(folder / "waits.yaml")
    assert "waits.yaml: not a plain file" in refusal(folder)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    folder = pack(tmp_path / "ours")
    for number in range(1_001):
        (folder / f"r{number}.yaml").touch()
    assert "more than the 1,000" in refusal(folder)


def kinds(found: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.kind, one.rules) for one in found]


def test_where_one_policy_is_stricter_or_looser_than_another(tmp_path: Path) -> None:
    ours = load(
        pack(
            tmp_path / "ours",
            "extends: [core]\ndisable: {gpt2-layers-only: measured}\n"
            'override:\n  int8-gate: {reason: trial, limit: {quantization.min_relative_accuracy: ">= 0.98"}}\n',
            ("no-tiny-data",),
        )
    )
    there, back = list(differences(core(), ours)), list(differences(ours, core()))
    assert ("looser", ("gpt2-layers-only",)) in kinds(there) and ("stricter", ("gpt2-layers-only",)) in kinds(back)
    assert ("stricter", ("no-tiny-data",)) in kinds(there) and ("looser", ("no-tiny-data",)) in kinds(back)
    assert ("looser", ("int8-gate",)) in kinds(there) and ("stricter", ("int8-gate",)) in kinds(back)
    gpt2 = next(one for one in there if one.rules == ("gpt2-layers-only",))
    assert "model.family gpt2" in gpt2.witness and "data.samples 25,000" in gpt2.witness
    assert list(differences(core(), core())) == []


@pytest.mark.parametrize("order", ["../a, ../b, core", "core, ../b, ../a", "../b, core, ../a"])
def test_the_order_of_packs_never_matters(order: str, tmp_path: Path) -> None:
    pack(tmp_path / "a", "extends: [core]\ndisable: {no-masks: x}\n", ("one",), HEAD.replace("ours", "a"))
    pack(
        tmp_path / "b",
        "extends: [core]\noverride: {int8-gate: {severity: note, reason: y}}\n",
        ("two",),
        HEAD.replace("ours", "b"),
    )
    first = load(pack(tmp_path / "ours", "extends: [../a, ../b]\ndisable: {one: z}\n"))
    other = load(pack(tmp_path / "ours", f"extends: [{order}]\ndisable: {{one: z}}\n"))
    assert [rule.id for rule in other.rules] == [rule.id for rule in first.rules]
    assert (dict(other.disabled), other.rule("int8-gate")) == (dict(first.disabled), first.rule("int8-gate"))
    assert dict(other.disabled) == {"no-masks": "x", "one": "z"}


@pytest.mark.parametrize("order", ["../a, ../b", "../b, ../a"])
def test_packs_side_by_side_may_not_disagree_and_may_not_reach_into_each_other(order: str, tmp_path: Path) -> None:
    override = "extends: [core]\noverride: {int8-gate: {severity: note, reason: y}}\n"
    pack(tmp_path / "a", override, ("one",), HEAD.replace("ours", "a"))
    pack(tmp_path / "b", override, (), HEAD.replace("ours", "b"))
    assert "int8-gate is overridden by" in refusal(pack(tmp_path / "ours", f"extends: [{order}]\n"))
    pack(tmp_path / "b", "extends: [core]\ndisable: {int8-gate: no}\n", (), HEAD.replace("ours", "b"))
    assert "int8-gate is disabled and overridden" in refusal(pack(tmp_path / "ours", f"extends: [{order}]\n"))
    pack(tmp_path / "b", "extends: [core]\ndisable: {one: no}\n", (), HEAD.replace("ours", "b"))
    assert "no rule one in the packs that this one extends" in refusal(pack(tmp_path / "ours", f"extends: [{order}]\n"))


def test_who_builds_on_a_pack_may_override_what_it_overrides(tmp_path: Path) -> None:
    pack(
        tmp_path / "a",
        "extends: [core]\noverride: {int8-gate: {severity: note, reason: y}}\n",
        (),
        HEAD.replace("ours", "a"),
    )
    ours = load(pack(tmp_path / "ours", "extends: [../a]\noverride: {int8-gate: {severity: warning, reason: z}}\n"))
    gate = ours.rule("int8-gate")
    assert gate is not None and gate.severity == "warning"
