"""Does the measurement belong to this recipe, this data and this time?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.errors import AdviseError
from advisor.deployment.recomputation import Predictions
from advisor.deployment.rules import DATA, FRESH, RECIPE, finding
from advisor.facts.facts import DataFacts
from advisor.facts.tasks import metrics
from advisor.inspection.recipe_data import read_data
from advisor.recipe.recipe import Recipe
from advisor.records.results import RunResult
from advisor.records.run_folder import AGAIN, PREDICTIONS, REPORT, row_ids, rows_sha256, sha256
from advisor.records.training_settings import MOST_SEED
from advisor.review.findings import Finding

if TYPE_CHECKING:
    from advisor.compute.data.dataset import TaskData

MAX_AGE = timedelta(days=90)
CLOCKS = timedelta(hours=26)  # by which two machines' clocks and time zones may differ
UNITS = {"d": "days", "h": "hours", "w": "weeks"}


def to_age(text: str) -> timedelta:
    """An age as people write it: 90, 90d, 12h, 2w.

    Raises:
        ValueError: it is none of these.
    """
    match = re.fullmatch(r"(\d{1,6})\s*([dhw]?)", text.strip())
    if not match:
        raise ValueError(f"expected an age such as 90d, 12h or 2w, got {text!r}")
    return timedelta(**{UNITS[match[2] or "d"]: int(match[1])})


def own_recipe(out: Path, result: RunResult) -> Iterator[Finding]:
    """The report against the recipe in the folder."""
    file = out / "recipe.yaml"
    if file.is_file() and sha256(file) != result.recipe_sha256:
        yield finding(RECIPE, "recipe.yaml is not the recipe that the report was made for (another hash)", file, AGAIN)


def own_metric(out: Path, result: RunResult, recipe: Recipe, data: DataFacts) -> Iterator[Finding]:
    """Every model was judged by the metric that the recipe or its data ask for."""
    wanted = recipe.data.metric or metrics(recipe.data.source, data.task, data.problem_type)[0]
    for step in result.steps:
        if step.metric != wanted:
            what = f"{step.words} is judged by {step.metric}, its recipe and data ask for {wanted}"
            yield finding(RECIPE, what, out / REPORT, AGAIN)


def fresh(out: Path, result: RunResult, max_age: timedelta, now: datetime) -> Iterator[Finding]:
    """The age of the measurement. Hashes, not clocks, show whether weights or recipe changed since."""
    try:
        finished = datetime.fromisoformat(result.finished).astimezone(UTC)
    except (ValueError, OverflowError):  # a time zone may carry the years 1 and 9999 past the calendar's ends
        yield finding(FRESH, f"when the run finished is not known: got {result.finished!r:.60}", out / REPORT, AGAIN)
        return
    age = now - finished
    if age > max_age:
        what = f"measured {age.days:,} days ago ({finished:%Y-%m-%d}), at most {max_age.days:,} are allowed"
        yield finding(FRESH, what, out / REPORT, f"{AGAIN}; or --max-age {age.days + 1}d")
    elif age < -CLOCKS:
        yield finding(FRESH, f"measured in the future: {finished:%Y-%m-%d}", out / REPORT, "set the clock right")


def own_data(out: Path, result: RunResult, recipe: Recipe, source: str | None) -> tuple[TaskData | None, list[Finding]]:
    """The data as it is now, and what it says against the hash of the rows that were measured.

    source: None reads the recipe's data where it lies.
    """
    wanted = source or recipe.data.source
    measured = result.provenance.get("data_sha256")
    if not wanted or not measured:
        return None, [finding(DATA, "which data it was measured on is not recorded", out / REPORT, AGAIN)]
    try:
        found = read_data(_split_as_measured(recipe, result), wanted)
    except AdviseError as error:
        what = "; ".join(fault.message for fault in error.faults)
        hint = "--data SOURCE where it lies now; --without-data where it cannot be had"
        return None, [finding(DATA, f"the data {wanted} cannot be compared: {what}", out / REPORT, hint)]
    if found.fingerprint == measured:
        return found, []
    what = f"the rows of {wanted} are not those that were measured: {found.fingerprint[:12]}…, not {measured!s:.12}…"
    return None, [finding(DATA, what, out / REPORT, f"{AGAIN} on this data")]


def _split_as_measured(recipe: Recipe, result: RunResult) -> Recipe:
    """The recipe with the seed that the data was split by: of several seeds' runs that of the first."""
    seed = result.provenance.get("split_seed", recipe.training.seed)
    known = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed <= MOST_SEED
    return replace(recipe, training=replace(recipe.training, seed=seed)) if known else recipe


def same_rows(out: Path, given: Predictions, data: TaskData) -> Iterator[Finding]:
    """The predictions are of the data's report rows, with their labels, in their order."""
    rows = data.report
    numbers = all(isinstance(label, int | float) for label in rows.labels)
    if numbers != given.of_labels or (numbers and list(given.labels) != [float(label) for label in rows.labels]):
        yield finding(DATA, "the labels of the predictions are not those of the report rows", out / PREDICTIONS, AGAIN)
    elif given.rows_sha256 != rows_sha256(rows.contents(), rows.labels) or (
        given.ids and list(given.ids) != row_ids(rows.contents())
    ):
        yield finding(DATA, "the predictions are of other texts than the report rows", out / PREDICTIONS, AGAIN)


def same_facts(out: Path, stated: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    """facts.json against what the folder, and the data where they are at hand, show now."""
    for name, value in found.items():
        if value is not None and stated.get(name) != value:
            what = f"facts.json has {name} {stated.get(name)!r:.60}, and it is {value!r:.60}"
            yield finding(RECIPE, what, out / "facts.json", AGAIN)
