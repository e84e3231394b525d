"""What a config says of the head that a model answers with: for which task, how many labels, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.facts.tasks import SPEECH
from advisor.families.family import LABELLED, WRITTEN, Config, Family

HEADS = ("ForSequenceClassification", "ForImageClassification", "ForAudioClassification")
USUAL = "LABEL_"  # how transformers names labels that nobody named
# How the names of the classes of other tasks end, beside the one that a family's description names.
ENDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys((LABELLED, "image-classification", "audio-classification"), HEADS),
    "token-classification": ("ForTokenClassification",),
    "question-answering": ("ForQuestionAnswering",),
    "text-generation": ("ForCausalLM", "LMHeadModel"),
    WRITTEN: ("ForConditionalGeneration", "LMHeadModel"),
    SPEECH: ("ForConditionalGeneration",),
}
WITHOUT_LABELS = ("question-answering", "text-generation", WRITTEN, SPEECH)


def head_labels(config: Config) -> int | None:
    """How many labels the head in a checkpoint answers with; None where its config names no such head."""
    return _count(config) if _of_class(config, HEADS) else None


def own_names(config: Config) -> tuple[str, ...]:
    """The labels' names by number, "" for a number without one; none where nobody named them."""
    names = _named(config)
    usual = tuple(f"{USUAL}{number}" for number in range(len(names)))
    return () if names == usual else names


def lacks(config: Config, family: Family) -> str:
    """What a config does not name of a model that was fine-tuned for the family's task; empty where it names all."""
    if by_words(family):
        return "" if own_names(config) else "names no labels (id2label)"
    class_ = family.described.tasks[family.task]
    ends = ENDS.get(family.task, ())
    if _of_class(config, (class_, *ends)):
        return ""
    return f"names no {'classification head' if ends == HEADS else class_} (architectures)"


def order(config: Config, names: Sequence[str], family: Family) -> tuple[int, ...]:
    """For each of the data's labels the number that the model has for it; none for a task without labels.

    Names that differ in case, or in a hyphen or underscore for a space, are the same. A model that names none is taken
    to number its labels as the data do. One that classifies by words answers with names, which have to be the same.

    Raises:
        ValueError: it has no head, one for another number of labels, or other names; says which.
    """
    own = own_names(config)
    if by_words(family):
        if own != tuple(names):
            said = f"answers with {', '.join(own)}" if own else "does not say with which words it answers (id2label)"
            raise ValueError(f"it {said}, the labels of the data are {', '.join(names)}")
        return tuple(range(len(names)))
    if lacking := lacks(config, family):
        raise ValueError(f"its config {lacking}")
    return () if family.task in WITHOUT_LABELS else _matched(_count(config), own, names)


def matching(config: Config, names: Sequence[str], family: Family) -> str:
    """How a model's labels are matched with the data's, in words; empty for a regression and a task without labels."""
    if len(names) == 1 or (family.task in WITHOUT_LABELS and not by_words(family)):
        return ""
    if not own_names(config):
        said = ", ".join(f"{number} for {name}" for number, name in enumerate(names))
        return f"its config names no labels, so its numbers are taken for the data's: {said}"
    same = order(config, names, family) == tuple(range(len(names)))
    return "its labels are matched by name" + ("" if same else " and numbered as the data's")


def _matched(count: int, own: Sequence[str], names: Sequence[str]) -> tuple[int, ...]:
    if count != len(names):
        raise ValueError(f"its head has {_labels(count)}, the data have {_labels(len(names))}")
    if not own or count == 1:
        return tuple(range(count))
    for read in (str, _plain):
        numbers = {read(name): number for number, name in enumerate(own)}
        wanted = [read(name) for name in names]
        if len(numbers) == count and set(wanted) == set(numbers):
            return tuple(numbers[name] for name in wanted)
    said = ", ".join(own)
    if "" in own:
        said = f"{', '.join(filter(None, own))}, and number {own.index('')} has no name (id2label)"
    raise ValueError(f"its labels are {said}, those of the data {', '.join(names)}")


def by_words(family: Family) -> bool:
    """Whether a family tells labels by the word that it writes: it does where no other task's head is meant."""
    return family.text_to_text and not family.head


def _of_class(config: Config, ends: tuple[str, ...]) -> bool:
    classes = config.get("architectures")
    return isinstance(classes, list) and any(str(one).endswith(ends) for one in classes)


def _count(config: Config) -> int:
    return len(_named(config)) or int(config.get("num_labels") or 2)


def _named(config: Config) -> tuple[str, ...]:
    found = config.get("id2label")
    if not isinstance(found, Mapping):
        return ()
    by_number = {str(number): str(name) for number, name in found.items()}
    return tuple(by_number.get(str(number), "") for number in range(len(by_number)))


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())


def _labels(count: int) -> str:
    return f"{count} label{'' if count == 1 else 's'}"
