"""Tasks are found by their tags, and a tag that somebody made up is an error."""

from __future__ import annotations

import pytest

from advisor.base.errors import AdviseError
from advisor.compute.tasks.registry import task_class, task_of


@pytest.mark.parametrize("tag", ["text-classification", "token-classification", "question-answering"])
def test_tags(tag: str) -> None:
    assert task_of(tag, ("a", "b")).tag == tag


@pytest.mark.parametrize("tag", ["", "scorer", "text.classification", "../x", "sentence-similarity", "metrics"])
def test_no_task(tag: str) -> None:
    with pytest.raises(AdviseError, match="there is no task"):
        task_class(tag)
