"""Scorer: a transformers model as its task sees it, from the inputs of a batch to raw scores.

Models with a head give their own logits. A T5 that classifies is text to text: its decoder is fed the start token
alone, and a label's score is the vocabulary logit of the first token of its word.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from advisor.base.errors import AdviseError
from advisor.compute.data.tokenizing import token_ids

IGNORED = -100  # target positions that carry no loss (the convention of torch and transformers)
LabelTokens = tuple[tuple[int, ...], ...]


class Scorer(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """A model with a head. `model`: the stock class, with its own names and weights.

    channels: (hidden), the numbers that its hidden channels had when it was loaded, before some were cut away.
    """

    channels: Tensor  # (hidden)

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.takes_cache = "use_cache" in inspect.signature(model.forward).parameters
        self.register_buffer("channels", torch.arange(model.config.hidden_size), persistent=False)

    def around(self, model: Any) -> Scorer:
        """The same view of another model."""
        return type(self)(model)

    def serve(self, **inputs: Tensor) -> Any:
        """What a request costs: by default the scores."""
        return self(**inputs)

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """The model's raw scores, (batch, …), of the inputs of a batch; padding at the right changes nothing."""
        cache = {"use_cache": False} if self.takes_cache else {}
        scores: Tensor = self.model(*inputs, **named, **cache).logits
        return scores.float()  # under autocast they are bf16, too coarse for softmax and losses


class TextScorer(Scorer):
    """A model that reads tokens and gives one score for each label.

    Raises:
        AdviseError: the config has no padding token.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        if model.config.pad_token_id is None:
            raise AdviseError(
                f"{model.config.model_type}: the config has no pad_token_id, so the last token of a padded row cannot "
                "be found",
                hint="set it to the tokenizer's pad token (GPT-2 has none: its end token serves)",
            )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, labels) of input_ids, attention_mask (batch, tokens), int64; the mask is 0 for padding."""
        # GPT-2 and OPT score at the last token that is not `pad_token_id`, whatever the mask says.
        ids = input_ids.masked_fill(attention_mask == 0, self.model.config.pad_token_id)
        if self.model.config.is_encoder_decoder:
            return self._at_the_end(ids, attention_mask)
        return super().forward(input_ids=ids, attention_mask=attention_mask)

    def _at_the_end(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Scores of BART and its kin, at the last end token; the stock class wants as many of these in every row."""
        given = {"input_ids": input_ids, "attention_mask": attention_mask, "use_cache": False}
        if hasattr(self.model, "_shift_right"):  # T5's kin; BART does so by itself
            given["decoder_input_ids"] = self.model._shift_right(input_ids)
        hidden = self.model.base_model(**given)[0]
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        row = (places * (input_ids == self.model.config.eos_token_id)).argmax(-1)[:, None, None]  # (batch, 1, 1)
        found: Tensor = self.model.classification_head(hidden.gather(1, row.expand(-1, 1, hidden.shape[-1]))[:, 0])
        return found.float()


class WordScorer(TextScorer):
    """A `T5ForConditionalGeneration` as a classifier: each label's score is that of the first token of its word.

    Args:
        label_tokens: each label's word as tokens, end token included (see `label_tokens`).

    Raises:
        AdviseError: label tokens are missing, or the config has no padding token.
    """

    first_tokens: Tensor  # (labels)
    targets: Tensor  # (labels, longest word)

    def __init__(self, model: Any, label_tokens: LabelTokens) -> None:
        super().__init__(model)
        self.label_tokens = label_tokens
        if not (label_tokens and all(label_tokens)):
            kind = model.config.model_type
            raise AdviseError(f"{kind}: text to text needs the tokens of each label's word, got {label_tokens}")
        if getattr(model.config, "decoder_start_token_id", None) is None:
            model.config.decoder_start_token_id = model.config.pad_token_id  # T5's convention
        first = [word[0] for word in label_tokens]
        self.register_buffer("first_tokens", torch.tensor(first, dtype=torch.long), persistent=False)
        self.register_buffer("targets", _padded(label_tokens), persistent=False)

    def around(self, model: Any) -> WordScorer:
        """The same view of another model."""
        return WordScorer(model, self.label_tokens)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, labels) of input_ids, attention_mask (batch, tokens), int64; the mask is 0 for padding."""
        config = self.model.config
        start = torch.full_like(input_ids[:, :1], config.decoder_start_token_id)  # (batch, 1)
        encoded = self.model.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        hidden = self.model.decoder(
            input_ids=start,
            encoder_hidden_states=encoded,
            encoder_attention_mask=attention_mask,
            use_cache=False,
        ).last_hidden_state[:, 0]  # (batch, hidden)
        if getattr(config, "scale_decoder_outputs", False):  # mT5 never does
            hidden = hidden * config.d_model**-0.5
        # The labels' rows alone: the whole head would be a second copy of the vocabulary in an exported file.
        return functional.linear(hidden, self.model.lm_head.weight[self.first_tokens]).float()

    def taught(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of the label words' tokens, each given the ones before it (teacher forcing), and the scores.

        Args:
            input_ids, attention_mask: (batch, tokens). labels: (batch), numbers of labels.

        Returns:
            loss (), scores (batch, labels)
        """
        found = self.model(
            input_ids=input_ids, attention_mask=attention_mask, labels=self.targets[labels], use_cache=False
        )
        return found.loss, found.logits[:, 0, self.first_tokens].float()


def _padded(words: LabelTokens) -> Tensor:
    longest = max((len(word) for word in words), default=0)
    rows = [[*word, *[IGNORED] * (longest - len(word))] for word in words]
    return torch.tensor(rows, dtype=torch.long)


def label_words(tokenizer: Any, label_names: Sequence[str]) -> tuple[str, ...]:
    """A word for each label: its name, or "0", "1", ... for all where two names begin with the same token.

    Raises:
        AdviseError: the first tokens of the numbers collide too, or are unknown to the tokenizer.
    """
    names = tuple(name.replace("_", " ").strip() for name in label_names)
    numbers = tuple(str(number) for number in range(len(names)))
    for words in (names, numbers):
        if _told_apart(tokenizer, words):
            return words
    raise AdviseError(
        f"labels {', '.join(label_names)}: neither their names nor the numbers 0 to {len(names) - 1} "
        "begin with tokens of their own, so T5 cannot tell them apart by one token",
        hint="rename the labels to words that begin differently, or use a tokenizer that knows them",
    )


def _told_apart(tokenizer: Any, words: Iterable[str]) -> bool:
    tokens = [_tokens(tokenizer, word) for word in words]
    first = {ids[0] for ids in tokens if ids and ids[0] != tokenizer.unk_token_id}
    return len(first) == len(tokens)


def _tokens(tokenizer: Any, word: str) -> list[int]:
    return list(token_ids(tokenizer, [word])[0])


def label_tokens(tokenizer: Any, words: Sequence[str]) -> LabelTokens:
    """Each word as tokens, followed by the end token.

    Raises:
        AdviseError: the tokenizer has no end token, or a word gives no token.
    """
    end = tokenizer.eos_token_id
    tokens = [_tokens(tokenizer, word) for word in words]
    empty = [word for word, ids in zip(words, tokens, strict=True) if not ids]
    if end is None or empty:
        why = f"the words {empty} give no token" if empty else "the tokenizer has no end token (eos_token)"
        raise AdviseError(f"labels {', '.join(words)}: {why}", hint="use T5's own tokenizer, and words it knows")
    return tuple((*ids, int(end)) for ids in tokens)
