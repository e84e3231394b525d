"""RMS norms of a narrower decoder, with and without times sqrt(N / N'): how far its next tokens move, untrained.

Command: python bench/rescale.py MODEL TEXTS.parquet COLUMN (a folder of a causal language model with RMS norms; a few
minutes for 135 million parameters). Channels of least energy go; KL is that of the next token's distribution from the
whole model's, over all positions of the texts.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from advisor.compute.structure.inference.cutting import Cut, cut_model
from advisor.compute.structure.inference.norms import rescaled
from advisor.compute.structure.proven import proven

TEXTS, TOKENS = 12, 40
KEPT = (7 / 8, 3 / 4)


@torch.no_grad()
def logits(model: Any, texts: list[Tensor]) -> Tensor:
    """Logarithms of the probabilities of every next token: (positions, vocabulary)."""
    return torch.cat([model(text, use_cache=False).logits[0].log_softmax(-1) for text in texts])


def energies(model: Any, texts: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The energy of every hidden channel, summed over blocks and texts, and the logits."""
    found = torch.zeros(model.config.hidden_size)

    def note(_: Any, __: Any, output: Any) -> None:
        states = output[0] if isinstance(output, tuple) else output
        found.add_(states.detach().flatten(0, -2).pow(2).mean(0).sqrt())

    hooks = [block.register_forward_hook(note) for block in model.model.layers]
    whole = logits(model, texts)
    for hook in hooks:
        hook.remove()
    return found, whole


def main() -> None:
    """Print a row for each width."""
    asked = argparse.ArgumentParser()
    for name in ("model", "texts", "column"):
        asked.add_argument(name)
    given = asked.parse_args()
    model = AutoModelForCausalLM.from_pretrained(given.model, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    rows = pq.read_table(given.texts).to_pylist()[:TEXTS]
    texts = [tokenizer(row[given.column], return_tensors="pt").input_ids[:, :TOKENS] for row in rows]
    energy, whole = energies(model, texts)
    proof = proven(type(model), model.config)
    inferred = replace(proof.inferred, structure=proof.structure)
    for share in KEPT:
        count = int(len(energy) * share) // model.config.num_attention_heads * model.config.num_attention_heads
        cut = Cut(kept={("hidden", ""): energy.topk(count).indices.sort().values.tolist()})
        smaller = cut_model(model, inferred, cut).eval()
        plain = smaller.state_dict()
        for how, state in (
            ("plain", {}),
            ("rescaled", rescaled({k: v.clone() for k, v in plain.items()}, inferred, cut)),
        ):
            smaller.load_state_dict({**plain, **state})
            found = logits(smaller, texts)
            moved = float((whole.exp() * (whole - found)).sum(-1).mean())
            same = float((whole.argmax(-1) == found.argmax(-1)).float().mean())
            print(f"{count} of {len(energy)} channels, {how}: KL {moved:.3f}, same next token {same:.1%}")


if __name__ == "__main__":
    main()
