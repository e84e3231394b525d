"""The tree of expected errors: each says what, where, expected, got and what to try, and shows no traceback.

AdviseError (exit code 2: wrong use, unreadable or invalid file)
├── OutOfMemory      2   memory did not suffice for what was loaded or computed
├── DiskFull         2   the disk had no room for what was written
├── NotMet           1   advice that cannot meet the goal
├── PolicyError      3   the policy itself is at fault
└── NothingChecked   5   no recipe was checked
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from advisor.base.frozen import frozen

MOST_FAULTS = 100  # of one file that are told: who has more has another file in hand, or made it to be in the way
LONGEST = 80  # characters of a word that a message repeats; nobody misspells a longer one


@frozen
class Fault:
    """One thing that is wrong, and where. Lines and columns count from 1; 0 means unknown. end: first column behind."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        place = self.file + (f":{self.line}:{self.column}" if self.line else "")
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}\n  try: {self.hint}" if self.hint else text


class AdviseError(Exception):
    """An expected error. Carries every fault found, not only the first."""

    exit_code = 2

    def __init__(self, *faults: Fault | str, hint: str = "") -> None:
        self.faults: Sequence[Fault] = [
            Fault(fault, hint=hint) if isinstance(fault, str) else fault for fault in faults
        ]
        super().__init__("\n".join(str(fault) for fault in self.faults))


class OutOfMemory(AdviseError):
    """Memory did not suffice for what was loaded or computed, in this process; others of its run may have enough."""


class DiskFull(AdviseError):
    """The disk had no room for what was written; reported once, however deep folders of runs are nested."""


class NotMet(AdviseError):
    """No admissible recipe meets the goal."""

    exit_code = 1


class PolicyError(AdviseError):
    """The pack is invalid, contradicts itself, or leaves no admissible recipe."""

    exit_code = 3


class NothingChecked(AdviseError):
    """There was nothing to check, which must not look like success."""

    exit_code = 5


def short(text: str) -> str:
    """Text of others in a message: whole, or as much as tells what is meant."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The name that a misspelt word stands for, if one is near. Capitals and hyphens make no difference."""
    import difflib

    if len(str(word)) > LONGEST:
        return None
    names = {_folded(name): name for name in sorted(known)}
    near = difflib.get_close_matches(_folded(word), names, n=1, cutoff=0.6)
    return names[near[0]] if near else None


def _folded(word: object) -> str:
    return str(word).lower().replace("-", "_")


def suggest(word: object, known: Iterable[str]) -> str:
    """'did you mean …?' for a misspelt name, or the list of known names (at most twenty)."""
    names = sorted(known)
    near = nearest(word, names)
    if near:
        return f"did you mean {near!r}?"
    rest = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"known: {', '.join(names[:20])}{rest}"


PRIMITIVE = "could not create a primitive"


def memory_is_out(error: BaseException) -> bool:
    """Whether this error says that memory did not suffice: Python's own, or PyTorch's on a CPU or a GPU.

    PyTorch has a class for it on CUDA alone; elsewhere it is a RuntimeError with these words. oneDNN, which multiplies
    matrices on CPUs, says the last of them where it gets no memory; for what it cannot do, "a primitive descriptor".
    """
    told = str(error).strip()
    says = any(words in told for words in ("out of memory", "can't allocate memory", "ALLOC_FAILED"))
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and (says or told == PRIMITIVE))
