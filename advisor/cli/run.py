"""`advise run RECIPE --data SOURCE --out DIR`: check a recipe against the real model and data, then run it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NoReturn

from advisor.base.errors import AdviseError, OutOfMemory
from advisor.cli import project
from advisor.cli.options import (
    DATA_OPTIONS,
    carbon,
    colour,
    data_columns,
    measuring,
    parser,
    policy,
    requests,
    seconds,
    seeds,
    waivers,
    width,
)
from advisor.records.output_folder import TRACKERS

if TYPE_CHECKING:
    from advisor.api.orders import Order
    from advisor.execution.job import Job
    from advisor.records.results import RunResult
    from advisor.runs.seed_statistics import SeedsResult


def run(arguments: Sequence[str]) -> int:
    """Exit codes: 0 all gates passed, 1 the rules refuse the recipe, 2 wrong input, 4 a gate missed."""
    options = _options(arguments)
    from advisor.api.orders import libraries

    with libraries(), ended_in_order():
        from advisor.compute.machine import processes

        return _take_part(options) if processes.number() else _run(options)


def _run(options: Namespace) -> int:
    from advisor.api.orders import execute, imbalance, prepare
    from advisor.execution.refusals import refuse_impossible
    from advisor.execution.seeds import refuse_past_the_last
    from advisor.report import run_tables as report

    order = _order(options)
    job = prepare(order)
    _show_findings(job, options)
    if job.reviewed.errors:
        return 1
    sys.stderr.writelines(f"note: {note}\n" for note in job.data.notes)
    if warning := imbalance(job):
        sys.stderr.write(f"warning: {warning}\n")
    if options.seeds:
        refuse_past_the_last(job, options.seeds)
    if options.dry_run:
        _refuse_absent(options.train_on)
        refuse_impossible(job)
        report.plan(job.plan)
        return 0
    result = execute(job, order)
    if not options.no_ledger:
        _record(result, options.out)
    _show(result)
    return 0 if result.passed else 4


def _refuse_absent(train_on: str) -> None:
    """Raise an AdviseError where the device to train on is not here, as the run itself would."""
    from advisor.compute.machine.device import pick

    pick(train_on)


def _order(options: Namespace) -> Order:
    from advisor.api.orders import Order, assumptions
    from advisor.records.measuring import Measuring

    if not options.dry_run and options.out is None:
        raise AdviseError("--out is missing", hint="give a new folder for checkpoints and report")
    its = project.of(options)
    return Order(
        options.recipe,
        options.out,
        options.model,
        options.data,
        {name: getattr(options, name) for name in DATA_OPTIONS},
        options.train_on,
        its.rules(str(options.recipe)),
        its.waiving(),
        assumptions(options.country, options.pue, options.embodied_kg, options.lifetime_years),
        options.trust_remote_code,
        options.resume,
        options.checkpoint_seconds,
        options.seeds,
        Measuring(options.measure_seconds or Measuring().seconds, options.power_log, options.protocol),
        options.requests,
        options.sign,
        options.track,
    )


def _show_findings(job: Job, options: Namespace) -> None:
    """Errors and warnings in full, notes as a count: training's own lines follow on the same screen."""
    from advisor.report import findings
    from advisor.report.style import plural

    notes = [one for one in job.reviewed.findings if one.severity == "note"]
    for finding in job.reviewed.findings:
        if finding not in notes:
            sys.stderr.write(findings.text(finding, width(), colour(sys.stderr), job.reviewed.document.text) + "\n")
    if notes:
        policy_ = f" --policy {quote(options.policy)}" if options.policy else ""
        command = f"advise check {quote(str(options.recipe))}{policy_}"
        sys.stderr.write(f"{plural(len(notes), 'note')} on this recipe, shown by: {command}\n")


def _record(result: RunResult | SeedsResult, out: Path) -> None:
    from advisor.api.orders import folders, record_runs

    if warning := record_runs(folders(result, out)):
        sys.stderr.write(f"warning: {warning}\n")


def _show(result: RunResult | SeedsResult) -> None:
    from advisor.records.results import RunResult
    from advisor.report import run_tables, seeds

    run_tables.show(result) if isinstance(result, RunResult) else seeds.show(result)


def _take_part(options: Namespace) -> int:
    """As a further process of `accelerate launch`: say nothing, and leave to the first what is wrong with the input.

    The launcher ends all processes as soon as one fails, even before the first has said why.
    """
    from advisor.api.orders import prepare
    from advisor.execution.seeds import follow

    with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        try:
            job = prepare(_order(options))
            if not job.reviewed.errors and not options.dry_run:
                follow(job, options.out, options.seeds)
        except OutOfMemory:
            raise  # the first process may have enough, and would wait for this one
        except AdviseError:
            return 0
    return 0


def _options(arguments: Sequence[str]) -> Namespace:
    run_ = parser("advise run", "Run a recipe on a real model and real data, and report.")
    run_.add_argument("recipe", type=Path, metavar="RECIPE", help="a recipe file")
    run_.add_argument("--out", type=Path, metavar="DIR", help="a new folder for checkpoints and report")
    run_.add_argument("--model", metavar="M", help="this model instead of the recipe's")
    run_.add_argument("--data", metavar="SOURCE", help="Parquet, CSV, JSONL, a folder of them, or a Hub id")
    run_.add_argument(
        "--train-on",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where to train (default: the best device present)",
    )
    run_.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in --out; only what a changed recipe touches is done again",
    )
    run_.add_argument(
        "--checkpoint-seconds",
        type=seconds,
        default=60.0,
        metavar="S",
        help="save the state of training every S seconds (default: 60; 0: after each batch)",
    )
    run_.add_argument(
        "--seeds", type=seeds, metavar="N", help="run N seeds, each in a folder of its own, and report their spread"
    )
    run_.add_argument(
        "--trust-remote-code", action="store_true", help="execute code that comes with the model's tokenizer"
    )
    run_.add_argument(
        "--sign", type=Path, metavar="KEY", help="sign the finished run with this private Ed25519 key (PEM)"
    )
    run_.add_argument(
        "--track",
        choices=TRACKERS,
        help="keep training curves and results for this tool in DIR/tracking, offline",
    )
    run_.add_argument("--dry-run", action="store_true", help="check and plan only: exact sizes, no weights")
    run_.add_argument("--no-ledger", action="store_true", help="do not record the run (advise history)")
    data_columns(run_)
    carbon(run_)
    measuring(run_)
    requests(run_)
    waivers(run_)
    policy(run_)
    project.configured(run_)
    return run_.parse_args(arguments)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """SIGTERM, as from `docker stop` or `timeout`, ends us as Ctrl-C does: nothing temporary stays behind.

    A launcher of several processes sends it too, but to one that may wait for another and never come to hear of it.
    """
    if "WORLD_SIZE" in os.environ or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
