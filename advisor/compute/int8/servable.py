"""Servable: a copy of a scorer in the form that runtimes and int8 work best on. The answers stay the same."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from advisor.compute.tasks.scorer import Scorer, TextScorer


def servable(scorer: Scorer) -> Scorer:
    """A copy on the CPU in fp32, with attention written out and every matrix in an `nn.Linear`.

    GPT-2 keeps its matrices in `Conv1D`, transposed, where PyTorch's own int8 finds nothing to quantize. The default
    attention would be exported with safeguards against rows that are masked whole, which no row is. A decoder scores
    the last token alone.
    """
    found: Scorer = copy.deepcopy(scorer).to("cpu", torch.float32).eval()
    found.model.set_attn_implementation("eager")
    if isinstance(found, TextScorer) and hasattr(found.model, "score"):
        found = LastToken(found.model)
    for module in list(found.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Conv1D):
                setattr(module, name, _linear(child))
    return found


class AnswerRow(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """Picks a row, in a node of its own name, by which `answer_rows` finds it in an exported graph."""

    def forward(self, hidden: Tensor, row: Tensor) -> Tensor:
        """hidden: (batch, tokens, hidden); row: (batch, 1, hidden), its number. Gives (batch, 1, hidden)."""
        return hidden.gather(1, row)


class LastToken(TextScorer):
    """GPT-2 and OPT, whose stock classes score all tokens and then pick the last: here it is picked before."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.answer_row = AnswerRow()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, labels) of input_ids, attention_mask (batch, tokens)."""
        hidden = self.model.base_model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False)[0]
        place = torch.arange(input_ids.shape[1], device=input_ids.device)
        counts = attention_mask.bool() & (input_ids != self.model.config.pad_token_id)  # as the stock classes count
        last = (place * counts).argmax(-1, keepdim=True)  # (batch, 1)
        row = last[:, :, None].expand(-1, 1, int(hidden.shape[-1]))
        scores: Tensor = self.model.score(self.answer_row(hidden, row)[:, 0])
        return scores.float()


def _linear(conv: Any) -> nn.Linear:
    inputs, outputs = conv.weight.shape
    linear = nn.Linear(inputs, outputs, device="meta")
    linear.weight, linear.bias = nn.Parameter(conv.weight.detach().T.contiguous()), conv.bias
    return linear


def matrices(model: Any) -> tuple[str, ...]:
    """Names of all `nn.Linear` but those that are an embedding table as well: T5's head is read row by row."""
    tables = {id(one.weight) for one in model.modules() if isinstance(one, nn.Embedding)}
    return tuple(
        name
        for name, one in model.named_modules()
        if isinstance(one, nn.Linear) and id(one.weight) not in tables and not name.endswith("lm_head")
    )
