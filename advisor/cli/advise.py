"""`advise --model M --samples N --device D`: facts to recipe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from advisor.base.version import __version__
from advisor.cli import targets
from advisor.cli.command_line import Parser
from advisor.cli.options import (
    by_key,
    colour,
    count,
    count_or_none,
    data_columns,
    features,
    key_value,
    parser,
    policy,
    positive,
    problem_type,
    requests,
    share,
    width,
)
from advisor.facts.tasks import OLDER, TASKS, meanings
from advisor.report.style import wrapped

WRITTEN = ("# written by advise", '{\n  "facts": ')  # how a recipe, and advice as JSON, begin
DEVICES = ("cpu", "cuda", "mps", "edge", "auto")


class _Tags(tuple[str, ...]):
    """The tasks to choose from. Older names are read where they can mean one task only, and not offered."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and len(OLDER.get(name, ())) == 1)


def _model(name: str) -> str:
    if not name.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return name


def _task(name: str) -> str:
    if several := meanings(name):
        raise argparse.ArgumentTypeError(several)
    return name


def _commands() -> str:
    """Every command with what it does, a line each."""
    from advisor.cli.commands import COMMANDS

    calls = {f"advise {name} {arguments}".rstrip(): about for name, (arguments, about) in COMMANDS.items()}
    widest = max(map(len, calls))
    lines = (f"  {call.ljust(widest)}  {about}\n" for call, about in calls.items())
    told = f"commands (advise COMMAND --help says more):\n{''.join(lines)}"
    return wrapped(told, width()) if sys.stdout.isatty() else told


def _arguments() -> Parser:
    arguments = parser(
        "advise",
        "Advise how to make a language model small and green, from facts alone.",
        _commands(),
    )
    arguments.add_argument(
        "--model",
        required=True,
        type=_model,
        metavar="M",
        help="a family (advise families), a checkpoint folder, a config.json, or a downloaded Hub id",
    )
    amount = arguments.add_mutually_exclusive_group(required=True)
    amount.add_argument("--samples", type=count, metavar="N", help="labelled training examples")
    amount.add_argument("--data", metavar="SOURCE", help="count the examples of this data set (needs the extra [run])")
    arguments.add_argument(
        "--device",
        required=True,
        choices=DEVICES,
        help="where the model will serve; cpu and edge state that no GPU can be used there",
    )
    arguments.add_argument(
        "--task",
        type=_task,
        choices=_Tags(TASKS),
        metavar="TAG",
        help=f"what the model is to do, as a pipeline tag of the Hub: {', '.join(TASKS)}",
    )
    problem_type(arguments)
    arguments.add_argument("--eval-samples", type=count_or_none, metavar="N", help="labelled examples for the report")
    arguments.add_argument(
        "--unlabelled", type=count_or_none, default=None, metavar="N", help="texts of the task without labels"
    )
    arguments.add_argument(
        "--min-accuracy",
        type=share,
        default=0.95,
        metavar="SHARE",
        help="least accuracy relative to the fine-tuned model (default: 0.95)",
    )
    arguments.add_argument(
        "--max-emissions", type=positive, metavar="SHARE", help="most emissions relative to the fine-tuned model"
    )
    arguments.add_argument("--max-size-mb", type=positive, metavar="MB", help="largest size of the weights")
    arguments.add_argument("--max-latency-ms", type=positive, metavar="MS", help="longest time for one request")
    requests(arguments)
    arguments.add_argument(
        "--cautious", action="store_true", help="meet the goal by the worse end of a predicted range, not by its middle"
    )
    _add_facts(arguments)
    arguments.add_argument("--student", metavar="S", help="a smaller model to distil into, compared with cutting M")
    arguments.add_argument("--history", action="store_true", help="narrow the predicted ranges by your own past runs")
    arguments.add_argument("--name", help="name of the recipe")
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the recipe here, not to stdout")
    arguments.add_argument("--force", action="store_true", help="replace a file that advise did not write")
    arguments.add_argument("--format", choices=("yaml", "json"), default="yaml", help="output format (default: yaml)")
    arguments.add_argument("--version", action="version", version=f"advise {__version__}")
    data_columns(arguments)
    policy(arguments)
    return arguments


def _add_facts(arguments: Parser) -> None:
    """Options for what neither the model's config nor the data say."""
    arguments.add_argument(
        "--cpu-features", type=features, metavar="LIST", help="instruction sets of the CPU: avx2,avx512_vnni,…"
    )
    arguments.add_argument("--memory-gb", type=positive, metavar="GB", help="memory of the device")
    arguments.add_argument("--compute-capability", type=positive, metavar="X.Y", help="of the NVIDIA GPU, as in 8.0")
    arguments.add_argument("--mean-tokens", type=positive, metavar="N", help="mean length of a text")
    arguments.add_argument("--revision", metavar="COMMIT", help="revision of the model on the Hub")
    arguments.add_argument("--licence", metavar="ID", help="licence of the model, where no model card says it")
    arguments.add_argument(
        "--meta",
        type=key_value,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what the policy wants to know, as in owner=ada",
    )


def run(arguments: Sequence[str]) -> int:
    """Print or write the recipe; what led to it goes to stderr."""
    options = _arguments().parse_args(arguments)
    from advisor.api.recommendation import advise

    targets.refuse_inputs(options.output, filter(None, (options.data, options.model, options.student)))
    if not options.force:
        targets.refuse_other(options.output, WRITTEN, "--force")
    asked = {name: value for name, value in vars(options).items() if name not in ("output", "format", "force")}
    advice = advise(**{**asked, "meta": by_key(options.meta, "--meta")})
    product = advice.to_yaml() if options.format == "yaml" else advice.to_json() + "\n"
    sys.stderr.write(advice.explanation(width(), colour(sys.stderr)))
    if options.output:
        from shlex import quote

        from advisor.base.files import deliver  # not before: hashing costs start-up time

        deliver(options.output, product)
        planned = advice.chosen.plan
        runs = f" · run it: advise run {quote(str(options.output))} --data SOURCE --out DIR"
        sys.stderr.write(f"\nwrote {options.output}{runs if planned and planned.family.executable else ''}\n")
    else:
        sys.stderr.write("\n")
        sys.stdout.write(product)
        sys.stdout.flush()
    return 0
