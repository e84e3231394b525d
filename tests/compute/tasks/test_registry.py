"""Tasks are found by their tags, and a tag that somebody made up is an error."""

from __future__ import annotations

import pytest

from advisor.base.errors import AdviseError
from advisor.compute.tasks.registry import task_class, task_of
from advisor.facts.tasks import TASKS


def test_a_task_is_found_by_its_tag() -> None:
    assert task_of("text-classification", ["no", "yes"]).names == ("no", "yes")
    assert all(task_class(tag).tag == tag for tag in TASKS)


@pytest.mark.parametrize("tag", ["", "scorer", "text.classification", "../x", "sentence-similarity", "metrics"])
def test_a_tag_that_somebody_made_up_is_an_error(tag: str) -> None:
    with pytest.raises(AdviseError, match="there is no task"):
        task_class(tag)
