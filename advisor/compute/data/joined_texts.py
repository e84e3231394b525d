"""Joined texts: more to distil on, made of the training texts themselves, two in one.

The teacher answers any text, so distillation is not limited to those that have a label. Joined ones are as long as two
and mix their contents: a student that sees them keeps more of what the teacher does on texts that are unlike the
training ones (bench/README.md, quality of the compression). Tang et al., arXiv 1903.12136, made texts for distillation
by masking words and sampling n-grams.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from advisor.compute.data.batches import Encoded
from advisor.compute.data.dataset import Rows


def joined(rows: Rows, most: int, seed: int) -> Rows:
    """As many as there are rows, at most `most`; none for pairs, whose two texts have a relation to keep.

    A text is a str, or a tuple of words.
    """
    if rows.pairs is not None or not len(rows):
        return rows.take(())
    random_ = random.Random(seed)
    both = [(random_.randrange(len(rows)), random_.randrange(len(rows))) for _ in range(min(most, len(rows)))]
    texts = tuple(_joined(*(rows.texts[row] for row in pair)) for pair in both)
    # Each word of tagged ones has a label of its own, which the teacher replaces.
    labels = tuple((0,) * len(text) if isinstance(text, tuple) else -1 for text in texts)
    return Rows(texts, None, labels)


def _joined(one: Any, other: Any) -> Any:
    return one + other if isinstance(one, tuple) else f"{one} {other}"


def whole(rows: Rows, encodings: Iterable[Callable[[Rows], Encoded]], max_tokens: int) -> Rows:
    """The rows of fewer than `max_tokens` tokens however they are encoded: one that is cut has lost its second text."""
    for encode in encodings:
        tokens = encode(rows).tokens
        rows = rows.take(row for row, ids in enumerate(tokens) if len(ids) < max_tokens)
    return rows
