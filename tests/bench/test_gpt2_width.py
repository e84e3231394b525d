"""The naive cut that bench/gpt2_width.py measures: as large as the right one, and another model."""

from __future__ import annotations

import students
import torch
from gpt2_width import as_one_matrix

from advisor.compute.structure.surgery import narrow


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
