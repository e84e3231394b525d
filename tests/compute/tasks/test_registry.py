"""Tasks are found by their tags, and a tag that somebody made up is an error."""

from __future__ import annotations

import pytest

from advisor.base.errors import AdviseError
from advisor.compute.tasks.registry import runnable, task_class, task_of
from advisor.facts.tasks import TASKS


def test_a_task_is_found_by_its_tag() -> None:
    assert task_of("text-classification", ["no", "yes"]).names == ("no", "yes")
    assert all(task_class(tag).tag == tag for tag in runnable())


def test_a_task_without_a_module_is_refused_with_those_that_can_be_run() -> None:
    left = next(tag for tag in TASKS if tag not in runnable())
    with pytest.raises(AdviseError, match=f"{left} can be advised on, but cannot be run yet") as refusal:
        task_class(left)
    assert "text-classification" in refusal.value.faults[0].hint
    assert set(runnable()) <= set(TASKS)


@pytest.mark.parametrize("tag", ["", "scorer", "text.classification", "../x", "sentence-similarity", "metrics"])
def test_a_tag_that_somebody_made_up_is_an_error(tag: str) -> None:
    with pytest.raises(AdviseError, match="there is no task"):
        task_class(tag)
