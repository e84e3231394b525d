"""The naive cut that bench/gpt2_width.py measures: as large as the right one, and another model."""

from __future__ import annotations

from pathlib import Path

import students
import torch
from gpt2_width import as_one_matrix
from trials import HERE

from advisor.compute.structure.surgery import narrow
from advisor.policy.pack import find
from advisor.recipe.reader import loads
from advisor.review.review import review_document


def test_a_fused_matrix_that_is_cut_as_one_mixes_query_key_and_value() -> None:
    """Columns 0 to 35 of the 144 are head 0 for it; right are 0 to 11, 48 to 59 and 96 to 107."""
    whole = students.student("gpt2")
    kept = {("heads", f"transformer.h.{block}.attn"): [0] for block in range(4)} | {("hidden", ""): range(12)}
    right = narrow(whole, kept)
    with as_one_matrix():
        wrong = narrow(whole, kept)
    old, good, bad = (one.model.transformer.h[1].attn.c_attn.weight for one in (whole, right, wrong))
    assert torch.equal(bad, old[:12, :36])
    assert torch.equal(good, torch.cat([old[:12, start : start + 12] for start in (0, 48, 96)], dim=1))
    assert torch.equal(narrow(whole, kept).model.transformer.h[1].attn.c_attn.weight, good)


def test_the_pack_of_measurements_lets_matrices_of_gpt2_be_cut() -> None:
    """The command had ended after its first arm: nobody had taken this rule out."""
    steps = "[finetune, {layer_removal: {keep: 4}}, distillation, {matrix_pruning: {hidden_size: 448, increments: 8}}]"
    text = f"version: 1\nname: a\nmodel: {{source: gpt2}}\ndata: {{samples: 20000}}\ndevice: cpu\nsteps: {steps}\n"
    forbidden = {
        pack: "gpt2-layers-only" in {one.rule for one in review_document(find(pack), *loads(text), Path()).findings}
        for pack in ("core", str(HERE / "measuring"))
    }
    assert [*forbidden.values()] == [True, False]
