"""SQuAD's rules: how answers are compared (Rajpurkar et al., EMNLP 2016; the evaluation script of version 1.1)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable

ARTICLES = re.compile(r"\b(a|an|the)\b")
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Lower case, without punctuation, articles and extra blanks."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(NO_PUNCTUATION)).split())


def f1(given: str, wanted: str) -> float:
    """F1 of the words that two answers share."""
    one, other = (normalised(text).split() for text in (given, wanted))
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other)) if shared else float(not one and not other)


def best(given: str, wanted: Iterable[str]) -> tuple[float, float]:
    """F1 and exact match with the answer that suits best."""
    scores = [(f1(given, one), float(normalised(given) == normalised(one))) for one in wanted]
    return max((one for one, _ in scores), default=0.0), max((one for _, one in scores), default=0.0)
