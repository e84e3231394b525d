"""Joined texts: more to distil on, made of the training texts themselves, two in one.

The teacher answers any text, so distillation is not limited to those that have a label. Joined ones are as long as two
and mix their contents: a student that sees them keeps more of what the teacher does on texts that are unlike the
training ones (bench/README.md, quality of the compression). Tang et al., arXiv 1903.12136, made texts for distillation
by masking words and sampling n-grams.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from advisor.compute.data.batches import encode
from advisor.compute.data.dataset import Rows


def joined(rows: Rows, most: int, seed: int) -> Rows:
    """As many as there are rows, at most `most`; none for pairs, whose two texts have a relation to keep."""
    if rows.pairs is not None or not len(rows):
        return rows.take(())
    random_ = random.Random(seed)
    texts = [f"{random_.choice(rows.texts)} {random_.choice(rows.texts)}" for _ in range(min(most, len(rows)))]
    return Rows(tuple(texts), None, (-1,) * len(texts))


def whole(rows: Rows, tokenizers: Iterable[Any], max_tokens: int) -> Rows:
    """The rows of fewer than `max_tokens` tokens by every tokenizer: one that is cut has lost its second text."""
    for tokenizer in tokenizers:
        tokens = encode(rows, tokenizer, max_tokens).tokens
        rows = rows.take(row for row, ids in enumerate(tokens) if len(ids) < max_tokens)
    return rows
