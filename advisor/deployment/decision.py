"""Gate: may what a run made be deployed? Measured numbers, provenance and a real reload; what is missing fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from advisor.base.errors import AdviseError, Fault
from advisor.deployment import measurements, several_seeds
from advisor.deployment.examination import Examined, Terms, examine
from advisor.deployment.requirements import Demand, Verdict, demands
from advisor.deployment.rules import RECIPE, finding
from advisor.records.run_folder import MANIFEST, SHOWN_ROWS, read, run_below
from advisor.review.findings import Finding
from advisor.review.outcome import Checked
from advisor.runs.summary import warning

FAILED = 4


class Judged(NamedTuple):
    """What the numbers come to. kept: the bounds that are kept, in words. warned: what is to be read before them."""

    wrong: list[Finding]
    kept: tuple[str, ...]
    warned: str = ""


def gate(out: Path, terms: Terms, now: datetime | None = None) -> Checked:
    """Judge the folder of a finished run, or of several seeds by their means.

    Raises:
        AdviseError: there is no such folder, or a file of waivers cannot be read.
    """
    begun = time.monotonic()
    if not out.is_dir():
        raise AdviseError(Fault("no such folder", str(out), hint="give the --out folder of an `advise run`"))
    seeds = several_seeds.folders(out)
    if not seeds and not (out / MANIFEST).is_file() and run_below(out):
        read(out)  # says where the run is
    parts = [examine(folder, terms, now or datetime.now(UTC), bool(seeds)) for folder in seeds or [out]]
    found = [one for wrong, _ in parts for one in wrong]
    runs = [run for _, run in parts if run]
    judged = Judged([], ())
    if len(runs) == len(parts):
        judged = _means(out, runs, terms) if seeds else _numbers(runs[0], terms)
    distinct = {(one.rule, one.message, one.place): one for one in [*found, *judged.wrong]}
    findings = tuple(sorted(distinct.values(), key=lambda one: one.order))
    reviewed = {run.reviewed.document.name: run.reviewed for run in runs}
    return Checked(
        findings,
        tuple(reviewed) or (str(out),),
        terms.policy.stamp,
        terms.policy.rules,
        FAILED if any(one.severity == "error" and one.counts for one in findings) else 0,
        {name: one.document.text for name, one in reviewed.items()},
        reviewed,
        time.monotonic() - begun,
        command="gate",
        kept=judged.kept,
        warned=judged.warned,
        unchecked=tuple(_unchecked(terms, runs)),
    )


def _numbers(run: Examined, terms: Terms) -> Judged:
    wanted = measurements.verdicts(run.result, _demands(run, terms))
    wrong = [*_failing(run, wanted), *measurements.own_gates(run.out, run.result.gates)]
    return Judged([*wrong, *measurements.enough(run.out, run.result)], _kept(wanted), warning(run.result.gates))


def _means(out: Path, runs: Sequence[Examined], terms: Terms) -> Judged:
    """The same of several seeds, by their means."""
    gathered = several_seeds.gathered_again(runs)
    wanted = several_seeds.verdicts(runs, _demands(runs[0], terms))
    wrong = [*several_seeds.unlike(runs), *_failing(runs[0], wanted), *measurements.own_gates(out, gathered.gates)]
    return Judged([*wrong, *measurements.enough(out, runs[0].result)], _kept(wanted), gathered.summary)


def _demands(run: Examined, terms: Terms) -> list[Demand]:
    return list(demands(run.reviewed.recipe, terms.policy, run.reviewed.facts))


def _failing(run: Examined, wanted: Sequence[tuple[Demand, Verdict]]) -> Iterator[Finding]:
    yield from measurements.failing(wanted, run.reviewed.document)
    if not wanted:
        hint = "add gates to the recipe, or a rule that limits gates.relative_accuracy"
        yield finding(RECIPE, "neither the recipe nor the policy has a gate", run.out / "recipe.yaml", hint)


def _kept(wanted: Sequence[tuple[Demand, Verdict]]) -> tuple[str, ...]:
    return tuple(measurements.words(demand, found) for demand, found in wanted if found.state == "passed")


def _unchecked(terms: Terms, runs: Sequence[Examined]) -> Iterator[str]:
    """What this call cannot show."""
    if not terms.key:
        yield (
            f"no --key was given: a folder whose {MANIFEST} was rewritten too cannot be told apart from the run's own; "
            "its times, energy and emissions cannot be measured again here"
        )
    rows = max((run.result.eval_samples for run in runs), default=0)
    if runs and not terms.rescore:
        yield f"the models did not answer the report rows again but for {min(SHOWN_ROWS, rows)} of {rows:,} (--rescore)"
    if runs and terms.without_data:
        yield "the data were not read: rows and labels are those that the run recorded"
