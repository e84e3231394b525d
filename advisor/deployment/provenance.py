"""Does the measurement belong to this recipe, this data and this time?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from advisor.base.errors import AdviseError
from advisor.deployment.integrity import AGAIN
from advisor.deployment.rules import DATA, FRESH, RECIPE, finding
from advisor.recipe.reader import load
from advisor.recipe.recipe import Recipe, as_dict
from advisor.records.results import RunResult
from advisor.records.run_folder import REPORT, sha256
from advisor.review.findings import Finding

MAX_AGE = timedelta(days=90)
CLOCKS = timedelta(hours=26)  # by which two machines' clocks and time zones may differ
UNITS = {"d": "days", "h": "hours", "w": "weeks"}
# Parts that say where things are, not what is done.
PLACES = ("name", "policy", "history", "waivers")


def to_age(text: str) -> timedelta:
    """An age as people write it: 90, 90d, 12h, 2w.

    Raises:
        ValueError: it is none of these.
    """
    match = re.fullmatch(r"(\d{1,6})\s*([dhw]?)", text.strip())
    if not match:
        raise ValueError(f"expected an age such as 90d, 12h or 2w, got {text!r}")
    return timedelta(**{UNITS[match[2] or "d"]: int(match[1])})


def same_recipe(out: Path, result: RunResult, theirs: Recipe | None) -> Iterator[Finding]:
    """The report against the recipe in the folder and, if given, the one that is to be shipped."""
    file = out / "recipe.yaml"
    if file.is_file() and sha256(file) != result.recipe_sha256:
        yield finding(RECIPE, "recipe.yaml is not the recipe that the report was made for (another hash)", file, AGAIN)
    if theirs and file.is_file() and (changed := _changed(theirs, load(file)[0])):
        told = f"the run was made by another recipe than {theirs.name}: {', '.join(changed)} differ"
        yield finding(RECIPE, told, file, "run the recipe that is to be shipped")


def _changed(one: Recipe, other: Recipe) -> list[str]:
    """The parts of two recipes that differ in what is done. Where model and data lie may differ."""
    left, right = (_effect(as_dict(recipe)) for recipe in (one, other))
    return sorted(name for name in {*left, *right} if left.get(name) != right.get(name))


def _effect(parts: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in parts.items() if name not in (*PLACES, "data", "model")}
    return {**kept, "data.max_samples": parts.get("data", {}).get("max_samples")}


def fresh(out: Path, result: RunResult, max_age: timedelta, now: datetime) -> Iterator[Finding]:
    """The age of the measurement. Whether it is older than weights or recipe, their hashes tell better than clocks."""
    try:
        finished = datetime.fromisoformat(result.finished).astimezone(UTC)
    except ValueError:
        yield finding(FRESH, f"when the run finished is not known: got {result.finished!r}", out / REPORT, AGAIN)
        return
    age = now - finished
    if age > max_age:
        told = f"measured {age.days:,} days ago ({finished:%Y-%m-%d}), at most {max_age.days:,} are allowed"
        yield finding(FRESH, told, out / REPORT, f"{AGAIN}; or --max-age {age.days + 1}d")
    elif age < -CLOCKS:
        yield finding(FRESH, f"measured in the future: {finished:%Y-%m-%d}", out / REPORT, "set the clock right")


def same_data(out: Path, result: RunResult, recipe: Recipe, source: str | None) -> Iterator[Finding]:
    """The hash of the rows that the data gives now against the one that was measured.

    source: None reads the recipe's data where it lies.
    """
    wanted = source or recipe.data.source
    measured = result.provenance.get("data_sha256")
    if not wanted or not measured:
        yield finding(DATA, "which data it was measured on is not recorded", out / REPORT, AGAIN)
        return
    try:
        found = _fingerprint(recipe, wanted)
    except AdviseError as error:
        told = "; ".join(fault.message for fault in error.faults)
        hint = "--data SOURCE where it lies now; --without-data where it cannot be had"
        yield finding(DATA, f"the data {wanted} cannot be compared: {told}", out / REPORT, hint)
        return
    if found != measured:
        told = f"the rows of {wanted} are not those that were measured: {found[:12]}…, not {str(measured)[:12]}…"
        yield finding(DATA, told, out / REPORT, f"{AGAIN} on this data")


def _fingerprint(recipe: Recipe, source: str) -> str:
    from advisor.inspection.recipe_data import read_data

    return read_data(recipe, source).fingerprint
