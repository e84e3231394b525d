"""`advise gate RUN_DIR`: may the model of a run be deployed?"""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from advisor.base.errors import AdviseError
from advisor.cli import project, targets
from advisor.cli.options import colour, give, parser, policy, waivers, width
from advisor.review.findings import FORMATS


def run(arguments: Sequence[str]) -> int:
    """Exit codes: 0 everything is shown to hold; 4 something is missed, missing, too old or changed."""
    options = _options(arguments)
    from advisor.api.deployment import judged
    from advisor.report.findings import summary

    its = project.of(options)
    read = (options.recipe, options.data, options.rescore, options.key, options.waivers, options.config)
    targets.refuse_inputs(options.output, filter(None, read))
    checked = judged(
        options.run,
        its.rules(str(options.recipe or options.run / "recipe.yaml")),
        its.waiving(),
        recipe=options.recipe,
        device=options.device,
        data=options.data,
        without_data=options.without_data,
        rescore=options.rescore,
        key=options.key,
        max_age=options.max_age,
    )
    give(checked.to(options.format, width(), colour(sys.stdout) and not options.output), options.output)
    sys.stderr.write(f"{checked.warned}\n" if checked.warned else "")
    sys.stderr.write("".join(f"kept: {words}\n" for words in checked.kept))
    sys.stderr.write("".join(f"not checked: {words}\n" for words in checked.unchecked))
    sys.stderr.write(f"{summary(checked)} · {'may not be deployed' if checked.exit_code else 'may be deployed'}\n")
    return checked.exit_code


def _options(arguments: Sequence[str]) -> Namespace:
    gate = parser(
        "advise gate",
        "Check a finished run before it is deployed: measured numbers, provenance, and a real reload.",
    )
    gate.add_argument(
        "run",
        type=Path,
        metavar="RUN_DIR",
        help="the --out folder of an `advise run`; of --seeds, gated on their means",
    )
    gate.add_argument(
        "--recipe", type=Path, metavar="FILE", help="the recipe to be shipped; the run must be of this recipe"
    )
    gate.add_argument(
        "--device", choices=("cpu", "cuda", "mps", "edge"), help="where it will serve (default: as its recipe says)"
    )
    gate.add_argument("--data", metavar="SOURCE", help="where the data is now (default: where the recipe says)")
    gate.add_argument("--without-data", action="store_true", help="accept the recorded hash of data that is not here")
    gate.add_argument(
        "--rescore", metavar="SOURCE", help="read the data there, and let every model answer all report rows again"
    )
    gate.add_argument("--key", type=Path, metavar="FILE", help="the public key (PEM) that has to have signed the run")
    gate.add_argument(
        "--max-age",
        type=age,
        default=timedelta(days=90),
        metavar="AGE",
        help="the oldest measurement that counts: 12h, 2w (default: 90d)",
    )
    gate.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="output format (default: text)")
    gate.add_argument("-o", "--output", type=Path, metavar="FILE", help="write findings here, not to stdout")
    waivers(gate)
    policy(gate)
    project.configured(gate)
    options = gate.parse_args(arguments)
    given = [name for name in ("data", "without_data", "rescore") if getattr(options, name)]
    if len(given) > 1:
        names = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise AdviseError(f"{names} contradict each other", hint="give one of them")
    return options


def age(text: str) -> timedelta:
    """An age such as 90d."""
    from advisor.deployment.provenance import to_age

    try:
        return to_age(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
