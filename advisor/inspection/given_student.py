"""A given student: the smaller checkpoint that distillation trains instead of a cut copy of its teacher.

All that its config says against it is known before any weights are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator

from advisor.base.errors import AdviseError, Fault
from advisor.families import registry
from advisor.families.family import Config
from advisor.families.label_head import head_labels
from advisor.inspection.probe import Model


def fitted(teacher: Model, student: Model, labels: int | None, max_tokens: int | None = None) -> Model:
    """The teacher's model with its student.

    Args:
        labels: classes of the task; None where they are not known. max_tokens: that texts are cut to.

    Raises:
        AdviseError: everything that keeps it from being the student.
    """
    place = student.source.source
    if wrong := list(_wrong(teacher, student, labels, max_tokens)):
        raise AdviseError(*(Fault(f"cannot be the student: {message}", place, hint=hint) for message, hint in wrong))
    return teacher._replace(student=student)


def _wrong(teacher: Model, student: Model, labels: int | None, max_tokens: int | None) -> Iterator[tuple[str, str]]:
    """What is wrong, with a remedy."""
    config = student.config
    if config is None:
        yield "its config.json is not here", "give a checkpoint folder, or a Hub id that was downloaded"
        return
    if config.get("auto_map"):
        yield "it comes with code of its own (auto_map), which is not run", "a model of a class of transformers"
        return
    family = registry.of_config(config)
    if family is None:
        why = student.unknown or f"nobody tried {', '.join(registry.uncovered(config))}"
        yield f"its size is not known: {why}", "advise families lists models that are described"
        return
    yield from _head(config, labels)
    own, whole = family.parameters(config, labels or 2), teacher.facts.parameters
    if whole is not None and own >= whole:
        yield f"it has {own:,} parameters, not fewer than its teacher's {whole:,}", "a smaller checkpoint"
    most = family.longest(config)
    if most is not None and max_tokens is not None and max_tokens > most:
        yield f"max_tokens {max_tokens:,} is more than its {most:,} positions", f"training: {{max_tokens: {most}}}"


def _head(config: Config, labels: int | None) -> Iterator[tuple[str, str]]:
    own = head_labels(config)
    if labels is not None and own not in (None, labels):
        yield f"its head has {own} labels, the task has {labels}", "a checkpoint without a head, or of this task"
