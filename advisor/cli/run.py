"""`advise run RECIPE --data SOURCE --out DIR`: judge a recipe by the real model and data, then carry it out."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from advisor.base.errors import AdviseError, OutOfMemory
from advisor.cli.options import assumed, carbon, colour, data_columns, parser, policy, seconds, seeds, waivers, width
from advisor.inspection.probe import needs_run

if TYPE_CHECKING:
    from advisor.execution.job import Job
    from advisor.recipe.recipe import Recipe
    from advisor.records.results import RunResult


def run(arguments: Sequence[str]) -> int:
    """Exit codes: 0 all gates passed, 1 the rules refuse the recipe, 2 wrong input, 4 a gate missed."""
    options = _options(arguments)
    needs_run("advise run")
    _prepare_libraries()
    from advisor.compute.machine import processes

    with _scratch(), _ended_in_order():
        return _take_part(options) if processes.number() else _run(options)


def _run(options: Namespace) -> int:
    from advisor.execution.seeds import refuse_past_the_last
    from advisor.report import findings
    from advisor.report import run_tables as report

    job, text = _job(options)
    for finding in job.reviewed.findings:
        sys.stderr.write(findings.text(finding, width(), colour(sys.stderr), text) + "\n")
    if job.reviewed.errors:
        return 1
    if warned := _imbalance(job):
        sys.stderr.write(f"warning: {warned}\n")
    if options.seeds:
        refuse_past_the_last(job, options.seeds)
    if options.dry_run:
        report.plan(job.plan)
        return 0
    return _carry_out(job, options)


def _imbalance(job: Job) -> str:
    """What to know of the report rows' labels before hours of training."""
    from advisor.compute.tasks.balance import imbalance

    asked = job.recipe.gates and job.recipe.gates.kept_beyond_chance
    return "" if asked else imbalance(job.metrics[0], job.data.report.labels, job.data.label_names)


def _job(options: Namespace) -> tuple[Job, str]:
    """The job that the command line asks for, and the recipe's text."""
    from advisor.compute.measure.energy import grid_year
    from advisor.execution.job import excused, prepare
    from advisor.inspection.recipe_data import read_data
    from advisor.policy.pack import find
    from advisor.recipe.reader import load
    from advisor.review.waivers.apply import Waiving

    carbon_ = assumed(options)
    grid_year(carbon_.country)
    recipe, document = load(options.recipe)
    recipe = _overridden(recipe, options)
    if recipe.data.source is None:
        raise AdviseError(
            document.fault("data.source is missing, and no --data was given", ("data",), "advise run … --data FOLDER")
        )
    if not options.dry_run and options.out is None:
        raise AdviseError("--out is missing", hint="give a new folder for checkpoints and report")
    data = read_data(recipe, base=options.recipe.parent)
    base = Path() if options.model or Path(recipe.model.source).exists() else options.recipe.parent
    rules = find(options.policy)
    waiving = Waiving(date.today(), not options.no_inline, options.waivers, options.waiver_days)
    job = excused(prepare(rules, recipe, document, data, base, options.train_on), rules, waiving)
    return replace(job, trust_remote_code=options.trust_remote_code, assumed=carbon_), document.text


def _carry_out(job: Job, options: Namespace) -> int:
    from advisor.deployment.signature import private_key, sign
    from advisor.execution import executor
    from advisor.execution import seeds as several
    from advisor.report import card as model_card
    from advisor.report import run_tables as report
    from advisor.report import seeds as report_seeds
    from advisor.report.progress import watch
    from advisor.runs.seed_statistics import SeedsResult

    def card(result: RunResult) -> str:
        license_ = model_card.base_license(job.model.folder)
        return model_card.text(result, job.recipe, job.reviewed.facts.data, license_)

    key = private_key(options.sign) if options.sign else None  # before hours of work
    how = {"card": card, "resume": options.resume, "save_every": options.checkpoint_seconds}
    if options.seeds:
        result = watch(several.run(job, options.out, options.seeds, **how))
    else:
        result = watch(executor.run(job, options.out, **how))
    report_seeds.show(result) if isinstance(result, SeedsResult) else report.show(result)
    folders = [options.out / path for path in (result.paths if isinstance(result, SeedsResult) else ("",))]
    if key is not None:
        for folder in folders:
            sign(folder, key)
    if not options.no_ledger:
        _recorded(folders)
    return 0 if result.passed else 4


def _take_part(options: Namespace) -> int:
    """As a further process of `accelerate launch`: say nothing, and leave to the first what is wrong with the input.

    The launcher ends all processes as soon as one fails, even before the first has said why.
    """
    from advisor.execution.seeds import follow

    with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        try:
            job, _ = _job(options)
            if not job.reviewed.errors and not options.dry_run:
                follow(job, options.out, options.seeds)
        except OutOfMemory:
            raise  # the first process may have enough, and would wait for this one
        except AdviseError:
            return 0
    return 0


def _options(arguments: Sequence[str]) -> Namespace:
    run_ = parser("advise run", "Carry a recipe out on a real model and real text, and report.")
    run_.add_argument("recipe", type=Path, metavar="RECIPE")
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
        help="go on with the run in --out; only what a changed recipe touches is redone",
    )
    run_.add_argument(
        "--checkpoint-seconds",
        type=seconds,
        default=60.0,
        metavar="S",
        help="save the state of training so often (default: 60; 0: after each batch)",
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
    run_.add_argument("--dry-run", action="store_true", help="check and plan only: exact sizes, no weights")
    run_.add_argument("--no-ledger", action="store_true", help="do not record the run (advise history)")
    data_columns(run_)
    carbon(run_)
    waivers(run_)
    policy(run_)
    return run_.parse_args(arguments)


def _overridden(recipe: Recipe, options: Namespace) -> Recipe:
    """The recipe with what the command line says instead of it."""
    model = replace(recipe.model, source=options.model, family=None) if options.model else recipe.model
    given = {
        "source": options.data,
        "text": options.text,
        "pair": options.pair,
        "label": options.label,
        "max_samples": options.max_samples,
    }
    data = replace(recipe.data, **{name: value for name, value in given.items() if value is not None})
    return replace(recipe, model=model, data=data)


def _recorded(folders: Sequence[Path]) -> None:
    """Keep runs in the ledger. They are finished and stay so whatever the ledger says."""
    from advisor.runs import finished, ledger, record

    try:
        ledger.add([record.of(finished.read(out)) for out in folders])
    except AdviseError as error:
        told = f"warning: the run is not recorded: {error}\n  then: advise history add {' '.join(map(str, folders))}\n"
        sys.stderr.write(told)


@contextmanager
def _scratch() -> Iterator[None]:
    """A temporary folder that goes with us: torch's compiler and others leave theirs behind."""
    before = os.environ.get("TMPDIR"), tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="advise-", ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        try:
            yield
        finally:
            os.environ.pop("TMPDIR")
            os.environ |= {"TMPDIR": before[0]} if before[0] else {}
            tempfile.tempdir = before[1]


@contextmanager
def _ended_in_order() -> Iterator[None]:
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


def _prepare_libraries() -> None:
    """What has to be set before torch and its friends are imported."""
    # Threads that spin while they wait fight over shared cores: with another process at work on two cores a training
    # step took 19.5 s instead of 1.8 s (docs/decisions.md).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # The screen belongs to the run.
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
