"""T5 1.1 has output embeddings of its own, though transformers' config says that every T5 ties them."""

from __future__ import annotations

import json
from pathlib import Path

import students
import tiny
import torch

from advisor.compute.structure import checkpoint
from advisor.compute.structure.surgery import Kept, keep_layers, narrow
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.text_classification import TextClassification
from advisor.inspection import probe

NAMES = ("no", "yes")


def untied(folder: Path) -> tuple[Scorer, object]:
    """A checkpoint as the Hub has them, loaded."""
    tiny.checkpoint("t5", folder)
    config = json.loads((folder / "config.json").read_text())
    config.pop("scale_decoder_outputs", None)
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    torch.manual_seed(1)
    head = torch.randn(config["vocab_size"], config["d_model"])
    tiny.tamper(folder, lambda tensors: tensors.update({"lm_head.weight": head}))
    return checkpoint.load(folder, students.family("t5"), TextClassification(NAMES))


def test_it_is_counted_exactly_before_weights_load(tmp_path: Path) -> None:
    whole, _ = untied(tmp_path / "t5")
    facts = probe.model(str(tmp_path / "t5")).facts
    assert facts.parameters == checkpoint.parameters(whole.model)
    assert facts.tied_embeddings is False


def test_cut_it_keeps_its_own_output_embeddings_and_comes_back_the_same(tmp_path: Path) -> None:
    whole, tokenizer = untied(tmp_path / "t5")
    family = students.family("t5")
    shape = students.resized(whole, "t5", layers={"encoder": 2, "decoder": 2}, intermediate_size=40)
    config = students.resized(whole, "t5", layers={"encoder": 2, "decoder": 2})
    shallow = keep_layers(whole, family, config, {"encoder": (0, 3), "decoder": (0, 2)})
    kept = {block: torch.arange(40) for block in students.blocks_of(shallow, "t5")}
    smaller = narrow(shallow, family, shape, Kept(intermediate=kept), 12).eval()
    assert torch.equal(smaller.model.lm_head.weight, whole.model.lm_head.weight)
    assert not torch.equal(smaller.model.lm_head.weight, smaller.model.shared.weight)
    checkpoint.save(smaller, tokenizer, tmp_path / "small")
    checkpoint.prove(smaller, tmp_path / "small", students.batch("t5"), family.parameters(shape))
