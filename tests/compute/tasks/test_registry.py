"""Tasks by name."""

from __future__ import annotations

import pytest

from advisor.base.errors import AdviseError
from advisor.compute.tasks.registry import runnable, task_class, task_of
from advisor.facts.tasks import TASKS


def test_a_task_is_found_by_its_tag() -> None:
    assert task_of("text-classification", ["no", "yes"]).names == ("no", "yes")
    assert all(task_class(tag).tag == tag for tag in runnable())


def test_a_task_without_a_module_is_refused_with_those_that_can_be_run() -> None:
    with pytest.raises(AdviseError, match="table-guessing can be advised on, but cannot be run yet") as refusal:
        task_class("table-guessing")
    assert "text-classification" in refusal.value.faults[0].hint
    assert set(runnable()) <= set(TASKS)
