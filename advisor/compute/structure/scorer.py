"""Scorer: one view of every model as a classifier, from token numbers to one score for each label.

With one label it is a regression: the score is the number itself.

Models with a classification head give their own logits. T5 is text to text: its decoder is fed the start
token alone, and a label's score is the vocabulary logit of the first token of its word.
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
    """A transformers model as a classifier. `model`: the model itself, with its own names and weights.

    channels: (hidden), the numbers that its hidden channels had when it was loaded, before some were cut away.

    Args:
        model: a `...ForSequenceClassification`, or a `...ForConditionalGeneration` of T5 and its kin.
        label_tokens: for T5, each label's word as tokens, end token included (see `label_tokens`).

    Raises:
        AdviseError: label tokens are missing or not wanted, or a decoder has no padding token.
    """

    channels: Tensor  # (hidden)
    first_tokens: Tensor  # (labels)
    targets: Tensor  # (labels, longest word)

    def __init__(self, model: Any, label_tokens: LabelTokens = ()) -> None:
        super().__init__()
        self.model, self.label_tokens = model, label_tokens
        self.text_to_text = bool(model.config.is_encoder_decoder) and not hasattr(model, "classification_head")
        self.takes_cache = "use_cache" in inspect.signature(model.forward).parameters
        _check(model, label_tokens, self.text_to_text)
        if self.text_to_text and getattr(model.config, "decoder_start_token_id", None) is None:
            model.config.decoder_start_token_id = model.config.pad_token_id  # T5's convention
        self.register_buffer("channels", torch.arange(model.config.hidden_size), persistent=False)
        first = [word[0] for word in label_tokens]
        self.register_buffer("first_tokens", torch.tensor(first, dtype=torch.long), persistent=False)
        self.register_buffer("targets", _padded(label_tokens), persistent=False)

    @property
    def labels(self) -> int:
        """Number of labels."""
        return len(self.label_tokens) or int(self.model.config.num_labels)

    def around(self, model: Any) -> Scorer:
        """The same view of another model."""
        return Scorer(model, self.label_tokens)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Scores of every label, independent of the padding, which has to be at the right.

        Args:
            input_ids, attention_mask: (batch, tokens), int64; the mask is 1 for tokens, 0 for padding.

        Returns:
            logits (batch, labels)
        """
        if not self.text_to_text:
            return self._logits(input_ids, attention_mask)
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

    def loss(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The task's own loss and the scores, in one pass.

        That of `task_loss`; for T5 that of the label word's tokens with the end token, each given the
        ones before it (teacher forcing).

        Args:
            input_ids, attention_mask: (batch, tokens). labels: (batch), numbers of labels, or floats.

        Returns:
            loss (), logits (batch, labels)
        """
        if not self.text_to_text:
            logits = self._logits(input_ids, attention_mask)
            return task_loss(logits, labels), logits
        found = self.model(
            input_ids=input_ids, attention_mask=attention_mask, labels=self.targets[labels], use_cache=False
        )
        return found.loss, found.logits[:, 0, self.first_tokens].float()

    def _logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        # GPT-2 and OPT score at the last token that is not `pad_token_id`, whatever the mask says.
        input_ids = input_ids.masked_fill(attention_mask == 0, self.model.config.pad_token_id)
        cache = {"use_cache": False} if self.takes_cache else {}
        if self.model.config.is_encoder_decoder:
            return self._at_the_end(input_ids, attention_mask)
        logits: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask, **cache).logits
        return logits.float()  # under autocast they are bf16, too coarse for softmax and losses

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


def task_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy; for a regression the mean squared error. logits: (batch, labels), labels: (batch)."""
    if logits.shape[1] == 1:
        return functional.mse_loss(logits[:, 0], labels.to(logits.dtype))
    return functional.cross_entropy(logits, labels)


def _check(model: Any, label_tokens: LabelTokens, text_to_text: bool) -> None:
    kind = model.config.model_type
    if text_to_text and not (label_tokens and all(label_tokens)):
        raise AdviseError(f"{kind}: text to text needs the tokens of each label's word, got {label_tokens}")
    if label_tokens and not text_to_text:
        raise AdviseError(f"{kind}: a model with a classification head takes no label tokens, got {label_tokens}")
    if model.config.pad_token_id is None:
        raise AdviseError(
            f"{kind}: the config has no pad_token_id, so the last token of a padded row cannot be found",
            hint="set it to the tokenizer's pad token (GPT-2 has none: its end token serves)",
        )


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
