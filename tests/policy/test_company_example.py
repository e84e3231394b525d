"""The example pack of a company: every rule decides recipes as its page says, through advice and through check."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.cli import main
from advisor.inspection import probe
from advisor.policy.pack import find
from advisor.proofs.advice_passes_check import prove
from advisor.proofs.coverage import cover
from advisor.recipe.reader import loads
from advisor.review.review import review_document

POLICY = find("company-example")
OWN = [one for one in POLICY.rules if one.origin in ("example-policy", "company-example")]
RECIPE = """\
version: 1
name: letters
model: {source: google-bert/bert-base-uncased, family: bert, revision: 86b5e09, licence: apache-2.0}
data: {source: acme/letters, samples: 12000, unlabelled_samples: 60000, task: text-classification, labels: 3}
device: cpu
hardware: {memory_gb: 16, instruction_sets: [avx2, avx512_vnni]}
goal: {relative_accuracy: ">= 0.95"}
steps:
  - finetune: {epochs: 3}
  - layer_removal: {keep: 8}
  - distillation: {epochs: 9}
meta: {owner: ada, use: support, ticket: ML-42, requests_per_day: 1000}
"""
BROKEN = {
    "meta-owner": ("owner: ada, ", ""),
    "meta-use": ("use: support", "use: fun"),
    "meta-ticket": ("ticket: ML-42", "ticket: 42"),
    "meta-requests_per_day": ("requests_per_day: 1000", "requests_per_day: many"),
    "approved-base-models": ("google-bert/bert-base-uncased", "somebody/bert-copy"),
    "finance-keeps-98": ("use: support", "use: finance"),
    "gates-as-strict-as-the-goal": ("device: cpu", 'gates: {relative_accuracy: ">= 0.90"}\ndevice: cpu'),
    "edge-needs-int8": ("device: cpu", "device: edge"),
    "distil-on-further-texts": ("unlabelled_samples: 60000", "unlabelled_samples: 10"),
    "licence-allows-it": ("licence: apache-2.0", "licence: cc-by-nc-4.0"),
    "no-personal-data": ("acme/letters", "acme/personnel/letters"),
    "short-texts-on-small-devices": ("memory_gb: 16", "memory_gb: 1.5"),
    "revision-is-pinned": (", revision: 86b5e09", ""),
    "distil-as-long-as-fine-tuning": ("distillation: {epochs: 9}", "distillation: {epochs: 2}"),
}


def findings(text: str) -> dict[str, int]:
    """The company's rules that a recipe breaks, with the line that each blames."""
    recipe, document = loads(text)
    found = review_document(POLICY, recipe, document, Path()).findings
    return {one.rule: one.place.line for one in found if one.rule in [rule.id for rule in OWN]}


def test_there_is_a_recipe_that_breaks_none_and_one_for_every_rule() -> None:
    assert findings(RECIPE) == {}
    assert set(BROKEN) == {rule.id for rule in OWN}


@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_is_broken_by_what_it_is_about_and_blames_that_line(name: str) -> None:
    old, new = BROKEN[name]
    assert old in RECIPE
    text = RECIPE.replace(old, new)
    if name == "short-texts-on-small-devices":
        text += "training: {max_tokens: 512}\n"
    found = findings(text)
    assert name in found
    if new and name not in ("edge-needs-int8", "short-texts-on-small-devices"):
        assert new.splitlines()[0] in text.splitlines()[found[name] - 1] or name.startswith("meta-")


@pytest.mark.parametrize("rule", [rule for rule in OWN if not rule.id.startswith("meta-")], ids=lambda rule: rule.id)
def test_examples_decide_every_part(rule) -> None:  # type: ignore[no-untyped-def]
    assert (cover(rule).wrong, cover(rule).missing) == ((), ())


def test_every_claim_is_proven() -> None:
    found = {proof.claim: proof.verdict for proof in prove(POLICY)}
    assert found == dict.fromkeys(found, "proven")


ADVISE = [
    "--model",
    "bert",
    "--samples",
    "12000",
    "--unlabelled",
    "60000",
    "--device",
    "edge",
    "--policy",
    "company-example",
]
KNOWN = ["--licence", "apache-2.0", "--revision", "86b5e09", "--memory-gb", "4", "--meta", "use=support"]


def test_advice_says_what_is_missing_and_states_it_in_the_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ADVISE, *KNOWN]) == 1
    assert "meta-owner: meta.owner has to be a text: who answers for the model" in capsys.readouterr().err
    assert main([*ADVISE, *KNOWN, "--meta", "owner=ada", "--meta", "requests_per_day=1e3"]) == 0
    recipe, document = loads(capsys.readouterr().out)
    assert recipe.meta == {"owner": "ada", "use": "support", "requests_per_day": 1000.0}
    assert (recipe.model.licence, recipe.model.revision, recipe.hardware.memory_gb) == ("apache-2.0", "86b5e09", 4)
    assert "quantization" in recipe.step_names
    assert review_document(POLICY, recipe, document, Path()).errors == 0


def test_the_licence_of_a_model_card_comes_before_what_the_recipe_says(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlanguage: en\nlicense: cc-by-nc-4.0\n---\n# A model\n")
    (tmp_path / "config.json").write_text(
        '{"model_type": "bert", "hidden_size": 128, "num_attention_heads": 2, "num_hidden_layers": 4, '
        '"intermediate_size": 512, "vocab_size": 1000, "max_position_embeddings": 64, "type_vocab_size": 2}'
    )
    model = probe.model(str(tmp_path))
    assert model.facts.licence == "cc-by-nc-4.0"
    text = RECIPE.replace("google-bert/bert-base-uncased", str(tmp_path)).replace("keep: 8", "keep: 3")
    assert "licence-allows-it" in findings(text)


def test_a_key_that_no_pack_declares_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "new", "ask-the-team", "--pack", str(tmp_path)]) == 0
    file = tmp_path / "ask-the-team.yaml"
    file.write_text(file.read_text().replace('data.samples: "< 1000"', "meta.teem: a*"))
    with (tmp_path / "pack.yaml").open("a") as manifest:
        manifest.write("meta:\n  team: {about: whose it is}\n")
    assert main(["rules", "test", str(tmp_path)]) == 3
    assert "no pack declares meta.teem" in (told := capsys.readouterr().err) and "did you mean 'meta.team'" in told


def test_a_new_rule_is_valid_and_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "ours"
    assert main(["rules", "new", "little-data", "--pack", str(folder)]) == 0
    assert main(["rules", "test", str(folder)]) == 0
    assert main(["rules", "verify", str(folder)]) == 0
    capsys.readouterr()
    assert main(["rules", "new", "little-data", "--pack", str(folder)]) == 3
    assert "is there already" in capsys.readouterr().err
    assert main(["rules", "new", "Little Data", "--pack", str(folder)]) == 3
