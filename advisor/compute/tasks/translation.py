"""Translations, judged by BLEU and chrF of the whole corpus, as sacrebleu computes them.

Both are recorded as the counts of n-grams of each row, from whose sums the metric of the corpus follows exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from advisor.compute.tasks.text_to_text import TextToText
from advisor.facts.tasks import Metric

# sacrebleu's numbers of a row: the lengths in words of both texts, and of the n-grams of 1 to 4 words those that agree
# and all; then for 1 to 6 characters those of the translation, of the reference, and those that agree.
COLUMNS = {"bleu": slice(0, 10), "chrf": slice(10, 28), "length_ratio": slice(0, 2)}


@dataclass(frozen=True, slots=True)
class Translation(TextToText):
    """The same text in another language."""

    tag: ClassVar[str] = "translation"
    libraries: ClassVar[tuple[str, ...]] = ("sacrebleu",)

    def compared(self, text: str, target: str) -> Sequence[float]:
        return [float(number) for one in _metrics() for number in _numbers(one, text, target)]

    def numbers(self, metric: Metric) -> slice:
        return COLUMNS[metric]

    def protocol(self, max_tokens: int) -> str:
        return f"sacrebleu's {signatures()}; {TextToText.protocol(self, max_tokens)}"


def signatures() -> str:
    """What somebody else needs to get the same numbers."""
    bleu, chrf = _metrics()
    bleu.corpus_score(["a"], [["a"]])  # the signature says how many references there were
    chrf.corpus_score(["a"], [["a"]])
    return f"BLEU ({bleu.get_signature()}) and chrF ({chrf.get_signature()})"


@cache
def _metrics() -> tuple[Any, Any]:
    from sacrebleu.metrics import BLEU, CHRF

    return BLEU(), CHRF()


def _numbers(metric: Any, text: str, target: str) -> list[int]:
    found: list[int] = metric._extract_corpus_statistics([text], [[target]])[0]
    return found


TASK = Translation
