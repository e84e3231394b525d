"""`advise search --model M --data SOURCE --device D --budget B --out DIR`: the recipes that best meet the goals."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.cli import project
from advisor.cli.options import (
    DATA_OPTIONS,
    by_key,
    count,
    count_or_none,
    data_columns,
    key_value,
    parser,
    policy,
    positive,
    problem_type,
    seconds,
    share,
)
from advisor.cli.options import requests as requests_
from advisor.cli.run import ended_in_order

if TYPE_CHECKING:
    from advisor.records.search import Forecast

ASKED_ABOVE = 3600.0  # seconds of a forecast from which a person at a terminal is asked


def run(arguments: Sequence[str]) -> int:
    """Exit codes: 0 a point of the front meets the goals, 1 none does, 2 wrong input."""
    options = _options(arguments)
    from advisor.api.orders import record_runs
    from advisor.api.search import search
    from advisor.records.search import PAGE
    from advisor.report.search import tables

    given = {name: getattr(options, name) for name in (*DATA_OPTIONS, "min_accuracy", "max_emissions", "max_size_mb")}
    given |= {
        name: getattr(options, name) for name in ("max_latency_ms", "requests", "task", "problem_type", "train_on")
    }
    given |= {name: getattr(options, name) for name in ("workers", "ray", "store", "resume", "seed", "country")}
    given |= {name: getattr(options, name) for name in ("trust_remote_code", "checkpoint_seconds", "measure_seconds")}
    given |= {"prefix": options.prefix, "training": by_key(options.training, "--training")}
    rules = project.of(options).rules(str(options.out / "front" / "trial-000.yaml"))  # as `check` judges its recipes
    try:
        with ended_in_order():
            found = search(
                options.model,
                data=options.data,
                device=options.device,
                budget=options.budget,
                out=options.out,
                policy=rules,
                record=False,  # below, with its warning
                confirm=lambda forecast: _confirmed(forecast, options),
                **given,
            )
    except KeyboardInterrupt:
        sys.stderr.write(f"everything is kept in {options.out}; the same command with --resume goes on\n")
        raise
    if not options.no_ledger and (warning := record_runs([options.out / folder for folder in found.run_folders])):
        sys.stderr.write(f"warning: {warning}\n")
    tables.show(found)
    sys.stderr.write(f"wrote {options.out / PAGE}: open it in a browser\n")
    return 0 if found.passed else 1


def _confirmed(forecast: Forecast, options: Namespace) -> bool:
    """Show the forecast; where it is long and somebody can answer, ask."""
    from advisor.report.search.screen import expected

    sys.stderr.write(f"{expected(forecast)}\n")
    if options.yes or forecast.seconds <= ASKED_ABOVE or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    sys.stderr.write("start? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser("advise search", "Search for the recipes that best meet the goals, by measuring.")
    made.add_argument("--model", required=True, metavar="M", help="a checkpoint folder or a Hub id")
    made.add_argument(
        "--data", required=True, metavar="SOURCE", help="Parquet, CSV, JSONL, a folder of them, or a Hub id"
    )
    made.add_argument("--device", required=True, choices=("cpu", "cuda", "mps", "auto"), help="where it will serve")
    made.add_argument(
        "--budget", required=True, metavar="B", help="hours, watt-hours or trials: 2h, 90min, 200wh, 30trials"
    )
    made.add_argument("--out", required=True, type=Path, metavar="DIR", help="a new folder for the search")
    made.add_argument(
        "--min-accuracy", type=share, default=0.95, metavar="X", help="share of the accuracy to keep (default: 0.95)"
    )
    made.add_argument("--max-emissions", type=positive, metavar="X", help="at most this share of the emissions")
    made.add_argument("--max-size-mb", type=positive, metavar="MB", help="at most this size on disk")
    made.add_argument("--max-latency-ms", type=positive, metavar="MS", help="at most this latency of one row")
    requests_(made)
    made.add_argument("--task", metavar="TAG", help="the Hub's pipeline tag (default: text-classification)")
    problem_type(made)
    data_columns(made)
    made.add_argument("--prefix", metavar="TEXT", help='before each text that is read, as in "summarize: "')
    made.add_argument(
        "--training",
        type=key_value,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of training in all recipes, as in image_size=56",
    )
    policy(made)
    project.configured(made)
    made.add_argument("--train-on", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to train")
    made.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="make N steps at the same time (default: 1; with --ray one a machine or GPU)",
    )
    made.add_argument(
        "--ray", metavar="ADDRESS", help="make steps on the machines of this Ray cluster: HOST:PORT, or auto"
    )
    made.add_argument(
        "--store", type=Path, metavar="DIR", help="finished steps, shared between searches (default: in --out)"
    )
    made.add_argument(
        "--resume", action="store_true", help="go on with the search in --out; goals and budget may change"
    )
    made.add_argument("--seed", type=count_or_none, default=0, metavar="N", help="seed of the sampler (default: 0)")
    made.add_argument("--country", metavar="ISO", help="country of the grid (default: FRA; shares do not change)")
    made.add_argument(
        "--measure-seconds",
        type=positive,
        default=10.0,
        metavar="S",
        help="how long each model is measured (default: 10)",
    )
    made.add_argument(
        "--checkpoint-seconds",
        type=seconds,
        default=60.0,
        metavar="S",
        help="save the state of training every S seconds (default: 60)",
    )
    made.add_argument("--trust-remote-code", action="store_true", help="execute code that comes with the tokenizer")
    made.add_argument("--no-ledger", action="store_true", help="do not record the runs in `advise history`")
    made.add_argument("--yes", action="store_true", help="start without asking, however long it will take")
    return made.parse_args(arguments)
