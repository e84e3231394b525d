"""Tokenizing: the one place where a tokenizer is called, whatever it raises, and however long a text is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError, Fault, OutOfMemory, memory_is_out
from advisor.base.held_output import without_panics

FIRST = 32  # characters a token that are looked at first; English has 4 to 5
# Tokens beyond the cut that are thrown away. Where a text ends inside of a word, its last tokens are others than in the
# whole text; WordPiece makes at most 100 tokens of a word (max_input_chars_per_word).
MARGIN = 256
HINT = "its tokenizer.json does not suit the texts: copy it again, or use the tokenizer of a published model"
CANNOT = "not enough memory to tokenize the texts"


def token_ids(
    tokenizer: Any, texts: Sequence[str], pairs: Sequence[str] | None = None, max_tokens: int | None = None
) -> list[list[int]]:
    """The tokens of texts or of pairs, with special ones, cut to `max_tokens`; without it whole, and no special ones.

    Only the beginning of a long text is tokenized: as much as gives `max_tokens` and a margin.

    Raises:
        AdviseError: the tokenizer fails, as it does where its regular expression takes too long.
        OutOfMemory: there is not enough memory.
    """
    with refused_in_words(tokenizer):
        found: list[list[int]]
        if max_tokens is None:
            found = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
            return found
        if pairs is None:
            firsts, seconds = beginnings(texts, tokenizer, max_tokens), None
        else:
            firsts, seconds = ([beginning(text, tokenizer, max_tokens) for text in side] for side in (texts, pairs))
        found = tokenizer(firsts, seconds, truncation=True, max_length=max_tokens)["input_ids"]
    return found


def target_ids(tokenizer: Any, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
    """The tokens of texts that are to be written, with special ones, cut to `max_tokens`; at least one of each.

    Raises: see `token_ids`.
    """
    if not texts:
        return []
    with refused_in_words(tokenizer):
        firsts = [beginning(text, tokenizer, max_tokens) for text in texts]
        found: list[list[int]] = tokenizer(text_target=firsts, truncation=True, max_length=max_tokens)["input_ids"]
    return [ids or [tokenizer.eos_token_id] for ids in found]


def beginnings(texts: Sequence[str], tokenizer: Any, max_tokens: int) -> list[str]:
    """Texts, of which long ones are cut to what their first `max_tokens` tokens are made of, and a margin."""
    short = FIRST * (max_tokens + MARGIN)
    return [text if len(text) <= short else beginning(text, tokenizer, max_tokens) for text in texts]


def beginning(text: str, tokenizer: Any, max_tokens: int) -> str:
    """The part of a text that its first `max_tokens` tokens are made of, and a margin; the whole text if it is short.

    The tokenizers library keeps all that it cuts off, of a pair each piece of one text with each piece of the other:
    pairs of 9,000 characters that are cut to 16 tokens take minutes and gigabytes.
    """
    length, enough = FIRST * (max_tokens + MARGIN), max_tokens + MARGIN
    if tokenizer.truncation_side != "right" or not tokenizer.is_fast:
        return text
    while True:
        ends = tokenizer(text[:length], add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        if len(ends) > enough:
            return text[: ends[enough][1]]
        if length >= len(text):
            return text
        length *= 4


def require_places(tokenizer: Any) -> None:
    """Raise an AdviseError where a tokenizer does not say where its tokens stand in a text."""
    if not tokenizer.is_fast:
        message = "the tokenizer does not say where its tokens stand in the text"
        raise AdviseError(Fault(message, str(tokenizer.name_or_path), hint="use a tokenizer with a tokenizer.json"))


@contextmanager
def refused_in_words(tokenizer: Any) -> Iterator[None]:
    """Within, whatever the tokenizer raises becomes an error with its file.

    The library is written in Rust: it raises plain `Exception`, and where it panics, a `BaseException` of its own.
    """
    try:
        with without_panics():
            yield
    except (AdviseError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise _refusal(tokenizer, error) from None


def _refusal(tokenizer: Any, error: BaseException) -> AdviseError:
    folder = Path(str(getattr(tokenizer, "name_or_path", "")))
    file = folder / "tokenizer.json"
    place = str(file if file.is_file() else folder)
    if memory_is_out(error):
        return OutOfMemory(Fault(CANNOT, place, hint="give shorter texts, or use a machine with more memory"))
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return AdviseError(Fault(f"cannot tokenize: {reason}", place, hint=HINT))
