"""What a config says of the head that answers with labels: whether it has one, how many labels, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.families.family import Config

HEADS = ("ForSequenceClassification", "ForImageClassification", "ForAudioClassification")
USUAL = "LABEL_"  # how transformers names labels that nobody named


def head_labels(config: Config) -> int | None:
    """How many labels the head in a checkpoint answers with; None where its config names no such head."""
    classes = config.get("architectures")
    if not isinstance(classes, list) or not any(str(one).endswith(HEADS) for one in classes):
        return None
    return len(_named(config)) or int(config.get("num_labels") or 2)


def own_names(config: Config) -> tuple[str, ...]:
    """The labels' names by number; none where nobody named them."""
    names = _named(config)
    usual = tuple(f"{USUAL}{number}" for number in range(len(names)))
    return () if names == usual else names


def order(config: Config, names: Sequence[str], text_to_text: bool = False) -> tuple[int, ...]:
    """For each of the data's labels the number that the model has for it.

    Names that differ in case, or in a hyphen or underscore for a space, are the same. A model that names none is taken
    to number its labels as the data do. A text-to-text model answers with their names, which have to be the same.

    Raises:
        ValueError: it has no head, one for another number of labels, or other names; says which.
    """
    count, own = head_labels(config), own_names(config)
    if text_to_text and own != tuple(names):
        said = f"answers with {', '.join(own)}" if own else "does not say with which words it answers (id2label)"
        raise ValueError(f"it {said}, the labels of the data are {', '.join(names)}")
    if text_to_text:
        return tuple(range(len(names)))
    if count is None:
        raise ValueError("its config names no classification head (architectures)")
    if count != len(names):
        raise ValueError(f"its head has {_labels(count)}, the data have {_labels(len(names))}")
    if not own or count == 1:
        return tuple(range(count))
    numbers = {_plain(name): number for number, name in enumerate(own)}
    wanted = [_plain(name) for name in names]
    if len(numbers) < count or set(wanted) != set(numbers):
        raise ValueError(f"its labels are {', '.join(own)}, those of the data {', '.join(names)}")
    return tuple(numbers[name] for name in wanted)


def matching(config: Config, names: Sequence[str], text_to_text: bool = False) -> str:
    """How a model's labels are matched with the data's, in words; a regression has none."""
    if len(names) == 1:
        return ""
    if not own_names(config):
        said = ", ".join(f"{number} for {name}" for number, name in enumerate(names))
        return f"its config names no labels, so its numbers are taken for the data's: {said}"
    same = order(config, names, text_to_text) == tuple(range(len(names)))
    return "its labels are matched by name" + ("" if same else " and numbered as the data's")


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
