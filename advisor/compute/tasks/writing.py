"""Writing: models that write texts, with the tokenizer that turns what they write into words."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig

from advisor.base.errors import AdviseError
from advisor.compute.data.labels import Rows
from advisor.compute.data.tokenizing import token_ids
from advisor.compute.tasks.languages import begin_in
from advisor.compute.tasks.scorer import Scorer
from advisor.facts.tasks import PARAMS

COMPARED_BY = "the probabilities of the tokens of texts"
SAME = "as probable as to fp32, within 0.05, are {:.1%} of the tokens of the selection rows"
MOST_READ = 4096  # tokens of a text that is continued by a model without a limit


def keep_settings(model: Any, tag: str, **settings: Any) -> None:
    """Save with a model what it is for, and how its texts are read and written, as T5's configs do."""
    setattr(model.config, PARAMS, {tag: settings})


def writing_as(model: Any, other: Any) -> Any:
    """The model, which writes as another one of its kind: by what its checkpoint says of tokens, lengths and languages.

    transformers' `generate` takes from there whatever it is not told.
    """
    if getattr(other, "generation_config", None) is not None:
        model.generation_config = copy.deepcopy(other.generation_config)
    return model


def alone(tag: str, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
    """What a model that writes is asked.

    Raises:
        AdviseError: there are second texts.
    """
    if pairs is not None:
        raise AdviseError(f"{tag} reads one text at a time: there are no pairs", hint="load(…)(texts)")
    return Rows(tuple(texts), None, ("",) * len(texts))


def chances(scores: Tensor, tokens: Tensor) -> Tensor:
    """How probable the tokens of texts are, (tokens, 1), by scores (tokens, vocabulary)."""
    found: Tensor = scores.float().softmax(dim=-1).gather(1, tokens.to(scores.device)[:, None]).cpu()
    return found


class Writer(Scorer):
    """A model with output embeddings. processor: its tokenizer."""

    def __init__(self, model: Any, processor: Any) -> None:
        super().__init__(model)
        self.processor = processor

    def around(self, model: Any) -> Writer:
        return type(self)(model, self.processor)

    @torch.no_grad()
    def generated(self, inputs: Mapping[str, Tensor], settings: GenerationConfig) -> Tensor:
        """The tokens that it writes for a batch: (batch, tokens)."""
        found: Tensor = self.model.generate(**inputs, generation_config=settings)
        return found


class CausalScorer(Writer):
    """A model that continues texts. Its scores are those of the token after each one: (batch, tokens, vocabulary)."""

    def continued(self, texts: Sequence[str], max_new_tokens: int) -> list[str]:
        """How texts go on, the most likely token each time. Shorter ones are padded at the left."""
        first = self.processor.bos_token_id
        ids = [[*([] if first is None else [first]), *one] for one in token_ids(self.processor, texts)]
        ids = [one[-self._longest(max_new_tokens) :] or [self.processor.eos_token_id] for one in ids]
        longest, pad = max(map(len, ids)), self.processor.pad_token_id
        device = self.channels.device
        inputs = {
            "input_ids": torch.tensor([[pad] * (longest - len(one)) + one for one in ids], device=device),
            "attention_mask": torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in ids], device=device),
        }
        written = self.generated(inputs, greedy(self.processor, max_new_tokens))[:, longest:]
        found: list[str] = self.processor.batch_decode(written, skip_special_tokens=True)
        return found

    def _longest(self, max_new_tokens: int) -> int:
        """The most tokens of a text that leave positions for what is written; of longer ones the end is read."""
        positions = getattr(self.model.config, "max_position_embeddings", None)
        return max(1, (positions or max_new_tokens + MOST_READ) - max_new_tokens)


class Seq2SeqScorer(Writer):
    """A model that reads one text and writes another.

    Its scores are those of each token of the target, given the ones before it: (batch, target, vocabulary).
    """

    def __init__(self, model: Any, processor: Any, beams: int = 1, max_new_tokens: int = 64) -> None:
        super().__init__(model, processor)
        self.beams, self.max_new_tokens = beams, max_new_tokens

    def around(self, model: Any) -> Seq2SeqScorer:
        return Seq2SeqScorer(model, self.processor, self.beams, self.max_new_tokens)

    def written(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> list[str]:
        """The text that it writes for each of a batch."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        settings = greedy(self.processor, self.max_new_tokens)
        settings.num_beams = self.beams
        settings.decoder_start_token_id = self.model.config.decoder_start_token_id
        begin_in(self.processor, settings)
        found: list[str] = self.processor.batch_decode(self.generated(inputs, settings), skip_special_tokens=True)
        return found

    def serve(self, **inputs: Tensor) -> Tensor | Sequence[str]:
        return self.written(**inputs)


def greedy(processor: Any, max_new_tokens: int) -> GenerationConfig:
    """The most likely token each time, until the text ends or is so long."""
    return GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        pad_token_id=processor.pad_token_id,
        eos_token_id=processor.eos_token_id,
        bos_token_id=processor.bos_token_id,
    )
