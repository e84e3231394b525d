"""Summaries, judged by ROUGE: the mean over rows of the F1 of words (1), pairs (2) and the longest common subsequence.

The library is Google's rouge-score with its Porter stemmer. The length of what is written is reported as a share of the
references' words: a model that writes less scores less, and one that writes too much wastes time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from advisor.compute.tasks.text_to_text import TextToText
from advisor.facts.tasks import Metric

TYPES = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}  # the library's names
# What is recorded of a row: F1 of each kind, 1 for the row, and the words of both texts.
COLUMNS = {"rouge_1": [0, 3], "rouge_2": [1, 3], "rouge_l": [2, 3], "length_ratio": [4, 5]}


@dataclass(frozen=True, slots=True)
class Summarization(TextToText):
    """A short text for a long one."""

    tag: ClassVar[str] = "summarization"
    libraries: ClassVar[tuple[str, ...]] = ("rouge_score",)

    def compared(self, text: str, target: str) -> Sequence[float]:
        found = _rouge().score(target, text)
        scores = [float(found[name].fmeasure) for name in TYPES.values()]
        return [*scores, 1.0, float(len(text.split())), float(len(target.split()))]

    def numbers(self, metric: Metric) -> list[int]:
        return COLUMNS[metric]

    def protocol(self, max_tokens: int) -> str:
        return f"ROUGE of rouge-score with its stemmer, mean of rows; {TextToText.protocol(self, max_tokens)}"


@cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([*TYPES.values()], use_stemmer=True)


TASK = Summarization
