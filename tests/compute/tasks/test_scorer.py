"""Every family as a classifier: equal to the stock model, independent of padding, with the right loss."""

from __future__ import annotations

from typing import Any

import pytest
import tiny
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.nn import functional
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
    T5ForConditionalGeneration,
)

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Batch
from advisor.compute.tasks.scorer import Scorer, TextScorer, WordScorer, label_tokens, label_words
from advisor.compute.tasks.text_classification import TextClassification

torch.set_num_threads(1)  # tiny matrices, and a machine that may be busy
WORDS = ((5, 6, 1), (7, 1), (8, 9, 10, 1))


def model(family: str, **more: Any) -> Any:
    """A tiny task model whose random weights are large enough for every token to matter."""
    torch.manual_seed(0)
    wide = {"opt": {"init_std": 0.3}, "t5": {}}.get(family, {"initializer_range": 0.3})
    sizes = {"vocab_size": tiny.VOCABULARY, "num_labels": 3, **tiny.SIZES[family], **wide, "pad_token_id": 0}
    config = AutoConfig.for_model(family, **{**sizes, **more})
    if family == "t5":
        return T5ForConditionalGeneration(config).eval()
    return AutoModelForSequenceClassification.from_config(config).eval()


def scorer(family: str, **more: Any) -> Scorer:
    one = model(family, **more)
    found: Scorer = WordScorer(one, WORDS) if family == "t5" else TextScorer(one)
    return found.eval()


def loss_of(
    one: Scorer, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The task's loss and the scores."""
    batch = Batch({"input_ids": ids, "attention_mask": mask}, labels, torch.arange(len(labels)))
    return TextClassification(("a", "b", "c")).loss(one, batch)


def padded(lengths: tuple[int, ...], fill: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Random rows of these lengths, right-padded with `fill`."""
    torch.manual_seed(1)
    ids = torch.randint(3, tiny.VOCABULARY, (len(lengths), max(lengths)))
    mask = torch.tensor([[1] * length + [0] * (max(lengths) - length) for length in lengths])
    return ids.masked_fill(mask == 0, fill), mask


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("fill", [pytest.param(0, id="pad"), pytest.param(77, id="other token")])
@torch.no_grad()
def test_a_row_does_not_depend_on_its_padding(family: str, fill: int) -> None:
    one, lengths = scorer(family), (9, 4, 1, 17)
    ids, mask = padded(lengths, fill)
    alone = torch.cat([one(ids[i : i + 1, :n], mask[i : i + 1, :n]) for i, n in enumerate(lengths)])
    together = one(ids, mask)
    assert together.shape == (4, 3)
    assert together.std(dim=0).min() > 0.02  # rows differ, so that the equality says something
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", ["bert", "gpt2", "opt"])
@torch.no_grad()
def test_scores_are_the_stock_head_s(family: str) -> None:
    one = scorer(family)
    ids, mask = padded((6, 3))
    torch.testing.assert_close(one(ids, mask), one.model(input_ids=ids, attention_mask=mask).logits)


@pytest.mark.parametrize("scaled", [True, False])
@torch.no_grad()
def test_t5_scores_are_vocabulary_logits_of_first_tokens(scaled: bool) -> None:
    one = scorer("t5")
    one.model.config.scale_decoder_outputs = scaled
    ids, mask = padded((6, 3))
    start = torch.zeros(2, 1, dtype=torch.long)
    whole = one.model(input_ids=ids, attention_mask=mask, decoder_input_ids=start).logits
    torch.testing.assert_close(one(ids, mask), whole[:, 0, [5, 7, 8]])


@pytest.mark.parametrize("family", ["bert", "gpt2", "opt"])
@torch.no_grad()
def test_loss_of_classifiers_is_cross_entropy(family: str) -> None:
    one, labels = scorer(family), torch.tensor([2, 0])
    loss, logits = loss_of(one, *padded((6, 3)), labels)
    torch.testing.assert_close(logits, one(*padded((6, 3))))
    torch.testing.assert_close(loss, functional.cross_entropy(logits, labels))


@torch.no_grad()
@pytest.mark.parametrize("family", ["bert", "gpt2", "opt"])
def test_with_one_label_the_loss_is_the_mean_squared_error(family: str) -> None:
    one = scorer(family, num_labels=1)
    labels = torch.tensor([0.5, 4.0, 2.0])
    loss, logits = loss_of(one, *padded((5, 3, 8)), labels)
    assert logits.shape == (3, 1)
    assert float(loss) == pytest.approx(float(((logits[:, 0] - labels) ** 2).mean()))


def test_loss_of_t5_is_that_of_the_word_with_its_end() -> None:
    one = scorer("t5")
    ids, mask = padded((6, 3))
    loss, logits = loss_of(one, ids, mask, torch.tensor([2, 1]))
    targets = torch.tensor([[8, 9, 10, 1], [7, 1, -100, -100]])
    start = torch.tensor([[0, 8, 9, 10], [0, 7, 1, 0]])  # shifted right: each token is given those before it
    whole = one.model(input_ids=ids, attention_mask=mask, decoder_input_ids=start).logits
    torch.testing.assert_close(loss, functional.cross_entropy(whole.flatten(0, 1), targets.flatten()))
    torch.testing.assert_close(logits, one(ids, mask))


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_few_steps_on_its_loss_move_the_scores_to_the_labels(family: str) -> None:
    one, labels = scorer(family), torch.tensor([0, 1, 2, 1])
    ids, mask = padded((6, 3, 5, 9))
    optimizer = torch.optim.AdamW(one.parameters(), lr=3e-3)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss, logits = loss_of(one, ids, mask, labels)
        losses.append(functional.cross_entropy(logits, labels).item())
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]


def test_around_keeps_the_label_tokens() -> None:
    one = scorer("t5")
    other = one.around(model("t5", num_layers=1))
    assert other.label_tokens == WORDS and len(other.first_tokens) == 3
    assert other.model.config.num_layers == 1


def test_t5_starts_with_its_padding_token_if_its_config_says_nothing() -> None:
    one = scorer("t5", decoder_start_token_id=None)
    assert one(*padded((3,))).shape == (1, 3)
    assert one.model.config.decoder_start_token_id == 0


@pytest.mark.parametrize(
    ("family", "more", "tokens", "message"),
    [
        ("gpt2", {"pad_token_id": None}, (), "gpt2: the config has no pad_token_id"),
        ("t5", {}, (), "t5: text to text needs the tokens of each label's word"),
        ("t5", {}, ((5, 1), ()), "t5: text to text needs the tokens of each label's word"),
    ],
)
def test_faulty_scorers(family: str, more: dict[str, Any], tokens: Any, message: str) -> None:
    with pytest.raises(AdviseError, match=message):
        WordScorer(model(family, **more), tokens) if family == "t5" else TextScorer(model(family, **more))


def spelling(words: list[str], end: str | None = "</s>") -> PreTrainedTokenizerFast:
    """A tokenizer that knows these words whole and no other."""
    vocabulary = {word: number for number, word in enumerate(["<unk>", "</s>", *words])}
    fast = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    fast.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=fast, eos_token=end, unk_token="<unk>")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("negative", "positive"), ("negative", "positive")),
        (("entailment", "not_entailment"), ("entailment", "not entailment")),
        (("not_equivalent", "not_same"), ("0", "1")),
        (("negative", "unheard"), ("0", "1")),
        (("negative", ""), ("0", "1")),
    ],
    ids=["apart", "two words", "begin alike", "unknown", "empty"],
)
def test_label_words(names: tuple[str, ...], words: tuple[str, ...]) -> None:
    known = ["negative", "positive", "entailment", "not", "equivalent", "same", "0", "1"]
    assert label_words(spelling(known), names) == words


def test_labels_that_cannot_be_told_apart() -> None:
    with pytest.raises(AdviseError, match="labels one, two: neither their names nor the numbers 0 to 1"):
        label_words(spelling(["negative"]), ["one", "two"])


def test_label_tokens_end() -> None:
    tokens = spelling(["not", "same"])
    assert label_tokens(tokens, ["not same", "same"]) == ((2, 3, 1), (3, 1))
    with pytest.raises(AdviseError, match="no end token"):
        label_tokens(spelling(["same"], end=None), ["same"])
    with pytest.raises(AdviseError, match=r"the words \[''\] give no token"):
        label_tokens(tokens, [""])


def test_label_tokens_of_a_byte_level_tokenizer_score_in_t5() -> None:
    tokens = tiny.tokenizer("t5")
    words = label_words(tokens, ["asyncio", "email"])
    one = WordScorer(model("t5"), label_tokens(tokens, words)).eval()
    assert words == ("asyncio", "email")
    assert all(word[-1] == tokens.eos_token_id for word in one.label_tokens)
    assert one(*padded((4, 2))).shape == (2, 2)
