"""Words that people misspell: the name that a word certainly means, and the one that it nearly spells.

Certain is a word with other capitals, hyphens or underscores, or with one slip in a long part of it. `label` for
`labels` is such a slip; `gb` for `mb` and `labelled` for `unlabelled` are other words.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from advisor.base.errors import LONGEST

LONG = 5  # letters of a part in which one slip leaves no doubt; shorter ones are one slip away from other words
NEAR, CLEARLY = 0.7, 0.05  # least likeness of two words, and how much less like the next one has to be
UNITS = ("mb", "ms")  # a word with another unit in its place is another measure


def certain(word: str, known: Collection[str]) -> str | None:
    """The one name that a word means under every reading."""
    if len(word) > LONGEST:
        return None
    same = [name for name in known if _folded(name) == _folded(word)]
    if same:
        return same[0] if len(same) == 1 else None
    near = [name for name in known if _one_slip_apart(_parts(word), _parts(name))]
    return near[0] if len(near) == 1 and _initials(near[0]) == _initials(word) else None


def clear(word: str, known: Collection[str]) -> str | None:
    """The one name that a word nearly spells; None where there is none, or where two are about as near."""
    if len(word) > LONGEST:
        return None
    near = sorted(((_likeness(word, name), name) for name in known), reverse=True)
    if not near or near[0][0] < NEAR or (len(near) > 1 and near[0][0] - near[1][0] < CLEARLY):
        return None
    return near[0][1]


def _folded(word: str) -> str:
    return re.sub(r"[-_ ]", "", word).lower()


def _parts(word: str) -> list[str]:
    return re.split(r"[-_ ]", word.lower())


def _initials(word: str) -> list[str]:
    """The first letters of a word's parts: people rarely slip there, and `height` is another word than `weight`."""
    return [part[:1] for part in _parts(word)]


def _likeness(word: str, name: str) -> float:
    """How alike two words are, from 0 to 1; 0 where one says the opposite, another unit, or more than the other."""
    given, right = _parts(word), _parts(name)
    if len(given) == len(right):
        pairs = list(zip(given, right, strict=True))
        if any(_other_word(one, other) for one, other in pairs):
            return 0
    elif set(right) < set(given) or set(given) < set(right):
        return 0
    return difflib.SequenceMatcher(None, _folded(word), _folded(name)).ratio()


def _other_word(given: str, right: str) -> bool:
    """Is one part of a word not a misspelling of the other?"""
    if given == right:
        return False
    unlike = difflib.SequenceMatcher(None, given, right).ratio() < NEAR
    return unlike or right in UNITS or (len(given) != len(right) and (given.endswith(right) or right.endswith(given)))


def _one_slip_apart(given: list[str], right: list[str]) -> bool:
    wrong = [pair for pair in zip(given, right, strict=False) if pair[0] != pair[1]]
    return len(given) == len(right) and len(wrong) == 1 and _one_slip(*wrong[0])


def _one_slip(given: str, right: str) -> bool:
    """Is it one letter too few, too many or wrong, or two that changed places?"""
    if len(right) < LONG or not given.isalpha():
        return False
    start = next((at for at, pair in enumerate(zip(given, right, strict=False)) if pair[0] != pair[1]), None)
    if start is None:  # one begins with the other
        return abs(len(given) - len(right)) == 1
    swapped = given[:start] + given[start : start + 2][::-1] + given[start + 2 :]
    return right in (swapped, given[:start] + right[start] + given[start:]) or given[start + 1 :] in (
        right[start:],
        right[start + 1 :],
    )
