"""`advise --model M --samples N --device D`: facts to recipe."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.cli.options import (
    Parser,
    colour,
    count,
    count_or_none,
    data_columns,
    parser,
    policy,
    positive,
    share,
    width,
)

if TYPE_CHECKING:
    from advisor.advice.history import History
    from advisor.compute.data.dataset import TaskData
    from advisor.facts.facts import Facts
    from advisor.inspection.probe import Model
    from advisor.recipe.recipe import DataSource, Task

DEVICES = ("cpu", "cuda", "mps", "edge", "auto")


def _arguments() -> Parser:
    arguments = parser(
        "advise",
        "Advise how to make a language model small and green, from facts alone.",
        "commands:\n  advise run RECIPE --data SOURCE --out DIR   carry a recipe out and report\n"
        "  advise check RECIPE…                        review recipes by the rules\n"
        "  advise explain RULE|RECIPE                  a rule's page; why a recipe is as it is\n"
        "  advise rules list|test|verify|diff|docs     work on rule packs\n"
        "  advise report RUN_DIR… --html FILE          finished runs as a page to look at\n"
        "  advise history [show|export|import|add]     every run that was carried out, predicted beside measured\n"
        "  advise doctor                               what this machine offers, and what follows\n"
        "  advise families                             which models are described, and which can be executed\n"
        "  advise schema recipe|rule|pack              JSON Schemas for editors\n"
        "  advise completion bash|zsh|tcsh             completion for a shell\n"
        "  advise demo --out DIR                       the whole way on a small real model and data",
    )
    arguments.add_argument(
        "--model",
        required=True,
        metavar="M",
        help="a family (advise families), a checkpoint folder, a config.json, or a downloaded Hub id",
    )
    amount = arguments.add_mutually_exclusive_group(required=True)
    amount.add_argument("--samples", type=count, metavar="N", help="labelled training examples")
    amount.add_argument("--data", metavar="SOURCE", help="count them in this data set (needs the extra [run])")
    arguments.add_argument(
        "--device",
        required=True,
        choices=DEVICES,
        help="where the model will serve; cpu and edge state that no GPU can be used there",
    )
    arguments.add_argument("--task", choices=("classification", "regression", "generation", "language-modelling"))
    arguments.add_argument("--eval-samples", type=count_or_none, metavar="N", help="labelled examples for the report")
    arguments.add_argument(
        "--unlabelled", type=count_or_none, default=None, metavar="N", help="task-like texts without labels"
    )
    arguments.add_argument(
        "--min-accuracy",
        type=share,
        default=0.95,
        metavar="SHARE",
        help="least relative accuracy (default 0.95)",
    )
    arguments.add_argument("--max-emissions", type=positive, metavar="SHARE", help="most relative emissions")
    arguments.add_argument("--max-size-mb", type=positive, metavar="MB")
    arguments.add_argument("--max-latency-ms", type=positive, metavar="MS")
    arguments.add_argument("--history", action="store_true", help="narrow the ranges by your own past runs")
    arguments.add_argument("--name", help="name of the recipe")
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the recipe there, not to stdout")
    arguments.add_argument("--format", choices=("yaml", "json"), default="yaml")
    arguments.add_argument("--version", action="version", version=_version())
    data_columns(arguments)
    policy(arguments)
    return arguments


def _version() -> str:
    if "--version" not in sys.argv:
        return ""
    from importlib.metadata import version

    return f"advise {version('advise')}"


def run(arguments: Sequence[str]) -> int:
    options = _arguments().parse_args(arguments)
    from advisor.advice.recommendation import advise
    from advisor.base.files import write
    from advisor.policy.pack import find
    from advisor.report import advice as report

    facts, model, data = _facts(options)
    name = options.name or f"{Path(options.model).name}-{facts.device.kind}"
    history = _history(facts) if options.history else None
    advice = advise(find(options.policy), facts, model, data, name, history)
    product = report.recipe_yaml(advice) if options.format == "yaml" else report.advice_json(advice) + "\n"
    sys.stderr.write(report.explanation(advice, width(), colour(sys.stderr)))
    if options.output:
        write(options.output, product)
        planned = advice.chosen.plan
        runs = f" · carry it out: advise run {options.output} --data SOURCE --out DIR"
        sys.stderr.write(f"\nwrote {options.output}{runs if planned and planned.family.executable else ''}\n")
    else:
        sys.stderr.write("\n")
        sys.stdout.write(product)
        sys.stdout.flush()
    return 0


def _history(facts: Facts) -> History:
    """The user's own runs that are like the one that is asked about."""
    from advisor.advice.history import gather
    from advisor.runs import ledger

    wanted = ledger.Filters(family=facts.model.family, device=facts.device.kind)
    return gather(ledger.find(wanted), facts)


def _warn_of_imbalance(data: TaskData) -> None:
    from advisor.compute.tasks.balance import imbalance
    from advisor.facts.tasks import metrics

    if warned := imbalance(metrics(data.source, data.task)[0], data.report.labels, data.label_names):
        sys.stderr.write(f"warning: {warned}\n")


def _facts(options: Namespace) -> tuple[Facts, Model, DataSource]:
    """The facts that the options state, the model they name and the data source for the recipe."""
    from advisor.facts.facts import DataFacts, Facts, Goal
    from advisor.facts.tasks import OF_TASK
    from advisor.inspection import probe
    from advisor.recipe.recipe import DataSource

    columns = {"text": options.text, "pair": options.pair, "label": options.label}
    labelled = options.task if options.task in OF_TASK else None
    found = probe.data(options.data, columns, options.max_samples, labelled) if options.data else None
    if found:
        _warn_of_imbalance(found)
    samples = found.samples if found else min(options.samples, options.max_samples or options.samples)
    labels = len(found.label_names) if found else None
    model = probe.model(options.model, labels or 2)
    unlabelled = options.unlabelled if options.unlabelled is not None else found.unlabelled_samples if found else 0
    evaluated = options.eval_samples if options.eval_samples is not None else found.eval_samples if found else None
    task: Task | None = options.task or (found.task if found else None)
    data = DataFacts(samples, evaluated, unlabelled, None, task, labels)
    goal = Goal(options.min_accuracy, options.max_emissions, options.max_size_mb, options.max_latency_ms)
    source = DataSource(options.data, max_samples=options.max_samples, **columns)
    return Facts(model.facts, data, probe.device(options.device), goal), model, source
