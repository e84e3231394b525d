"""What commands take from the project's configuration, and from the command line before it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advisor.api.project import Project
    from advisor.review.outcome import Checked

SINGLE = ("policy", "fail_on", "baseline", "waivers", "waiver_days")  # options that replace a setting when given
LISTS = ("select", "ignore")


def configured(parser: ArgumentParser) -> None:
    """The option that chooses the configuration. An option that is not given leaves its setting to that."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="this configuration alone, so that a change cannot loosen its check"
    )
    parser.set_defaults(**dict.fromkeys(SINGLE))


def options(parser: ArgumentParser) -> None:
    """Options about the configuration and about how much is shown."""
    configured(parser)
    parser.add_argument("--show-config", action="store_true", help="print the configuration in effect, and stop")
    parser.add_argument("--exit-zero", action="store_true", help="exit with 0 even where findings count")
    parser.add_argument("--statistics", action="store_true", help="print how often each rule fires, not the findings")
    parser.add_argument("--quiet", action="store_true", help="print the findings alone, without summary and remarks")


def of(given: Namespace) -> Project:
    """The project of the current folder, or the configuration of --config, under the options of the command line.

    Raises:
        AdviseError: the configuration cannot be read or has wrong settings.
    """
    from advisor.api.project import Project

    return Project.at(Path(), given.config, _chosen(given))


def _chosen(given: Namespace) -> dict[str, Any]:
    """The settings that the command line gives."""
    values = {name: getattr(given, name, None) for name in SINGLE}
    single = {name: str(one) if isinstance(one, Path) else one for name, one in values.items() if one is not None}
    lists = {name: tuple(getattr(given, name)) for name in LISTS if getattr(given, name, None)}
    return {**single, **lists, **({"inline_waivers": False} if getattr(given, "no_inline", False) else {})}


def statistics(checked: Checked) -> str:
    """How often each rule fires among the findings that count, the most frequent first."""
    counts = Counter((one.rule, one.severity) for one in checked.findings if one.counts)
    width = len(str(max(counts.values(), default=0)))
    rows = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return "".join(f"{count:>{width}}  {severity:<7}  {rule}\n" for (rule, severity), count in rows)
